import type { Entry } from '../../event/entry.ts';
import { compareIds, type StreamId, ZERO_ID } from '../../event/stream-id.ts';

/** Below this many removed slots the array is not compacted: moving a few entries costs less than counting. */
const COMPACT_FROM = 32;

/** Entries in id order, appended at one end and removed at the other, that remembers the last one removed. */
export class Stream {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #lastRemoved: StreamId;

  /** `lastRemoved`: what a stream of the same name, since forgotten, removed last. */
  constructor(lastRemoved: StreamId = ZERO_ID) {
    this.#lastRemoved = lastRemoved;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** `0-0` when nothing was ever removed. */
  get lastRemoved(): StreamId {
    return this.#lastRemoved;
  }

  /** The largest id it ever gave, `0-0` when it never gave one. */
  get lastId(): StreamId {
    return this.length > 0 ? (this.#entries.at(-1) as Entry).id : this.#lastRemoved;
  }

  get first(): Entry | undefined {
    return this.#entries[this.#head];
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    this.#lastRemoved = entry.id;
    // Half of it empty: moved once per doubling, so a removal costs a constant.
    if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  /** Entries of `(after, end]`, oldest first. */
  after(after: StreamId, end: StreamId | undefined, count: number): Entry[] {
    const from = this.#firstNotBelow(after, true);
    const to = end === undefined ? this.#entries.length : this.#firstNotBelow(end, true);
    return this.#entries.slice(from, Math.max(from, Math.min(to, from + count))) as Entry[];
  }

  /** Entries before `before`, newest first. */
  before(before: StreamId | undefined, count: number): Entry[] {
    const to = before === undefined ? this.#entries.length : this.#firstNotBelow(before, false);
    return (this.#entries.slice(Math.max(this.#head, to - count), to) as Entry[]).toReversed();
  }

  /** The index of the first entry at or above `id`, or above it when `exclusive`. */
  #firstNotBelow(id: StreamId, exclusive: boolean): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareIds((this.#entries[middle] as Entry).id, id);
      if (order < 0 || (exclusive && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
