/** How often frames may be sent: a burst at once, and no more than the server allows in the long run. */
export class Pace {
  readonly #perSecond: number;
  #left = 0;
  #atMs = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** A new connection may send a whole burst. */
  restart(nowMs: number): void {
    this.#left = this.#perSecond * 2;
    this.#atMs = nowMs;
  }

  /** Takes one: 0, or after how many milliseconds there is one to take. */
  take(nowMs: number): number {
    const gained = (Math.max(0, nowMs - this.#atMs) * this.#perSecond) / 1000;
    this.#left = Math.min(this.#perSecond * 2, this.#left + gained);
    this.#atMs = nowMs;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) * 1000) / this.#perSecond);
    this.#left -= 1;
    return 0;
  }
}
