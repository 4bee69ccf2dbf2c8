import { compareIds, type StreamId } from '../event/stream-id.ts';
import type { RoutedEvent } from './routed-event.ts';

/** Below this many removed slots it is cheaper to keep them than to move the rest. */
const COMPACT_AT = 64;

/** Events in id order: appended at the end, removed at the front, found by id. Both ends in amortised O(1). */
export class EventQueue {
  /** Of the channel whose events these are. */
  readonly name: string;
  #events: (RoutedEvent | undefined)[] = [];
  #head = 0;

  constructor(name: string) {
    this.name = name;
  }

  get length(): number {
    return this.#events.length - this.#head;
  }

  first(): RoutedEvent | undefined {
    return this.#events[this.#head];
  }

  push(event: RoutedEvent): void {
    this.#events.push(event);
  }

  shift(): RoutedEvent | undefined {
    if (this.length === 0) return undefined;
    const event = this.#events[this.#head];
    this.#events[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  /** The first event later than `after`. */
  next(after: StreamId): RoutedEvent | undefined {
    return this.#events[this.#indexAfter(after)];
  }

  countAfter(after: StreamId): number {
    return this.#events.length - this.#indexAfter(after);
  }

  /** The events later than `after` and not later than `end`, in order. */
  between(after: StreamId, end: StreamId): RoutedEvent[] {
    const found: RoutedEvent[] = [];
    for (let at = this.#indexAfter(after); at < this.#events.length; at += 1) {
      const event = this.#events[at] as RoutedEvent;
      if (compareIds(event.id, end) > 0) break;
      found.push(event);
    }
    return found;
  }

  #indexAfter(after: StreamId): number {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareIds((this.#events[middle] as RoutedEvent).id, after) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
