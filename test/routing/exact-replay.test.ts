import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Entry } from '../../src/event/entry.ts';
import { compareIds, type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import type { Delivery } from '../../src/routing/delivery.ts';
import { createExactReplay, PAGE_ENTRIES } from '../../src/routing/exact-replay.ts';
import type { Gap } from '../../src/routing/protocol.ts';
import { Pages } from '../../src/routing/pages.ts';
import type { Subscription } from '../../src/routing/subscriptions.ts';
import { entryOf, idsOf } from '../support/events.ts';

const range = (from: number, to: number): StreamId[] =>
  idsOf(...Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at));
const idOf = (ms: number): StreamId => idsOf(ms)[0] as StreamId;

interface Log {
  readonly held: readonly Entry[];
  readonly trimmedUpTo: StreamId;
  readonly position: StreamId;
}

function create({ held, trimmedUpTo, position }: Log, cursor: StreamId) {
  const pages = new Pages({
    log: {
      async range(_, after, end, count) {
        const within = held.filter(
          ({ id }) => compareIds(id, after) > 0 && (end === undefined || compareIds(id, end) <= 0),
        );
        return { entries: within.slice(0, count), trimmed: compareIds(trimmedUpTo, after) > 0 };
      },
    },
    maxReads: 1,
    onRequested() {},
    onSettled() {},
  });
  const replay = createExactReplay(pages, () => position);
  const subscription: Subscription = {
    channels: ['c'],
    delivery: {} as Delivery,
    cursor,
    live: false,
    fetching: false,
    claim: undefined,
    replay: undefined,
    gap: undefined,
    generation: 0,
    lastShared: undefined,
    terms: undefined,
    record: undefined,
  };
  replay.begin(subscription);
  return { replay, subscription };
}

/** Reads part after part until the cursor is at the position, as a delivery does; `most` of each part are sent. */
async function readAll(log: Log, cursor: StreamId, most = Number.POSITIVE_INFINITY) {
  const { replay, subscription } = create(log, cursor);
  const sent: StreamId[] = [];
  const gaps: Gap[] = [];
  while (compareIds(subscription.cursor, log.position) < 0) {
    const part = (await replay.read(subscription))();
    if (part.gap !== undefined) {
      gaps.push(part.gap);
      subscription.cursor = part.gap.to;
    }
    for (const entry of part.entries.slice(0, most)) {
      sent.push(entry.id);
      part.sent(entry);
    }
    if (part.entries.length <= most) part.done();
  }
  return { sent, gaps, cursor: subscription.cursor };
}

describe('an exact replay', () => {
  test('sends every entry after the cursor up to the position, page by page', async () => {
    const count = 2 * PAGE_ENTRIES + 50;
    const held = range(1, count + 20).map((id) => entryOf(id));
    const { sent, gaps } = await readAll({ held, trimmedUpTo: ZERO_ID, position: idOf(count) }, idOf(3));
    expect([sent, gaps]).toEqual([range(4, count), []]);
  });

  test('is at the position after an empty page', async () => {
    const { sent, cursor } = await readAll({ held: [], trimmedUpTo: ZERO_ID, position: idOf(9) }, idOf(3));
    expect([sent, cursor]).toEqual([[], idOf(9)]);
  });

  test('is where it was interrupted, and goes on from there', async () => {
    const held = range(1, 30).map((id) => entryOf(id));
    const { sent } = await readAll({ held, trimmedUpTo: ZERO_ID, position: idOf(30) }, ZERO_ID, 7);
    expect(sent).toEqual(range(1, 30));
  });

  test('says first what was trimmed: up to the first entry that is left', async () => {
    const held = range(8, 9).map((id) => entryOf(id));
    const { sent, gaps } = await readAll({ held, trimmedUpTo: idOf(5), position: idOf(9) }, idOf(2));
    expect(gaps).toEqual([{ after: idOf(2), to: '7-18446744073709551615', reason: 'trimmed' }]);
    expect(sent).toEqual(range(8, 9));
  });

  test('says that everything up to the position was trimmed when nothing is left', async () => {
    const { gaps } = await readAll({ held: [], trimmedUpTo: idOf(5), position: idOf(9) }, idOf(2));
    expect(gaps).toEqual([{ after: idOf(2), to: idOf(9), reason: 'trimmed' }]);
  });

  test('sends, or says to be lost, everything after any cursor, wherever it is interrupted', async () => {
    const ms = fc.nat({ max: 30 });
    await fc.assert(
      fc.asyncProperty(ms, ms, ms, ms, fc.integer({ min: 1, max: 9 }), async (last, cut, at, from, most) => {
        const trimmedUpTo = idOf(Math.min(cut, last));
        const held = range(1, last)
          .filter((id) => compareIds(id, trimmedUpTo) > 0)
          .map((id) => entryOf(id));
        const position = idOf(Math.min(at, last));
        const cursor = idOf(Math.min(from, at, last));
        const { sent, gaps } = await readAll({ held, trimmedUpTo, position }, cursor, most);
        const due = range(1, last).filter(
          (id) => compareIds(id, cursor) > 0 && compareIds(id, position) <= 0,
        );
        const isLost = (id: StreamId): boolean =>
          gaps.some(({ after, to }) => compareIds(id, after) > 0 && compareIds(id, to) <= 0);
        expect(due.filter((id) => !isLost(id))).toEqual(sent);
      }),
    );
  });

  test('rejects when the log is away', async () => {
    const pages = new Pages({
      log: { range: async () => Promise.reject(new Error('away')) },
      maxReads: 1,
      onRequested() {},
      onSettled() {},
    });
    const { subscription } = create({ held: [], trimmedUpTo: ZERO_ID, position: idOf(9) }, ZERO_ID);
    await expect(createExactReplay(pages, () => idOf(9)).read(subscription)).rejects.toThrow('away');
  });
});
