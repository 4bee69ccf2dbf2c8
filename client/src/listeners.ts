import { host } from './host.ts';

/** Takes something back: a handler, a subscriber. */
export type Stop = () => void;

type Run<A extends unknown[]> = (...args: A) => void;

/** A failure of the application's own function is its own: it surfaces as uncaught, and breaks nothing here. */
export function callOut<A extends unknown[]>(run: Run<A>, ...args: A): void {
  try {
    run(...args);
  } catch (error) {
    host.queueMicrotask(() => {
      throw error;
    });
  }
}

/** Functions by name. The same function may be added twice, and is then called twice. */
export class Listeners<A extends unknown[]> {
  readonly #byName = new Map<string, Set<{ readonly run: Run<A> }>>();

  on(name: string, run: Run<A>): Stop {
    const entry = { run };
    const entries = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, entries.add(entry));
    return () => entries.delete(entry);
  }

  has(name: string): boolean {
    return (this.#byName.get(name)?.size ?? 0) > 0;
  }

  /** Calls those that are there now, unless one of them takes another back or `isWanted` turns false. */
  emit(name: string, isWanted: () => boolean, ...args: A): void {
    const entries = this.#byName.get(name);
    // What is added meanwhile is for the next time.
    for (const entry of Array.from(entries ?? []))
      if (entries?.has(entry) && isWanted()) callOut(entry.run, ...args);
  }
}

/** A value that can be watched: by Svelte as a store, by React with `useSyncExternalStore`. */
export interface Readable<T> {
  /** Calls `run` at once, and whenever the value changes. */
  readonly subscribe: (run: (value: T) => void) => Stop;
  /** The value; the same one until it changes. */
  readonly getSnapshot: () => T;
}

export class Watched<T> implements Readable<T> {
  readonly #listeners = new Listeners<[T]>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  readonly subscribe = (run: (value: T) => void): Stop => {
    const stop = this.onChange(run);
    callOut(run, this.#value);
    return stop;
  };

  readonly getSnapshot = (): T => this.#value;

  /** As `subscribe`, but not at once. */
  readonly onChange = (run: (value: T) => void): Stop => this.#listeners.on('', run);

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    // Whoever sets it again from within has told everybody the newer value.
    this.#listeners.emit('', () => Object.is(value, this.#value), value);
  }
}
