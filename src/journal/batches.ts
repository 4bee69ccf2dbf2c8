import { compareIds, type StreamId } from '../event/stream-id.ts';
import type { BatchLine } from '../inspect/api.ts';

/** One line a batch of a feed, the newest `max` of them: when it was routed, and from which id to which. */
export class Batches {
  readonly #max: number;
  readonly #lines: BatchLine[] = [];
  /** Where the oldest one is, once there are as many as may be. */
  #head = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get length(): number {
    return this.#lines.length;
  }

  add(line: BatchLine): void {
    if (this.#lines.length < this.#max) {
      this.#lines.push(line);
      return;
    }
    this.#lines[this.#head] = line;
    this.#head = (this.#head + 1) % this.#max;
  }

  /** The newest batch that an event of this id came with. */
  of(id: StreamId): BatchLine | undefined {
    for (let at = this.length - 1; at >= 0; at -= 1) {
      const line = this.#at(at);
      // From the newest back: after the log lost its data smaller ids are later.
      if (compareIds(line.firstId, id) <= 0 && compareIds(id, line.lastId) <= 0) return line;
    }
    return undefined;
  }

  /** The newest `count`, oldest first. */
  last(count: number): BatchLine[] {
    const found: BatchLine[] = [];
    for (let at = Math.max(0, this.length - count); at < this.length; at += 1) found.push(this.#at(at));
    return found;
  }

  #at(at: number): BatchLine {
    return this.#lines[(this.#head + at) % this.#lines.length] as BatchLine;
  }
}
