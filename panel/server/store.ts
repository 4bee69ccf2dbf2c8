/** One value that several parts of the page look at. */
export interface Store<Value> {
  readonly value: Value;
  set(value: Value): void;
  /** Calls with each new value; answers what ends that. */
  subscribe(listener: (value: Value) => void): () => void;
}

export function createStore<Value>(first: Value): Store<Value> {
  let value = first;
  const listeners = new Set<(value: Value) => void>();
  return {
    get value() {
      return value;
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener(next);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
