import { describe, expect, test } from '@jest/globals';
import type { EventLog } from '../../src/broker/ports.ts';
import type { Entry } from '../../src/event/entry.ts';
import { compareIds, type StreamId, streamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { findEvent } from '../../src/journal/event-search.ts';
import { FeedJournal } from '../../src/journal/feed-journal.ts';
import { supersetStreams } from '../../src/protocol/superset/streams.ts';
import { Window } from '../../src/routing/window.ts';
import { entryOf } from '../support/events.ts';

const LIMITS = { maxEvents: 100, maxBytes: 1_000_000, maxAgeMs: 1_000_000 };

/** Superset's streams: the firehose, and a channel's own under other ids. */
function streams(
  full: readonly Entry[],
  own: readonly Entry[],
): Pick<EventLog, 'ids' | 'range' | 'openFirehose'> {
  return {
    ids: 'separate',
    range: async (channel, after, end, count) => ({
      entries: (channel === 'c' ? own : [])
        .filter(({ id }) => compareIds(id, after) > 0 && (end === undefined || compareIds(id, end) <= 0))
        .slice(0, count),
      trimmed: false,
    }),
    openFirehose: async () => ({
      head: async () => ({ epoch: '', lastId: full.at(-1)?.id ?? ZERO_ID, nowMs: 0 }),
      read: async () => ({ entries: [], trimmed: false, isFull: false }),
      readBack: async ({ before, count }) =>
        full
          .filter(({ id }) => before === undefined || compareIds(id, before) < 0)
          .toReversed()
          .slice(0, count),
      close() {},
    }),
  };
}

function feedOf(log: ReturnType<typeof streams>): FeedJournal {
  const feed = new FeedJournal('superset', () => 0);
  const position = (): StreamId => streamId(9_000, 0);
  feed.attach({ position, window: new Window(LIMITS, ZERO_ID), codec: supersetStreams, log, slackMs: 5_000 });
  return feed;
}

describe("an event of Superset's streams", () => {
  const [first, second] = [streamId(1_000, 0), streamId(2_000, 0)];
  const [firstOwn, secondOwn] = [streamId(999, 4), streamId(1_998, 2)];
  const full = [entryOf(first, 'c', 1), entryOf(streamId(1_500, 0), 'another', 5), entryOf(second, 'c', 2)];
  const own = [entryOf(firstOwn, 'c', 1), entryOf(secondOwn, 'c', 2)];

  test.each([
    ['its id in the firehose', second],
    ["its id in its channel's stream", secondOwn],
  ])('is found by %s, with the other one', async (_, id) => {
    const { found } = await findEvent([feedOf(streams(full, own))], id, undefined);
    expect(found).toMatchObject([{ id: second, channelId: secondOwn, channels: ['c'] }]);
  });

  test('is found by an id that another channel has in the firehose, where the channel is said', async () => {
    const both = [entryOf(firstOwn, 'another', 7), ...full];
    const feed = feedOf(streams(both, own));
    expect((await findEvent([feed], firstOwn, 'c')).found).toMatchObject([
      { id: first, channelId: firstOwn },
    ]);
    expect((await findEvent([feed], firstOwn, undefined)).found).toMatchObject([{ channels: ['another'] }]);
  });

  test('is not found by an id that nothing has', async () => {
    const { found, unasked } = await findEvent([feedOf(streams(full, own))], streamId(1_200, 0), undefined);
    expect([found, unasked]).toEqual([[], []]);
  });

  test('is not known to be nowhere while the broker is away', async () => {
    const away = { ...streams(full, own), openFirehose: () => Promise.reject(new Error('away')) };
    const feed = feedOf(away);
    expect(await findEvent([feed], second, undefined)).toEqual({ found: [], unasked: [feed] });
  });
});
