/** What became of the events that were due to some clients. All zero but `due` and `received`: exact. */
export interface Exactness {
  readonly due: number;
  /** With duplicates. */
  readonly received: number;
  readonly missing: number;
  /** Came a second time, in whatever order. */
  readonly duplicates: number;
  /** Came for the first time, after a later one. */
  readonly outOfOrder: number;
}

export const NOTHING_DUE: Exactness = { due: 0, received: 0, missing: 0, duplicates: 0, outOfOrder: 0 };

export const addExactness = (a: Exactness, b: Exactness): Exactness => ({
  due: a.due + b.due,
  received: a.received + b.received,
  missing: a.missing + b.missing,
  duplicates: a.duplicates + b.duplicates,
  outOfOrder: a.outOfOrder + b.outOfOrder,
});

export const isExact = ({ missing, duplicates, outOfOrder }: Exactness): boolean =>
  missing + duplicates + outOfOrder === 0;

/** Keeps account of the events of one channel that one client has received, by their numbers, which start at 0. */
export class Ledger {
  #next = 0;
  #start = 0;
  /** Numbers before `#next` that have not come. */
  readonly #holes = new Set<number>();
  #received = 0;
  #duplicates = 0;
  #outOfOrder = 0;

  receive(sequence: number): void {
    this.#received += 1;
    if (sequence === this.#next) {
      this.#next += 1;
    } else if (sequence > this.#next) {
      for (let hole = this.#next; hole < sequence; hole += 1) this.#holes.add(hole);
      this.#next = sequence + 1;
    } else if (this.#holes.delete(sequence)) {
      this.#outOfOrder += 1;
    } else {
      this.#duplicates += 1;
    }
  }

  /** How many events the last `take` closed. */
  get start(): number {
    return this.#start;
  }

  /** Different events received since the last `take`. */
  get distinct(): number {
    return this.#received - this.#duplicates;
  }

  /** Closes the account of all events before `published`, and begins the next one there. */
  take(published: number): Exactness {
    const taken = {
      due: published - this.#start,
      received: this.#received,
      missing: this.#holes.size + Math.max(0, published - this.#next),
      duplicates: this.#duplicates,
      outOfOrder: this.#outOfOrder,
    };
    this.#start = published;
    this.#next = Math.max(this.#next, published);
    this.#holes.clear();
    this.#received = 0;
    this.#duplicates = 0;
    this.#outOfOrder = 0;
    return taken;
  }
}

/** How many of `total` events, dealt to `channels` in turn, went to the channel at `index`. */
export const dealt = (total: number, channels: number, index: number): number =>
  index < total ? Math.floor((total - 1 - index) / channels) + 1 : 0;
