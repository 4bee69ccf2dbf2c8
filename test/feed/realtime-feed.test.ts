import { describe, expect, test } from '@jest/globals';
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import { compareIds, msOf, type StreamId } from '../../src/event/stream-id.ts';
import { RealtimeFeed } from '../../src/feed/realtime-feed.ts';
import { supersetRealtimeProtocol } from '../../src/protocol/superset/socket-protocol.ts';
import { createCore } from '../support/core.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';
import { createLane } from '../support/lane.ts';

const realtime = supersetRealtimeProtocol({ onRepaired() {} });
const CHANNEL = 'prefix:realtime';

function messageFor(...routes: string[]): Buffer {
  return Buffer.from(JSON.stringify({ topic: 't', scope: 'user', routes, payload: {} }));
}

function fed() {
  const clock = new HeapClock();
  const history = { maxLength: 10, maxAgeSeconds: 0, firehoseMaxLength: 10 };
  const broker = createMemoryBroker({ clock, history });
  const lane = createLane({ isLossy: true, protocol: realtime, now: clock.now });
  const batches: StreamId[][] = [];
  const feed = new RealtimeFeed({
    clock,
    log: broker.log,
    fanOut: lane.fanOut,
    channel: CHANNEL,
    emit(batch) {
      batches.push(batch.entries.map(({ id }) => id));
      lane.fanOut.route(batch);
    },
  });
  const start = async (signal = new AbortController().signal): Promise<void> => {
    await feed.connect(signal);
    await feed.catchUp();
  };
  const follow = () => {
    const controller = new AbortController();
    const ended = feed.follow(controller.signal).catch((reason: unknown) => reason);
    return { ended, stop: () => controller.abort() };
  };
  return { clock, broker, lane, feed, batches, start, follow };
}

describe('a realtime feed', () => {
  test('makes one batch of the messages of one turn', async () => {
    const { broker, batches, start } = fed();
    await start();
    for (let count = 0; count < 3; count += 1) void broker.log.publish(CHANNEL, messageFor('a'));
    await settled();
    void broker.log.publish(CHANNEL, messageFor('a'));
    await settled();
    expect(batches.map(({ length }) => length)).toEqual([3, 1]);
  });

  test('gives its messages ids that only grow, also when the clock does not or goes back', async () => {
    const { broker, batches, clock, start } = fed();
    await start();
    const fromMs = clock.now();
    for (const stepMs of [0, 0, 5, -20, 0, 100]) {
      clock.increment(stepMs);
      await broker.log.publish(CHANNEL, messageFor('a'));
      await settled();
    }
    const ids = batches.flat();
    expect(ids).toEqual([...new Set(ids)].toSorted(compareIds));
    expect(ids.map((id) => msOf(id) - fromMs)).toEqual([0, 0, 5, 5, 5, 85]);
  });

  test('brings a message to the sockets on its routes', async () => {
    const { broker, lane, start } = fed();
    const outlet = lane.outlet();
    outlet.delivery.join(['user:1', 'broadcast']);
    await start();
    for (const routes of [['user:1'], ['user:2'], ['broadcast', 'user:1']]) {
      await broker.log.publish(CHANNEL, messageFor(...routes));
    }
    await settled();
    outlet.transport.flush();
    expect(outlet.texts).toHaveLength(2);
  });

  test('hears nothing of other channels', async () => {
    const { broker, batches, start } = fed();
    await start();
    expect(await broker.log.publish('prefix:other', messageFor('a'))).toBe(0);
    await settled();
    expect(batches).toEqual([]);
  });

  describe('that loses its broker', () => {
    test('ends with the reason, and its sockets are closed: they have missed something', async () => {
      const { broker, lane, start, follow } = fed();
      const outlet = lane.outlet();
      outlet.delivery.join(['user:1']);
      await start();
      const { ended } = follow();
      broker.outage(true);
      expect(await ended).toEqual(new Error('the memory broker is in an outage'));
      expect(outlet.told).toContain('end lossy');
    });

    test('says so too when it was lost before anybody followed it', async () => {
      const { broker, lane, start, follow } = fed();
      const outlet = lane.outlet();
      outlet.delivery.join(['user:1']);
      await start();
      broker.outage(true);
      await settled();
      expect(await follow().ended).toBeInstanceOf(Error);
      expect(outlet.told).toContain('end lossy');
    });

    test('hears what is published once it has been connected again, under later ids', async () => {
      const { broker, feed, batches, start, follow } = fed();
      await start();
      await broker.log.publish(CHANNEL, messageFor('a'));
      await settled();
      const { ended } = follow();
      broker.outage(true);
      await ended;
      feed.disconnect();
      broker.outage(false);
      await start();
      await broker.log.publish(CHANNEL, messageFor('a'));
      await settled();
      const [before, after] = batches.flat() as [StreamId, StreamId];
      expect(compareIds(after, before)).toBeGreaterThan(0);
    });
  });

  test('that is stopped closes nobody, and hears nothing more', async () => {
    const { broker, lane, feed, start, follow, batches } = fed();
    const outlet = lane.outlet();
    outlet.delivery.join(['user:1']);
    await start();
    const { ended, stop } = follow();
    stop();
    expect(await ended).toEqual(new Error('the reader was stopped'));
    feed.disconnect();
    expect(await broker.log.publish(CHANNEL, messageFor('user:1'))).toBe(0);
    await settled();
    expect([outlet.told, batches]).toEqual([[], []]);
  });

  test('that is stopped while it connects leaves no subscription behind', async () => {
    const { broker, feed } = fed();
    const controller = new AbortController();
    const connecting = feed.connect(controller.signal);
    controller.abort();
    await connecting;
    expect(await broker.log.publish(CHANNEL, messageFor('a'))).toBe(0);
  });
});

describe('a server on the realtime feed', () => {
  const create = () =>
    createCore({ deps: { protocol: realtime, feed: { kind: 'realtime', channel: CHANNEL } } });

  test('closes its sockets as lossy in an outage, and lets nobody in until it is over', async () => {
    const core = create();
    await core.start();
    const client = core.open({ channels: ['user:1'] });
    core.broker.outage(true);
    await settled();
    expect(client.transport.closedWith).toEqual({ code: 1012, reason: 'realtime backend unavailable' });
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, false]);
    core.broker.outage(false);
    await core.clock.advance(5_000);
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([true, true]);
  });

  test('delivers, and closes a socket that is too slow for the window as lossy', async () => {
    const core = createCore({
      deps: { protocol: realtime, feed: { kind: 'realtime', channel: CHANNEL } },
      limits: { maxSocketBufferBytes: 200, window: { maxEvents: 3, maxBytes: 100_000, maxAgeMs: 60_000 } },
    });
    await core.start();
    const [fast, slow] = [core.open({ channels: ['user:1'] }), core.open({ channels: ['user:1'] })];
    slow.transport.isReading = false;
    for (let count = 0; count < 20; count += 1) {
      await core.broker.log.publish(CHANNEL, messageFor('user:1'));
      await settled();
      fast.transport.flush();
      await settled();
    }
    expect(fast.received).toHaveLength(20);
    slow.transport.isReading = true;
    slow.transport.flush();
    await settled();
    expect(slow.transport.closedWith).toEqual({ code: 1012, reason: 'realtime backend unavailable' });
  });
});
