import type { PauseReason } from '../inspect/api.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { Gap, GapReason } from './protocol.ts';

/**
 * What the routing notes of a subscription, for those who ask later: where its spans begin and end, and nothing for
 * each event. Whoever implements it never throws, and keeps no payload.
 */
export interface SubscriptionRecord {
  /** What is routed after `cursor` goes straight out. */
  live(cursor: StreamId): void;
  /** Everything up to `cursor` was sent, or is not to be; what comes later waits. */
  paused(cursor: StreamId, reason: PauseReason): void;
  /** What there is in `(after, cursor]` was queued, and is `settled` when it has been written. */
  replayed(after: StreamId, cursor: StreamId): void;
  /** The same, read from the log, which held no more than from the `first` to the `last` entry; undefined: nothing. */
  read(
    after: StreamId,
    cursor: StreamId,
    sent: { readonly first: StreamId; readonly last: StreamId } | undefined,
  ): void;
  /** The same, by the ids of the channel's own stream. */
  replayedOfChannel(after: StreamId, cursor: StreamId): void;
  settled(): void;
  gap(gap: Gap): void;
  snapshot(cursor: StreamId): void;
  /** This event is not for it. */
  unechoed(id: StreamId): void;
  /** What was queued in this turn never left. */
  failed(): void;
  left(cursor: StreamId, reason: string): void;
}

/** Where a subscription begins. */
export interface Beginning {
  readonly cursor: StreamId;
  /** Its client gave it. */
  readonly isClaimed: boolean;
  readonly isLive: boolean;
}

/** What may be told of each event, for as long as somebody watches. */
export interface Watched {
  isWatched: boolean;
}

/** What the routing notes of a socket. */
export interface SocketRecord {
  /** Its delivery; `delivered` is called only while that is watched. */
  attach(delivery: Watched): void;
  join(channels: readonly string[], beginning: Beginning): SubscriptionRecord;
  /** A live event was queued for it. */
  delivered(channel: string, id: StreamId): void;
  /** An event was queued for it again. */
  replayed(channel: string, id: StreamId): void;
  /** What was queued until now has been written. */
  flushed(): void;
  /** A subscription was refused: by which rule, and with which code. */
  denied(channel: string, by: string, code: string): void;
}

/** What the routing notes of a feed's router. */
export interface FeedRecord {
  /** A batch begins to be routed, after `position`. */
  routing(position: StreamId): void;
  /** It has been; undefined ids: there was nothing new in it. */
  routed(atMs: number, count: number, firstId: StreamId | undefined, lastId: StreamId): void;
  /** An entry is no event. */
  malformed(id: StreamId, reason: string): void;
  /** What was there at start is in the window, from `floor` to `position`. */
  filled(floor: StreamId, position: StreamId): void;
  /** The log lost its data: from `before` the position moved to `position`. */
  reset(before: StreamId, position: StreamId, reason: GapReason): void;
  /** What was between the two positions was trimmed from the firehose unread. */
  skipped(before: StreamId, position: StreamId): void;
}
