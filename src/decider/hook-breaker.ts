export type BreakerState = 'closed' | 'open' | 'halfOpen';

/** One request that was let through; says once what became of it. */
export interface Pass {
  /** Whatever was answered, the other side is there. */
  answered(): void;
  /** No connection, or no answer in time. */
  failed(): void;
  /** It says nothing: nobody waits for it any more. */
  abandoned(): void;
}

export interface BreakerOptions {
  readonly now: () => number;
  readonly onChange: (state: BreakerState) => void;
}

/** What counts is what each principal met last, for so long. */
const WINDOW_MS = 10_000;
/** So many must meet a failure, and as many as do not: one client, whatever it asks, cannot take it from all. */
const LEAST_FAILING = 3;
const COOL_DOWN_MS = 5_000;

/**
 * Keeps requests from a hook that is not there, so that nobody waits for it and it can come back in peace.
 *
 * Not one of the libraries: these count requests, and cannot tell one client whose every question is slow from a
 * server that is slow for all; and a probe whose client went away would count for them, one way or the other.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  /** By principal, oldest first. */
  readonly #last = new Map<string, { readonly atMs: number; readonly isFailure: boolean }>();
  #failing = 0;
  #state: BreakerState = 'closed';
  #openedAtMs = 0;
  #isProbed = false;
  /** Whose probe has failed. */
  #prober: string | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** Whether `enter` would give a pass now. */
  isClosedTo(user: string): boolean {
    if (this.#state === 'closed') return false;
    if (this.#state === 'halfOpen') return this.#isProbed;
    // Whoever has failed to close it lets others try first.
    const pause = user === this.#prober ? 2 * COOL_DOWN_MS : COOL_DOWN_MS;
    return this.#options.now() - this.#openedAtMs < pause;
  }

  /** Undefined: not now. */
  enter(user: string): Pass | undefined {
    if (this.isClosedTo(user)) return undefined;
    return this.#state === 'closed' ? this.#pass(user) : this.#probe(user);
  }

  #pass(user: string): Pass {
    return {
      answered: () => this.#note(user, false),
      failed: () => this.#note(user, true),
      abandoned() {},
    };
  }

  #probe(user: string): Pass {
    this.#isProbed = true;
    if (this.#state === 'open') this.#become('halfOpen');
    return {
      answered: () => {
        this.#prober = undefined;
        this.#become('closed');
      },
      failed: () => {
        this.#prober = user;
        this.#open();
      },
      abandoned: () => {
        this.#isProbed = false;
      },
    };
  }

  #note(user: string, isFailure: boolean): void {
    // What was asked before it opened says nothing new.
    if (this.#state !== 'closed') return;
    this.#forget(user);
    this.#last.set(user, { atMs: this.#options.now(), isFailure });
    if (isFailure) this.#failing += 1;
    this.#forgetOld();
    if (isFailure && this.#failing >= LEAST_FAILING && 2 * this.#failing >= this.#last.size) this.#open();
  }

  #open(): void {
    this.#openedAtMs = this.#options.now();
    this.#isProbed = false;
    this.#last.clear();
    this.#failing = 0;
    this.#become('open');
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#options.onChange(state);
  }

  #forget(user: string): void {
    if (this.#last.get(user)?.isFailure === true) this.#failing -= 1;
    this.#last.delete(user);
  }

  #forgetOld(): void {
    const oldestMs = this.#options.now() - WINDOW_MS;
    for (const [user, { atMs }] of this.#last) {
      if (atMs > oldestMs) return;
      this.#forget(user);
    }
  }
}
