export interface TokenBucketOptions {
  readonly perSecond: number;
  /** The most that may come at once after a pause. */
  readonly burst: number;
  /** Milliseconds; may jump, and then counts as no time when it is back. */
  readonly now: () => number;
}

/** How often something may happen: `burst` times at once, and `perSecond` in the long run. Two numbers a socket. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #atMs: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#atMs = options.now();
  }

  /** Takes one: 0, or after how many milliseconds there will be one to take. */
  take(): number {
    const { perSecond, burst, now } = this.#options;
    const nowMs = now();
    const gained = (Math.max(0, nowMs - this.#atMs) * perSecond) / 1000;
    this.#atMs = nowMs;
    this.#tokens = Math.min(burst, this.#tokens + gained);
    // Fractions do not add up exactly; whoever waited as told is not refused for it.
    if (this.#tokens < 1 - 1e-9) return Math.ceil(((1 - this.#tokens) * 1000) / perSecond);
    this.#tokens = Math.max(0, this.#tokens - 1);
    return 0;
  }
}
