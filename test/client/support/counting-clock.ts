import type { Clock } from '../../../client/src/host.ts';

/** A clock that knows which of its timers are still to run. */
export class CountingClock implements Clock {
  readonly now: () => number;
  readonly setTimeout: (run: () => void, delayMs: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
  readonly #running = new Set<unknown>();

  constructor(clock: Clock) {
    this.now = () => clock.now();
    this.setTimeout = (run, delayMs) => {
      const timer = clock.setTimeout(() => {
        this.#running.delete(timer);
        run();
      }, delayMs);
      this.#running.add(timer);
      return timer;
    };
    this.clearTimeout = (timer) => {
      this.#running.delete(timer);
      clock.clearTimeout(timer);
    };
  }

  get running(): number {
    return this.#running.size;
  }
}
