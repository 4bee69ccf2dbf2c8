import { type Clock, LONGEST_TIMER_MS } from './host.ts';

/** Timers by name: there is one of each, and none is left behind. */
export class Timers<Name> {
  readonly #clock: Clock;
  readonly #byName = new Map<Name, unknown>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the place of the one before of that name. */
  start(name: Name, delayMs: number, run: () => void): void {
    this.stop(name);
    this.#byName.set(name, this.#clock.setTimeout(run, Math.min(delayMs, LONGEST_TIMER_MS)));
  }

  stop(name: Name): void {
    this.#clock.clearTimeout(this.#byName.get(name));
    this.#byName.delete(name);
  }

  stopAll(): void {
    for (const name of this.#byName.keys()) this.stop(name);
  }
}
