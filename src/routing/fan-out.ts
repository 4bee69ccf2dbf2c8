import type { RoutableBatch } from '../../machines/router.ts';
import type { Entry } from '../event/entry.ts';
import { compareIds, laterId, msOf, previousId, type StreamId } from '../event/stream-id.ts';
import { type EventCodec, isMalformed, type Malformed } from '../protocol/event-codec.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Delivery } from './delivery.ts';
import type { Frames } from './frames.ts';
import type { SocketProtocol } from './protocol.ts';
import type { FeedRecord } from './record.ts';
import { type Arrival, type RoutedEvent, Slabs } from './routed-event.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';
import type { Traces } from './traces.ts';
import type { Window } from './window.ts';

/** A batch on its way to the router. */
export class RoutedBatch implements RoutableBatch {
  readonly entries: readonly Entry[];
  /** Entries before the first of these were trimmed unread. */
  readonly trimmed: boolean;

  constructor(entries: readonly Entry[], trimmed: boolean) {
    this.entries = entries;
    this.trimmed = trimmed;
  }

  get count(): number {
    return this.entries.length;
  }

  get firstId(): StreamId | undefined {
    return this.entries[0]?.id;
  }

  get lastId(): StreamId | undefined {
    return this.entries.at(-1)?.id;
  }

  toJSON() {
    return { count: this.count, firstId: this.firstId, lastId: this.lastId };
  }
}

export interface FanOutDeps {
  readonly window: Window;
  readonly subscriptions: Subscriptions;
  readonly codec: EventCodec;
  readonly onGap: SocketProtocol['onGap'];
  /** Of all forms that events leave in. */
  readonly formats: readonly Frames[];
  readonly metrics: Metrics;
  /** Undefined: nobody follows events. */
  readonly traces?: Traces | undefined;
  readonly now: () => number;
  readonly onMalformed: (malformed: Malformed, id: StreamId) => void;
  /** Where it is noted what is routed; undefined: nowhere. */
  readonly record: FeedRecord | undefined;
  /** An entry could not be routed although its codec took it: a bug, and that entry's alone. */
  readonly onError: (error: unknown, id: StreamId) => void;
}

/** The fast lane: from a batch to the sockets' write sides, without a message, a closure or an encoding each. */
export class FanOut {
  readonly #deps: FanOutDeps;
  #position: StreamId;
  #lagMs = 0;
  /** Of the log; empty: it would not say. Its feed keeps it. */
  epoch = '';
  readonly #slabs = new Slabs();
  #dirty: Delivery[] = [];
  /** Of this batch's events: what is to be called when it has been written. */
  #followed: (() => void)[] = [];
  #waiting: { readonly id: StreamId; readonly resolve: () => void }[] = [];

  constructor(deps: FanOutDeps, position: StreamId) {
    this.#deps = deps;
    this.#position = position;
  }

  /** The id of the last event that was routed (P). */
  get position(): StreamId {
    return this.#position;
  }

