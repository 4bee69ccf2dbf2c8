/** How many of something there may be in a second. */
export class PerSecond {
  readonly #max: number;
  readonly #now: () => number;
  #sinceMs: number;
  #count = 0;

  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
    this.#sinceMs = now();
  }

  /** One more; false: it is too many. */
  take(): boolean {
    const nowMs = this.#now();
    if (nowMs - this.#sinceMs >= 1000) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#max;
  }
}
