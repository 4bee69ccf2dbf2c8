import type { EventLog, Firehose } from '../broker/ports.ts';
import { type Entry, payloadOf } from '../event/entry.ts';
import { compareIds, msOf, nextId, previousId, type StreamId, streamId } from '../event/stream-id.ts';
import { type EventCodec, isMalformed } from '../protocol/event-codec.ts';
import { keptPayload, type RoutedEvent } from '../routing/routed-event.ts';
import type { FeedJournal, FeedSource } from './feed-journal.ts';

/** An event of one feed, as it is explained. */
export interface FoundEvent {
  readonly feed: FeedJournal;
  /** By which the feed's positions are counted. */
  readonly id: StreamId;
  /** In its channel's own stream, where that is another one and is known. */
  readonly channelId?: StreamId | undefined;
  readonly channels: readonly string[];
  /** When it was routed here; undefined: it was not, or that is no longer known. */
  readonly routedAtMs?: number | undefined;
  /** Why it is no event after all. */
  readonly malformed?: string | undefined;
}

export interface Search {
  readonly found: readonly FoundEvent[];
  /** Feeds whose log could not be asked. */
  readonly unasked: readonly FeedJournal[];
}

const TIMEOUT_MS = 3_000;
/** How much of a stream is looked through for the other id of an event. */
const MOST_ENTRIES = 1_000;

/** Looks for an event of this id in every feed: in the window, and then in the log. */
export async function findEvent(
  feeds: Iterable<FeedJournal>,
  id: StreamId,
  channel: string | undefined,
): Promise<Search> {
  const unasked: FeedJournal[] = [];
  const found = await Promise.all(
    [...feeds].map(async (feed) => {
      const { source } = feed;
      if (source === undefined) return undefined;
      try {
        const event = await findIn(feed, source, id, channel);
        if (event === undefined) return undefined;
        return channel === undefined || event.malformed !== undefined || event.channels.includes(channel)
          ? event
          : undefined;
      } catch {
        unasked.push(feed);
        return undefined;
      }
    }),
  );
  return { found: found.filter((event) => event !== undefined), unasked };
}

async function findIn(
  feed: FeedJournal,
  source: FeedSource,
  id: StreamId,
  channel: string | undefined,
): Promise<FoundEvent | undefined> {
  const { window, log } = source;
  const kept = window.find(id);
  if (kept !== undefined) return withChannelId(source, ofWindow(feed, source.codec, kept), keptPayload(kept));
  const malformed = feed.malformedOf(id);
  if (malformed !== undefined) {
    const { reason, atMs } = malformed;
    return {
      feed,
      id,
      channels: channel === undefined ? [] : [channel],
      malformed: reason,
      routedAtMs: atMs,
    };
  }
  if (log === undefined) return undefined;
  if (log.ids === 'shared' && channel !== undefined) {
    const entry = await entryAt(log, channel, id);
    return entry && ofEntry(feed, source.codec, entry);
  }
  const found = await withFirehose(log, async (firehose) => {
    const [entry] = await firehose.readBack({ before: nextId(id), count: 1 });
    if (entry?.id === id) {
      const event = ofEntry(feed, source.codec, entry);
      const isOfChannel = channel === undefined || event.channels.includes(channel);
      if (isOfChannel || log.ids === 'shared') return withChannelId(source, event, payloadOf(entry));
    }
    return log.ids === 'separate' ? byChannelId(feed, source, firehose, { id, channel }) : undefined;
  });
  return found;
}

function ofWindow(feed: FeedJournal, codec: EventCodec, event: RoutedEvent): FoundEvent {
  const encoded = codec.encode(event.id, event.channels, keptPayload(event), 0);
  return {
    feed,
    id: event.id,
    channels: [event.channels].flat(),
    routedAtMs: event.arrival.atMs,
    ...(isMalformed(encoded) && { malformed: encoded.malformed }),
  };
}

function ofEntry(feed: FeedJournal, codec: EventCodec, entry: Entry): FoundEvent {
  const payload = codec.payloadOf(entry);
  const channels = codec.channelsOf(payload);
  const { id } = entry;
  if (isMalformed(channels)) return { feed, id, channels: [], malformed: channels.malformed };
  const encoded = codec.encode(id, channels, payload, 0);
  return {
    feed,
    id,
    channels: [channels].flat(),
    ...(isMalformed(encoded) && { malformed: encoded.malformed }),
  };
}

async function entryAt(
  log: Pick<EventLog, 'range'>,
  channel: string,
  id: StreamId,
): Promise<Entry | undefined> {
  const { entries } = await log.range(channel, previousId(id), id, 1);
  return entries[0]?.id === id ? entries[0] : undefined;
}

/** Of two ids the one in the channel's stream: the last entry of the same payload that was not added later. */
async function withChannelId(source: FeedSource, event: FoundEvent, payload: Buffer): Promise<FoundEvent> {
  const { log, slackMs } = source;
  const [channel] = event.channels;
  if (log?.ids !== 'separate' || channel === undefined) return event;
  const ms = msOf(event.id);
  const after = previousId(streamId(Math.max(0, ms - slackMs), 0));
  const end = streamId(ms, Number.MAX_SAFE_INTEGER);
  // What is in the window is explained also while the broker is away.
  const page = await log.range(channel, after, end, MOST_ENTRIES).catch(() => undefined);
  const channelId = page?.entries.findLast((entry) => payloadOf(entry).equals(payload))?.id;
  return { ...event, channelId };
}

/** The id may be that of the channel's stream: the firehose has the event a little later, or in the same millisecond. */
async function byChannelId(
  feed: FeedJournal,
  source: FeedSource,
  firehose: Firehose,
  { id, channel }: { readonly id: StreamId; readonly channel: string | undefined },
): Promise<FoundEvent | undefined> {
  const { log, slackMs, codec } = source;
  if (log === undefined) return undefined;
  const before = streamId(msOf(id) + slackMs + 1, 0);
  const newestFirst = await firehose.readBack({ before, count: MOST_ENTRIES });
  const near = newestFirst.filter((entry) => msOf(entry.id) >= msOf(id)).reverse();
  const channels =
    channel === undefined
      ? new Set(near.flatMap((entry) => ofEntry(feed, codec, entry).channels))
      : new Set([channel]);
  for (const name of channels) {
    const own = await entryAt(log, name, id);
    if (own === undefined) continue;
    const other = near.find(
      (entry) => payloadOf(entry).equals(payloadOf(own)) && compareIds(entry.id, previousId(id)) > 0,
    );
    const byFirehose = other ?? near.find((entry) => payloadOf(entry).equals(payloadOf(own)));
    if (byFirehose !== undefined) return { ...ofEntry(feed, codec, byFirehose), channelId: id };
  }
  return undefined;
}

async function withFirehose<Found>(
  log: Pick<EventLog, 'openFirehose'>,
  find: (firehose: Firehose) => Promise<Found>,
): Promise<Found> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const firehose = await log.openFirehose(signal);
  try {
    return await find(firehose);
  } finally {
    firehose.close();
  }
}
