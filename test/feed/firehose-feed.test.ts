import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createMemoryBroker, type MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { Firehose, LogHead } from '../../src/broker/ports.ts';
import type { Entry } from '../../src/event/entry.ts';
import { compareIds, previousId, type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { FirehoseFeed, type FirehoseFeedDeps } from '../../src/feed/firehose-feed.ts';
import type { WindowLimits } from '../../src/routing/window.ts';
import { entryOf, idsOf, payloadFor } from '../support/events.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';
import { createLane, type Lane } from '../support/lane.ts';

const UNBOUNDED: WindowLimits = { maxEvents: 10_000, maxBytes: 10_000_000, maxAgeMs: 86_400_000 };

interface Fed {
  readonly clock: HeapClock;
  readonly lane: Lane;
  readonly feed: FirehoseFeed;
  /** The ids of each batch that was handed to the router. */
  readonly batches: StreamId[][];
  readonly epochChanges: [LogHead, StreamId][];
  /** Connects and catches up. */
  start(): Promise<void>;
  /** Follows until `stop`; resolves with why it ended. */
  follow(): { readonly ended: Promise<unknown>; stop(): void };
}

interface FedOptions extends Partial<Pick<FirehoseFeedDeps, 'readCount' | 'pauseMs'>> {
  readonly window?: Partial<WindowLimits>;
}

function feedOn(log: FirehoseFeedDeps['log'], clock: HeapClock, options: FedOptions = {}): Fed {
  const window = { ...UNBOUNDED, ...options.window };
  const lane = createLane({ now: clock.now, limits: { window } });
  const batches: StreamId[][] = [];
  const epochChanges: [LogHead, StreamId][] = [];
  const feed = new FirehoseFeed({
    log,
    clock,
    window,
    fanOut: lane.fanOut,
    emit(batch) {
      batches.push(batch.entries.map(({ id }) => id));
      lane.fanOut.route(batch);
    },
    readCount: options.readCount ?? 100,
    blockMs: 5_000,
    pauseMs: options.pauseMs ?? 0,
    onEpochChanged: (head, position) => void epochChanges.push([head, position]),
  });
  return {
    clock,
    lane,
    feed,
    batches,
    epochChanges,
    async start() {
      const { signal } = new AbortController();
      await feed.connect(signal);
      await feed.catchUp(signal);
    },
    follow() {
      const controller = new AbortController();
      const ended = feed.follow(controller.signal).catch((reason: unknown) => reason);
      return { ended, stop: () => controller.abort() };
    },
  };
}

/** A feed on the embedded broker. */
function fed(options?: FedOptions) {
  const clock = new HeapClock();
  const history = { maxLength: 10_000, maxAgeSeconds: 0, firehoseMaxLength: 10_000 };
  const broker = createMemoryBroker({ clock, history });
  return { broker, ...feedOn(broker.log, clock, options) };
}

async function publish(broker: MemoryBroker, count = 1, channel = 'c'): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  for (let at = 0; at < count; at += 1) ids.push(await broker.log.append(channel, payloadFor(channel)));
  return ids;
}

/** A log that says exactly what the test wants: its connections cannot block. */
class ListLog implements Firehose {
  entries: Entry[] = [];
  lastId: StreamId = ZERO_ID;
  epoch = '';
  readonly reads: StreamId[] = [];

  openFirehose = async (): Promise<Firehose> => this;

  add(...ids: StreamId[]): void {
    this.entries.push(...ids.map((id) => entryOf(id)));
    this.lastId = ids.at(-1) ?? this.lastId;
  }

  head = async (): Promise<LogHead> => ({ epoch: this.epoch, lastId: this.lastId, nowMs: 0 });

  async read(after: StreamId, { count, blockMs }: { count: number; blockMs: number }) {
    this.reads.push(after);
    const entries = this.entries.filter(({ id }) => compareIds(id, after) > 0).slice(0, count);
    if (entries.length === 0 && blockMs > 0) await settled();
    return { entries, trimmed: false, isFull: entries.length === count };
  }

  async readBack({ before, count }: { before?: StreamId; count: number }) {
    const older = this.entries.filter(({ id }) => before === undefined || compareIds(id, before) < 0);
    return older.toReversed().slice(0, count);
  }

  close(): void {}
}

