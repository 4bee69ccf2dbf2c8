import { compareIds, previousId, type StreamId } from '../event/stream-id.ts';
import { EventQueue } from './event-queue.ts';
import { forEachChannel, type RoutedEvent, sizeOf } from './routed-event.ts';

export interface WindowLimits {
  readonly maxEvents: number;
  /** What is kept, overhead included. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/**
 * The recent events of ALL channels, wanted or not: the client that was away comes back for exactly those.
 * Whatever is later than `floor` and was routed is here.
 */
export class Window {
  readonly #limits: WindowLimits;
  readonly #events = new EventQueue('');
  readonly #byChannel = new Map<string, EventQueue>();
  #bytes = 0;
  #floor: StreamId;

  constructor(limits: WindowLimits, floor: StreamId) {
    this.#limits = limits;
    this.#floor = floor;
  }

  /** The id of the last event that was evicted, or where filling began. */
  get floor(): StreamId {
    return this.#floor;
  }

  get length(): number {
    return this.#events.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether everything of any channel after `cursor` is here. */
  holds(cursor: StreamId): boolean {
    return compareIds(cursor, this.#floor) >= 0;
  }

  /** A channel's name as the window has it already: a copy for each event would be kept as long as the event. */
  nameOf(channel: string): string {
    return this.#byChannel.get(channel)?.name ?? channel;
  }

  /** Adds the newest event, and evicts what no longer fits. */
  add(event: RoutedEvent): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    forEachChannel(event, (channel) => {
      let queue = this.#byChannel.get(channel);
      if (queue === undefined) {
        queue = new EventQueue(channel);
        this.#byChannel.set(channel, queue);
      }
      queue.push(event);
    });
    this.evict(event.arrival.atMs);
  }

  /** Evicts what is beyond the limits at `nowMs`. */
  evict(nowMs: number): void {
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
    for (;;) {
      const first = this.#events.first();
      if (first === undefined) return;
      const fits = this.#events.length <= maxEvents && this.#bytes <= maxBytes;
      if (fits && nowMs - first.arrival.atMs <= maxAgeMs) return;
      this.#evictFirst(first);
    }
  }

  /**
   * Keeps an event's frame, and evicts what no longer fits beside it, be it this event. What was evicted before is
   * not accounted for.
   */
  keepFrame(event: RoutedEvent, frame: NonNullable<RoutedEvent['frame']>): void {
    const before = sizeOf(event);
    event.frame = frame;
    this.#grow(event, sizeOf(event) - before);
  }

  /** As `keepFrame`, for its compressed form. */
  keepCompressed(event: RoutedEvent, compressed: Buffer): void {
    const before = sizeOf(event);
    event.compressed = compressed;
    this.#grow(event, sizeOf(event) - before);
  }

  /** The first event of any of `channels` after `cursor`. */
  next(channels: readonly string[], cursor: StreamId): RoutedEvent | undefined {
    let earliest: RoutedEvent | undefined;
    for (const channel of channels) {
      const event = this.#byChannel.get(channel)?.next(cursor);
      if (event !== undefined && (earliest === undefined || compareIds(event.id, earliest.id) < 0)) {
        earliest = event;
      }
    }
    return earliest;
  }

  /** The event of this id, of whatever channel. */
  find(id: StreamId): RoutedEvent | undefined {
    const event = this.#events.next(previousId(id));
    return event?.id === id ? event : undefined;
  }

  /** Whether an event of any of `channels` has this id. */
  has(channels: readonly string[], id: StreamId): boolean {
    return this.next(channels, previousId(id))?.id === id;
  }

  /** The events of one channel in `(after, end]`. */
  between(channel: string, after: StreamId, end: StreamId): RoutedEvent[] {
    return this.#byChannel.get(channel)?.between(after, end) ?? [];
  }

  /** How many events of `channels` are later than `cursor`; one in several of them counts for each. */
  countAfter(channels: readonly string[], cursor: StreamId): number {
    let count = 0;
    for (const channel of channels) count += this.#byChannel.get(channel)?.countAfter(cursor) ?? 0;
    return count;
  }

  /** Forgets everything; filling begins again after `floor`. */
  clear(floor: StreamId): void {
    while (this.#events.shift() !== undefined);
    this.#byChannel.clear();
    this.#bytes = 0;
    this.#floor = floor;
  }

  #grow(event: RoutedEvent, bytes: number): void {
    if (bytes === 0 || compareIds(event.id, this.#floor) <= 0) return;
    this.#bytes += bytes;
    this.evict(event.arrival.atMs);
  }

  #evictFirst(first: RoutedEvent): void {
    this.#events.shift();
    this.#bytes -= sizeOf(first);
    this.#floor = first.id;
    forEachChannel(first, (channel) => {
      const queue = this.#byChannel.get(channel);
      queue?.shift();
      if (queue?.length === 0) this.#byChannel.delete(channel);
    });
  }
}