  /** How old the last event was when it was routed. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Routes a batch from start to end. Never throws: an error is its own entry's, or its own socket's. */
  route(batch: RoutedBatch): void {
    if (batch.trimmed && batch.firstId !== undefined) this.skipTo(previousId(batch.firstId));
    const arrival = { atMs: this.#deps.now() };
    const { record } = this.#deps;
    record?.routing(this.#position);
    let firstId: StreamId | undefined;
    let routed = 0;
    for (const entry of batch.entries) {
      if (compareIds(entry.id, this.#position) <= 0) continue;
      firstId ??= entry.id;
      this.#skipUnseen(entry);
      try {
        if (this.#routeEntry(entry, arrival)) routed += 1;
      } catch (error) {
        this.#deps.onError(error, entry.id);
      }
      this.#position = entry.id;
    }
    this.#lagMs = Math.max(0, arrival.atMs - msOf(this.#position));
    this.#deps.metrics.count('signalbox.events_routed', routed);
    this.#deps.metrics.record('signalbox.batch_events', batch.count);
    this.#flush();
    record?.routed(arrival.atMs, routed, firstId, this.#position);
    if (this.#followed.length > 0) for (const end of this.#followed.splice(0)) end();
    for (const frames of this.#deps.formats) frames.forgetLive();
    this.#tellWaiting();
  }

  /** Resolves once everything up to `id` has been routed, or no longer will be because the log lost its data. */
  routed(id: StreamId): Promise<void> {
    if (compareIds(id, this.#position) <= 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ id, resolve }));
  }

  /** Drops from the window what has grown too old while nothing came. */
  expire(): void {
    this.#deps.window.evict(this.#deps.now());
  }

  /** Takes what the log held at start, oldest first, into the window only. */
  fill(
    entries: readonly Entry[],
    floor: StreamId,
    position: StreamId,
    ageOf: (id: StreamId) => number,
  ): void {
    this.#deps.window.clear(floor);
    const nowMs = this.#deps.now();
    let arrival = { atMs: nowMs };
    for (const entry of entries) {
      const atMs = nowMs - ageOf(entry.id);
      if (atMs !== arrival.atMs) arrival = { atMs };
      const event = this.#eventOf(entry, arrival);
      if (event !== undefined) this.#deps.window.add(event);
    }
    this.#position = laterId(position, floor);
    this.#deps.record?.filled(floor, this.#position);
  }

  /**
   * The log lost its data: everybody is at `position` now, and is told. Who cannot be told goes on from where he is:
   * his channel's stream may have come back, or across, with what he lacks.
   */
  reset(position: StreamId, reason: 'epoch' | 'lossy'): void {
    this.#deps.window.clear(position);
    const before = this.#position;
    this.#position = position;
    this.#deps.record?.reset(before, position, reason);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    const since = reason === 'epoch' ? { epoch: this.epoch } : undefined;
    this.#rewind(this.#deps.subscriptions.all(), (subscription) => {
      const after = subscription.live ? laterId(subscription.cursor, before) : subscription.cursor;
      const isStillDue = this.#deps.onGap === 'goOn' && compareIds(after, position) < 0;
      if (isStillDue) subscription.delivery.rewind(subscription, after);
      else subscription.delivery.rewind(subscription, position, { after, to: position, reason, ...since });
    });
  }

  /** Of this channel events were lost that came, or may have come, since the last one: those who hear it are told. */
  lose(channel: string): void {
    const to = this.#position;
    const subscriptions = this.#deps.subscriptions.of(channel) ?? [];
    this.#rewind(subscriptions, (subscription) => {
      const after = subscription.live ? laterId(subscription.cursor, to) : subscription.cursor;
      subscription.delivery.rewind(subscription, to, { after, to, reason: 'lossy' });
    });
  }

  /** Entries up to `id` were trimmed from the firehose; the channels' own streams may still have them. */
  skipTo(id: StreamId): void {
    // There is nothing in between, or it has been routed.
    if (compareIds(id, this.#position) <= 0) return;
    const before = this.#position;
    this.#deps.window.clear(id);
    this.#position = id;
    this.#deps.record?.skipped(before, id);
    this.#tellWaiting();
    this.#rewind(this.#deps.subscriptions.all(), (subscription) => {
      if (!subscription.live) return;
      subscription.delivery.rewind(subscription, laterId(subscription.cursor, before));
    });
  }

  /**
   * An entry that comes after one that never came, although everything up to the position did: the firehose has a
   * hole. Whoever is live reads his channel's own stream, where it says the same of what is really gone.
   */
  #skipUnseen(entry: Entry): void {
    const previous = this.#deps.codec.previousOf?.(entry);
    if (previous === undefined || compareIds(previous, this.#position) <= 0) return;
    // What names a successor as its predecessor is no witness.
    if (compareIds(previous, entry.id) < 0) this.skipTo(previous);
  }

  /** For a delivery that was given its first frame of this batch. */
  flushLater(delivery: Delivery): void {
    this.#dirty.push(delivery);
  }

  /** Changes all of these subscriptions first, and lets the sockets pump only then. */
  #rewind(subscriptions: Iterable<Subscription>, change: (subscription: Subscription) => void): void {
    const deliveries = new Set<Delivery>();
    for (const subscription of subscriptions) {
      change(subscription);
      deliveries.add(subscription.delivery);
    }
    for (const delivery of deliveries) delivery.fallBehind();
  }

  /** False when the entry is no event. */
  #routeEntry(entry: Entry, arrival: Arrival): boolean {
    const event = this.#eventOf(entry, arrival);
    if (event === undefined) return false;
    this.#deps.window.add(event);
    if (this.#deps.traces !== undefined) this.#follow(this.#deps.traces, entry, event);
    if (typeof event.channels === 'string') this.#toChannel(event, event.channels, false);
    else for (const channel of event.channels) this.#toChannel(event, channel, true);
    return true;
  }

  /** Looks at the entry only where somebody hears it. */
  #follow(traces: Traces, entry: Entry, { id, channels: channel }: RoutedEvent): void {
    if (typeof channel !== 'string') return;
    const subscriptions = this.#deps.subscriptions.of(channel)?.size;
    if (subscriptions === undefined) return;
    const traceparent = this.#deps.codec.traceparentOf?.(entry);
    if (traceparent === undefined) return;
    const end = traces.delivering({ id, channel, subscriptions, traceparent });
    if (end !== undefined) this.#followed.push(end);
  }

  #eventOf(entry: Entry, arrival: Arrival): RoutedEvent | undefined {
    const { codec } = this.#deps;
    const payload = codec.payloadOf(entry);
    const channels = codec.channelsOf(payload);
    if (isMalformed(channels)) {
      this.#deps.onMalformed(channels, entry.id);
      return undefined;
    }
    const names = typeof channels === 'string' ? this.#deps.window.nameOf(channels) : channels;
    return this.#slabs.keep(entry.id, names, payload, arrival);
  }

  #toChannel(event: RoutedEvent, channel: string, isShared: boolean): void {
    const subscriptions = this.#deps.subscriptions.of(channel);
    if (subscriptions === undefined) return;
    for (const subscription of subscriptions) {
      if (!subscription.live || compareIds(event.id, subscription.cursor) <= 0) continue;
      if (isShared && subscription.lastShared === event.id) continue;
      if (subscription.terms?.unwanted?.delete(event.id)) continue;
      const { delivery } = subscription;
      const frame = delivery.frames.ofLive(event, delivery.isCompressed);
      if (isMalformed(frame)) return;
      if (delivery.offer(frame) !== 'ok') continue;
      if (isShared) subscription.lastShared = event.id;
      if (delivery.isWatched) delivery.record?.delivered(channel, event.id);
    }
  }

  #tellWaiting(): void {
    if (this.#waiting.length === 0) return;
    const isRouted = ({ id }: { readonly id: StreamId }) => compareIds(id, this.#position) <= 0;
    const routed = this.#waiting.filter(isRouted);
    this.#waiting = this.#waiting.filter((waiting) => !isRouted(waiting));
    for (const { resolve } of routed) resolve();
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const delivery of dirty) delivery.flush();
  }
}