function list(options?: FedOptions) {
  const log = new ListLog();
  return { log, ...feedOn(log, new HeapClock(0), options) };
}

describe('a firehose feed', () => {
  describe('at its start', () => {
    test('is at the end of the log, with what it held in the window and routed to nobody', async () => {
      const { broker, lane, batches, start } = fed();
      const ids = await publish(broker, 3);
      await start();
      expect([lane.fanOut.position, lane.window.length, batches]).toEqual([ids[2], 3, []]);
    });

    test('misses nothing that is published between its first look and its first read', async () => {
      const { broker, feed, lane, batches } = fed();
      await publish(broker);
      const { signal } = new AbortController();
      await feed.connect(signal);
      const [second] = await publish(broker);
      await feed.catchUp(signal);
      expect([batches, lane.fanOut.position]).toEqual([[[second]], second]);
    });

    test('is at the beginning of a log that was never written to', async () => {
      const { lane, start } = fed();
      await start();
      expect([lane.fanOut.position, lane.window.floor, lane.window.length]).toEqual([ZERO_ID, ZERO_ID, 0]);
    });

    test('is at the end of a log that holds nothing any more', async () => {
      const { broker, lane, start } = fed();
      const ids = await publish(broker, 3);
      broker.trim(undefined, 0);
      await start();
      expect([lane.fanOut.position, lane.window.floor, lane.window.length]).toEqual([ids[2], ids[2], 0]);
    });
  });

  describe('fills the window', () => {
    test.each([1, 999, 1_000, 1_001, 2_500])('with all of %d events, read back in parts', async (count) => {
      const { broker, lane, start } = fed();
      const ids = await publish(broker, count);
      await start();
      expect([lane.window.length, lane.window.floor]).toEqual([count, previousId(ids[0] as StreamId)]);
      expect(lane.window.between('c', ZERO_ID, ids.at(-1) as StreamId).map(({ id }) => id)).toEqual(ids);
    });

    test('asks for few before it knows how large they are, and for no more than fit 4 MiB then', async () => {
      const { broker, lane, start } = fed();
      const { log } = broker;
      const counts: number[] = [];
      const openFirehose = log.openFirehose.bind(log);
      log.openFirehose = async (signal) => {
        const firehose = await openFirehose(signal);
        const readBack = firehose.readBack.bind(firehose);
        firehose.readBack = (options) => {
          counts.push(options.count);
          return readBack(options);
        };
        return firehose;
      };
      for (let at = 0; at < 30; at += 1) await broker.log.append('c', payloadFor('c', 'x'.repeat(400_000)));
      await start();
      expect(counts[0]).toBe(10);
      expect(Math.max(...counts.slice(1))).toBeLessThan(12);
      expect(lane.window.length).toBeGreaterThan(0);
    });

    test('back to its age by the clock of the broker, and not beyond', async () => {
      const { broker, clock, lane, start } = fed({ window: { maxAgeMs: 1_000 } });
      const ids: StreamId[] = [];
      for (let at = 0; at < 5; at += 1) {
        ids.push(...(await publish(broker)));
        clock.increment(400);
      }
      await start();
      // The last was published 400 ms ago, the third of them 1,200 ms ago.
      expect([lane.window.length, lane.window.floor]).toEqual([2, ids[2]]);
    });

    test('up to its count, and has its floor at the first that it does not hold', async () => {
      const { broker, lane, start } = fed({ window: { maxEvents: 3 } });
      const ids = await publish(broker, 10);
      await start();
      expect([lane.window.length, lane.window.floor]).toEqual([3, ids[6]]);
    });

    test('up to its bytes', async () => {
      const { broker, lane, start } = fed({ window: { maxBytes: 2_000 } });
      const ids = await publish(broker, 10);
      await start();
      const { length, bytes, floor } = lane.window;
      expect(bytes).toBeLessThanOrEqual(2_000);
      expect(length).toBeGreaterThanOrEqual(3);
      expect(floor).toBe(ids[10 - length - 1]);
    });

    test('in order and up to the head, whatever its limits: all after its floor is there', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: 30 }),
          fc.record({
            maxEvents: fc.nat({ max: 30 }),
            maxBytes: fc.nat({ max: 15_000 }),
            maxAgeMs: fc.nat({ max: 30 }),
          }),
          async (count, window) => {
            const { broker, clock, lane, start } = fed({ window });
            const ids: StreamId[] = [];
            for (let at = 0; at < count; at += 1) {
              ids.push(...(await publish(broker)));
              clock.increment(1);
            }
            await start();
            const last = ids.at(-1) ?? ZERO_ID;
            const held = lane.window.between('c', ZERO_ID, last).map(({ id }) => id);
            expect(held).toEqual(ids.filter((id) => compareIds(id, lane.window.floor) > 0));
            expect(lane.fanOut.position).toBe(last);
            expect(lane.window.length).toBeLessThanOrEqual(window.maxEvents);
          },
        ),
        { numRuns: 50 },
      );
    });

    test('once: a later connection goes on from the last id', async () => {
      const { broker, feed, lane, start, batches } = fed();
      await publish(broker, 2);
      await start();
      feed.disconnect();
      const later = await publish(broker, 2);
      await start();
      expect([batches, lane.window.length]).toEqual([[later], 4]);
    });
  });

  describe('when it follows', () => {
    test('routes what comes, each from the last id on, never from wherever the log then is', async () => {
      const { log, start, follow, batches } = list();
      await start();
      const { ended, stop } = follow();
      const [one, two, three] = idsOf(1, 2, 3) as [StreamId, StreamId, StreamId];
      for (const ids of [[one, two], [three]]) {
        log.add(...ids);
        while (batches.at(-1)?.at(-1) !== ids.at(-1)) await settled();
      }
      stop();
      await ended;
      expect(batches).toEqual([[one, two], [three]]);
      expect(new Set(log.reads)).toEqual(new Set([ZERO_ID, two, three]));
    });

    test('ends with the reason when its connection is lost', async () => {
      const { broker, start, follow } = fed();
      await start();
      const { ended } = follow();
      broker.outage(true);
      expect(await ended).toEqual(new Error('the memory broker is in an outage'));
    });

    test('ends when it is stopped, once its read has ended', async () => {
      const { feed, start, follow } = fed();
      await start();
      const { ended, stop } = follow();
      stop();
      feed.disconnect();
      expect(await ended).toBeInstanceOf(Error);
    });

    test('takes batches of the configured size, and larger ones while it is behind', async () => {
      const { broker, start, follow, batches, feed } = fed({ readCount: 4 });
      await start();
      await publish(broker, 14);
      const { ended } = follow();
      await settled();
      expect(batches.map(({ length }) => length)).toEqual([4, 8, 2]);
      feed.disconnect();
      await ended;
    });

    test('pauses between reads while events come fast, so that batches grow, and only then', async () => {
      const { broker, clock, start, follow, batches, feed } = fed({ pauseMs: 2 });
      await start();
      const { ended } = follow();
      const [first] = await publish(broker);
      await settled();
      clock.increment(1);
      const [second] = await publish(broker);
      await settled();
      const third = await publish(broker, 3);
      await settled();
      expect(batches).toEqual([[first], [second]]);
      await clock.advance(2);
      await settled();
      expect(batches).toEqual([[first], [second], third]);
      await clock.advance(100);
      const [later] = await publish(broker);
      await settled();
      expect(batches.at(-1)).toEqual([later]);
      feed.disconnect();
      await clock.advance(2);
      await ended;
    });

    test('does not pause while it is behind: full batches follow each other', async () => {
      const { broker, start, follow, batches, feed, clock } = fed({ readCount: 2, pauseMs: 2 });
      await start();
      await publish(broker, 7);
      const { ended } = follow();
      await settled();
      expect(batches.map(({ length }) => length)).toEqual([2, 4, 1]);
      feed.disconnect();
      await clock.advance(2);
      await ended;
    });
  });

  describe('when the log lost its data', () => {
    test('sees it after a read that brought nothing, tells everybody, and reads the new life', async () => {
      const { broker, clock, lane, start, follow, epochChanges } = fed();
      await publish(broker, 2);
      await start();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      follow();
      broker.loseData();
      await clock.advance(5_000);
      expect(epochChanges).toHaveLength(1);
      expect([lane.fanOut.position, lane.window.length, outlet.told]).toEqual([
        ZERO_ID,
        0,
        ['delivery.fellBehind'],
      ]);
      outlet.delivery.pump();
      const ids = await publish(broker, 2);
      await settled();
      outlet.transport.flush();
      expect([JSON.parse(outlet.texts[0] ?? ''), outlet.ids()]).toEqual([
        { gap: expect.objectContaining({ to: ZERO_ID, reason: 'epoch' }) },
        ids,
      ]);
    });

    test('sees it at the next connection, and routes what the new life already has after its position', async () => {
      const { broker, clock, feed, lane, start, epochChanges, batches } = fed();
      const before = await publish(broker, 2);
      await start();
      feed.disconnect();
      broker.loseData();
      clock.increment(10);
      const after = await publish(broker, 2);
      await start();
      expect(epochChanges).toEqual([[expect.objectContaining({ lastId: after[1] }), before[1]]]);
      expect([batches, lane.fanOut.position]).toEqual([[after], after[1]]);
    });

    test('says so once', async () => {
      const { broker, clock, feed, start, epochChanges } = fed();
      await publish(broker, 2);
      await start();
      broker.loseData();
      clock.increment(10);
      for (let round = 0; round < 3; round += 1) {
        feed.disconnect();
        await start();
      }
      expect(epochChanges).toHaveLength(1);
    });

    test('sees it by ids that went back where the broker says no epoch', async () => {
      const { log, feed, lane, start, epochChanges } = list();
      log.add(...idsOf(5, 6));
      await start();
      feed.disconnect();
      log.entries = [];
      log.add(...idsOf(2));
      await start();
      expect(epochChanges).toEqual([[{ epoch: '', lastId: '2-0', nowMs: 0 }, '2-0']]);
      expect(lane.fanOut.position).toBe('2-0');
    });

    test('takes neither the first epoch that it hears nor one it does not hear for a loss', async () => {
      const { log, feed, start, epochChanges } = list();
      log.add(...idsOf(5));
      for (const epoch of ['', 'a', '', 'a']) {
        log.epoch = epoch;
        await start();
        feed.disconnect();
      }
      expect(epochChanges).toEqual([]);
      log.epoch = 'b';
      await start();
      expect(epochChanges).toHaveLength(1);
    });
  });

  describe('when the log was trimmed unread', () => {
    test('skips what is gone, and sends everybody to their channels', async () => {
      const { broker, lane, start, follow, batches, feed } = fed();
      await publish(broker);
      await start();
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c']);
      const { cursor } = subscription;
      const ids = await publish(broker, 4);
      broker.trim(undefined, 1);
      const { ended } = follow();
      await settled();
      expect([batches, lane.fanOut.position]).toEqual([[[ids[3]]], ids[3]]);
      expect(lane.window.floor).toBe(previousId(ids[3] as StreamId));
      expect([outlet.told, subscription.cursor]).toEqual([['delivery.fellBehind'], cursor]);
      feed.disconnect();
      await ended;
    });

    test('notices it also when nothing at all is left to be read', async () => {
      const { broker, clock, lane, start, follow, epochChanges } = fed();
      await publish(broker);
      await start();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      const ids = await publish(broker, 3);
      broker.trim(undefined, 0);
      follow();
      await clock.advance(5_000);
      expect([lane.fanOut.position, lane.window.floor]).toEqual([ids[2], ids[2]]);
      expect([outlet.told, epochChanges]).toEqual([['delivery.fellBehind'], []]);
    });

    test('takes nothing for trimmed that came between its read and its look at the head', async () => {
      const { log, lane, start, follow, batches } = list();
      await start();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      const head = jest.spyOn(log, 'head').mockImplementationOnce(async () => {
        log.add(...idsOf(1));
        return { epoch: '', lastId: '1-0' as StreamId, nowMs: 0 };
      });
      const { ended, stop } = follow();
      while (batches.length === 0) await settled();
      stop();
      await ended;
      expect(head).toHaveBeenCalled();
      expect([batches, outlet.told]).toEqual([[['1-0']], []]);
    });
  });

  test('gives its connection up when it is disconnected, and can be connected again', async () => {
    const { broker, feed, lane, start, follow } = fed();
    await start();
    const { ended } = follow();
    feed.disconnect();
    expect(await ended).toBeInstanceOf(Error);
    const ids = await publish(broker);
    await start();
    expect(lane.fanOut.position).toBe(ids[0]);
  });
});
