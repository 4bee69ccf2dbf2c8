interface Timer {
  /** Of the machine's delay. */
  readonly name: string | undefined;
  readonly dueMs: number;
  readonly run: () => void;
}

/**
 * The clock of a replay. Time goes where it is put, and a timer runs when it is told to: a real one is always a little
 * late, and what came in between came before it.
 */
export class ReplayClock {
  readonly #timers = new Set<Timer>();
  /** Delays that were asked for, and whose timers are set next, in this order. */
  readonly #names: string[] = [];
  #nowMs = 0;

  now = (): number => this.#nowMs;

  setTimeout = (run: () => void, delayMs: number): Timer => {
    const timer = { name: this.#names.shift(), dueMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return timer;
  };

  clearTimeout = (timer: Timer): void => {
    this.#timers.delete(timer);
  };

  /** A delay of this name was asked for. */
  asked(name: string): void {
    this.#names.push(name);
  }

  goTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** Runs the timer that is due first, of this name where one is given, if it is by `untilMs`; false: none is. */
  runNext(untilMs: number, name?: string): boolean {
    const [first] = [...this.#timers]
      .filter((timer) => name === undefined || timer.name === name)
      .sort((a, b) => a.dueMs - b.dueMs);
    if (first === undefined || first.dueMs > untilMs) return false;
    this.#timers.delete(first);
    this.goTo(first.dueMs);
    first.run();
    return true;
  }
}
