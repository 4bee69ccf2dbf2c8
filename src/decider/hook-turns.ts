/** Gives a turn back; once. */
export type Release = () => void;

/** At most so many at once; the others wait, in order. */
export class Turns {
  readonly #max: number;
  readonly #maxWaiting: number;
  /** A Set keeps the order, and lets those go who gave up. */
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(options: { readonly max: number; readonly maxWaiting: number }) {
    this.#max = options.max;
    this.#maxWaiting = options.maxWaiting;
  }

  /** Resolves with how the turn is given back; with `full` when too many wait, `aborted` when `signal` came first. */
  async take(signal: AbortSignal): Promise<Release | 'full' | 'aborted'> {
    if (signal.aborted) return 'aborted';
    if (this.#taken < this.#max) {
      this.#taken += 1;
      return () => this.#release();
    }
    if (this.#waiting.size >= this.#maxWaiting) return 'full';
    return new Promise((resolve) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(() => this.#release());
      };
      const giveUp = (): void => {
        this.#waiting.delete(enter);
        resolve('aborted');
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(enter);
    });
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    // The turn passes on: it stays taken.
    this.#waiting.delete(next);
    next();
  }
}
