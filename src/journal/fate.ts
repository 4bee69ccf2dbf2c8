import { compareIds, type StreamId } from '../event/stream-id.ts';
import type { Span } from '../inspect/api.ts';
import { isOtherLife } from './spans.ts';

export type SpanOf<Kind extends Span['kind']> = Extract<Span, { readonly kind: Kind }>;

/** What became of an event at one subscription, by what its spans say. */
export type Fate =
  /** Live, when it was routed. */
  | { readonly kind: 'live' }
  | { readonly kind: 'replayed'; readonly span: SpanOf<'replayed'> }
  | { readonly kind: 'unechoed'; readonly span: SpanOf<'unechoed'> }
  /** It was queued, and the transport broke. */
  | { readonly kind: 'failed'; readonly span: SpanOf<'paused'> }
  | { readonly kind: 'gap'; readonly span: SpanOf<'gap'> }
  /** What was read of the log for it no longer had it. */
  | { readonly kind: 'lost'; readonly span: SpanOf<'replayed'> }
  /** It is to be sent; `pause`: why it was not at once. */
  | { readonly kind: 'due'; readonly pause: SpanOf<'paused'> | undefined }
  /** The subscription ended, while it waited for `pause` to be over where there is one, or was replayed. */
  | {
      readonly kind: 'left';
      readonly span: SpanOf<'left'>;
      readonly wasBehind: boolean;
      readonly pause: SpanOf<'paused'> | undefined;
    }
  /** It was before the subscription's beginning, or before a snapshot that says the same. */
  | {
      readonly kind: 'before';
      readonly joined: SpanOf<'joined'> | undefined;
      readonly snapshot: SpanOf<'snapshot'> | undefined;
    }
  /** The spans no longer go back that far. */
  | { readonly kind: 'forgotten' };

/** An event by its ids. */
export interface EventIds {
  /** By which positions are counted. */
  readonly id: StreamId;
  /** In its channel's own stream, where that is another one and is known. */
  readonly channelId?: StreamId | undefined;
}

interface Recorded {
  /** Oldest first. */
  readonly spans: readonly Span[];
  readonly forgottenTo: StreamId | undefined;
}

/**
 * Follows the spans of a subscription, which say of every id after its beginning what was done with it. Each part of a
 * replay and each stretch of being live is a range of ids: what is in one was sent.
 */
export function fateOf({ spans, forgottenTo }: Recorded, { id, channelId }: EventIds): Fate {
  let isLive = false;
  /** While live: after it what is routed goes out. Else: up to it everything has been dealt with. */
  let cursor: StreamId | undefined;
  let sent: Fate | undefined;
  let gap: Fate | undefined;
  let lost: Fate | undefined;
  let hasChannelParts = false;
  let joined: SpanOf<'joined'> | undefined;
  let snapshot: SpanOf<'snapshot'> | undefined;
  let pause: SpanOf<'paused'> | undefined;
  let left: SpanOf<'left'> | undefined;
  let wasBehind = false;

  for (const span of spans) {
    switch (span.kind) {
      case 'joined':
        joined = span;
        isLive = span.isLive === true;
        cursor = span.cursor;
        break;
      // From here on nothing holds it back.
      case 'live':
        if (!isLive) cursor = span.cursor;
        isLive = true;
        pause = undefined;
        break;
      case 'paused':
        endLive(span.cursor);
        if (span.reason === 'failed') {
          if (sent !== undefined && isAfter(span.cursor)) sent = { kind: 'failed', span };
          cursor = span.cursor;
        }
        pause ??= span;
        break;
      case 'replayed':
        if (span.isOfChannel === true) {
          hasChannelParts = true;
          if (channelId !== undefined && isWithin(channelId, span.after, span.cursor)) {
            sent ??= { kind: 'replayed', span };
          }
          break;
        }
        if (isWithin(id, span.after, span.cursor)) {
          if (isRead(span)) sent ??= { kind: 'replayed', span };
          else lost ??= { kind: 'lost', span };
        }
        cursor = span.cursor;
        break;
      case 'snapshot':
        snapshot = span;
        cursor = span.cursor;
        break;
      case 'gap':
        // What came before was an event of another life, whatever its id.
        if (isOtherLife(span)) sent = gap = lost = undefined;
        else if (isWithin(id, span.after, span.to)) gap ??= { kind: 'gap', span };
        cursor = span.to;
        break;
      case 'unechoed':
        if (span.id === id) return { kind: 'unechoed', span };
        break;
      case 'left':
        left = span;
        wasBehind = !isLive;
        endLive(span.cursor);
    }
  }
  if (sent !== undefined) return sent;
  if (gap !== undefined) return gap;
  if (lost !== undefined) return lost;
  if (forgottenTo !== undefined && compareIds(id, forgottenTo) <= 0) return { kind: 'forgotten' };
  if (cursor === undefined || !isAfter(cursor)) return { kind: 'before', joined, snapshot: snapshotOver() };
  if (left !== undefined) return { kind: 'left', span: left, wasBehind, pause };
  return isLive ? { kind: 'live' } : { kind: 'due', pause };

  function isAfter(position: StreamId): boolean {
    return compareIds(id, position) > 0;
  }

  /** Whether what was sent of a range that it is in can be it. */
  function isRead({ read }: SpanOf<'replayed'>): boolean {
    // By its other id it is in no part that was sent.
    if (hasChannelParts && channelId !== undefined) return false;
    if (read === undefined) return true;
    return read !== 'nothing' && compareIds(id, read.first) >= 0 && !isAfter(read.last);
  }

  function endLive(end: StreamId): void {
    if (!isLive) return;
    isLive = false;
    if (cursor !== undefined && isWithin(id, cursor, end)) sent ??= { kind: 'live' };
    cursor = end;
  }

  function snapshotOver(): SpanOf<'snapshot'> | undefined {
    return snapshot !== undefined && !isAfter(snapshot.cursor) ? snapshot : undefined;
  }
}

const isWithin = (id: StreamId, after: StreamId, end: StreamId): boolean =>
  compareIds(id, after) > 0 && compareIds(id, end) <= 0;
