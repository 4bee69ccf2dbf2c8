import type { Clock } from '../../clock.ts';

/** Below this many keys nothing is swept. */
const SWEEP_FROM = 1024;

/** Keys that run out, swept once per doubling so that they cost memory only while they are valid. */
export class ExpiringKeys {
  readonly #clock: Clock;
  readonly #expiresAt = new Map<string, number>();
  #sweepAt = SWEEP_FROM;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(key: string): boolean {
    return (this.#expiresAt.get(key) ?? Number.NEGATIVE_INFINITY) > this.#clock.now();
  }

  set(key: string, ttlMs: number): void {
    this.#expiresAt.set(key, this.#clock.now() + ttlMs);
    if (this.#expiresAt.size < this.#sweepAt) return;
    this.valid();
    this.#sweepAt = Math.max(SWEEP_FROM, this.#expiresAt.size * 2);
  }

  /** The keys that have not run out; forgets the others. */
  valid(): string[] {
    const nowMs = this.#clock.now();
    for (const [key, expiresAt] of this.#expiresAt) if (expiresAt <= nowMs) this.#expiresAt.delete(key);
    return [...this.#expiresAt.keys()];
  }

  clear(): void {
    this.#expiresAt.clear();
  }
}
