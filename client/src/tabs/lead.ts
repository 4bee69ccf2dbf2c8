import { host, type LockOptions, type Locks } from '../host.ts';

export interface LeadOptions {
  /** Of the lock that one tab has. */
  readonly name: string;
  readonly locks: Locks;
  /** Begins to lead; answers how that ends. */
  begin(): () => void;
  /** Locks are not to be had, as where a page may keep nothing. */
  refused(): void;
}

/** The lead of the tabs of an origin, as one of them has it or waits for it. */
export class Lead {
  readonly #options: LeadOptions;
  readonly #abort = new host.AbortController();
  /** Ends what it leads now. */
  #end: (() => void) | undefined;
  #release = () => {};
  #isOver = false;

  constructor(options: LeadOptions) {
    this.#options = options;
    this.#queue();
  }

  get isHeld(): boolean {
    return this.#end !== undefined;
  }

  /** Takes it from whoever has it and does not run; that one follows when it runs again. */
  steal(): void {
    if (!this.#isOver) this.#ask({ steal: true });
  }

  /** Waits for it no more. */
  giveUp(): void {
    this.#isOver = true;
    this.#abort.abort();
  }

  /** Leaves it to the next one. */
  end(): void {
    this.#end?.();
    this.#end = undefined;
    this.#release();
  }

  #queue(): void {
    this.#ask({ signal: this.#abort.signal as never }, () => this.#queue());
  }

  #ask(options: LockOptions, again?: () => void): void {
    const { name, locks, begin, refused } = this.#options;
    let end: (() => void) | undefined;
    const hold = () => {
      if (this.#isOver) return Promise.resolve();
      this.#end?.();
      end = begin();
      this.#end = end;
      return new Promise<void>((resolve) => {
        this.#release = resolve;
      });
    };
    locks.request(name, options, hold).catch((error: unknown) => {
      // Aborted, which is no failure.
      if (this.#isOver) return;
      if ((error as Error).name === 'AbortError') {
        // Another tab has taken it, because this one did not run.
        end?.();
        if (this.#end === end) this.#end = undefined;
        again?.();
      } else {
        refused();
        void hold();
      }
    });
  }
}
