import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createSocketLogic } from '../../src/actors/socket.ts';
import { systemClock } from '../../src/clock.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import { Registry } from '../../src/routing/registry.ts';
import { type Client, type Core, createCore } from '../support/core.ts';
import { gapProtocol } from '../support/gap-protocol.ts';
import { settled } from '../support/heap-clock.ts';
import { Random } from '../support/random.ts';
import { PEER } from '../support/peer.ts';

const BIG = 'x'.repeat(11_000);
/** How many times in an interval somebody is pinged, and what that is of the usual interval of 20 s. */
const BEATS = 100;
const BEAT_MS = 20_000 / BEATS;

async function started(options?: Parameters<typeof createCore>[0]): Promise<Core> {
  const core = createCore(options);
  await core.start();
  return core;
}

const idsOf = ({ received }: Client): StreamId[] => received.map(({ id }) => id);
const stateOf = (core: Core, { id }: Client) => core.actors.sockets.actorOf(id)?.getSnapshot().value;
const isLive = (core: Core, client: Client): boolean =>
  core.actors.sockets
    .actorOf(client.id)
    ?.getSnapshot()
    .matches({ open: { delivery: 'live' } }) === true;

/** The transport no longer takes what is sent. */
async function fill(core: Core, client: Client): Promise<void> {
  client.transport.isReading = false;
  await core.publish('c', BIG);
  await core.publish('c', BIG);
  expect(stateOf(core, client)).toMatchObject({ open: { delivery: { replaying: 'blocked' } } });
}

async function drain({ transport }: Client): Promise<void> {
  transport.isReading = true;
  while (transport.bufferedBytes > 0) {
    transport.flush();
    await settled();
  }
}

describe('a socket', () => {
  test('is live at once, and gets what is published from then on', async () => {
    const core = await started();
    await core.publish('c', 'before');
    const client = core.open();
    expect(isLive(core, client)).toBe(true);
    const id = await core.publish('c', 'after');
    await core.publish('another');
    client.transport.flush();
    expect(client.received).toEqual([expect.objectContaining({ id, data: 'after' })]);
  });

  test('that was caught up tells how long it took, from when it came or could not be written to', async () => {
    const core = await started();
    const id = await core.publish('c');
    await core.publish('c');
    core.open({ lastId: id });
    expect(core.metrics.timesOf('signalbox.replay_ms joined')).toBe(1);
    const client = core.open();
    await fill(core, client);
    core.clock.increment(3_000);
    expect(core.metrics.timesOf('signalbox.replay_ms behind')).toBe(0);
    await drain(client);
    expect(isLive(core, client)).toBe(true);
    expect(core.metrics.timesOf('signalbox.replay_ms behind')).toBe(1);
    expect(core.metrics.of('signalbox.replay_ms behind')).toBe(3_000);
    expect(core.metrics.of('signalbox.replay_ms joined')).toBe(0);
  });

  test('that begins without a position, or leaves, has not been replayed anything', async () => {
    const core = await started();
    core.open();
    await core.publish('c');
    const left = core.open();
    await fill(core, left);
    left.transport.terminate();
    expect(core.metrics.of('signalbox.replay_ms joined')).toBe(0);
    expect(core.metrics.timesOf('signalbox.replay_ms behind')).toBe(0);
  });

  test('with a last id is sent what came after it, and is live then', async () => {
    const core = await started();
    const [first, ...others] = [await core.publish('c'), await core.publish('c'), await core.publish('c')];
    const client = core.open({ lastId: first });
    expect(isLive(core, client)).toBe(true);
    client.transport.flush();
    expect(idsOf(client)).toEqual(others);
  });

  test('whose connection could not be taken over leaves nothing behind', async () => {
    const core = await started();
    const before = core.registry.size;
    const connect = () => {
      throw new Error('the connection broke');
    };
    const options = {
      channels: ['c'],
      peer: PEER,
      lastId: undefined,
      credentialLifetimeMs: undefined,
      connect,
    };
    expect(() => core.actors.sockets.open(options)).toThrow('the connection broke');
    await core.clock.advance(10_000);
    expect([core.registry.size, core.actors.sockets.size]).toEqual([before, 0]);
    expect(core.actors.routing.subscriptions.size).toBe(0);
  });

  describe('is pinged', () => {
    test('first after a random part of the interval, then once each interval after an answer', async () => {
      const core = await started();
      const { transport } = core.open();
      const pingsAfter = async (ms: number): Promise<number> => {
        await core.clock.advance(ms);
        return transport.pings;
      };
      expect(await pingsAfter(10_000)).toBe(0);
      expect(await pingsAfter(BEAT_MS)).toBe(1);
      transport.answer();
      expect(await pingsAfter(20_000 - BEAT_MS)).toBe(1);
      expect(await pingsAfter(BEAT_MS)).toBe(2);
    });

    test('at moments of their own, when many come at once', async () => {
      const core = await started({ deps: { random: new Random(1).next } });
      const clients = Array.from({ length: 500 }, () => core.open());
      const pinged = () => clients.filter(({ transport }) => transport.pings > 0).length;
      let before = 0;
      for (let beat = 0; beat < BEATS; beat += 1) {
        await core.clock.advance(BEAT_MS);
        expect(pinged() - before).toBeLessThan(20);
        before = pinged();
      }
      expect(before).toBe(500);
    });

    test('also when it fills and drains every 15 seconds', async () => {
      const core = await started();
      const client = core.open();
      for (let round = 0; round < 12; round += 1) {
        await fill(core, client);
        await core.clock.advance(15_000);
        await drain(client);
      }
      expect(client.transport.pings).toBeGreaterThanOrEqual(5);
      expect(isLive(core, client)).toBe(true);
    });

    test('never with an interval of 0, nor is it ended for its silence', async () => {
      const core = await started({ times: { pingIntervalMs: 0 } });
      const client = core.open();
      await core.clock.advance(600_000);
      expect([client.transport.pings, client.transport.isClosed, isLive(core, client)]).toEqual([
        0,
        false,
        true,
      ]);
    });
  });

  describe('whose ping is not answered', () => {
    async function stale(responseTimeoutMs = 60_000): Promise<{ core: Core; client: Client }> {
      const core = await started({ times: { responseTimeoutMs } });
      const client = core.open();
      await core.clock.advance(30_000 + BEAT_MS);
      expect(stateOf(core, client)).toMatchObject({ open: { heartbeat: { unanswered: 'stale' } } });
      return { core, client };
    }

    test('is stale: nothing more is written into it, and it is pinged on and on', async () => {
      const { core, client } = await stale(600_000);
      const { pings } = client.transport;
      await core.publish('c');
      expect(client.transport.bufferedBytes).toBe(0);
      await core.clock.advance(100_000);
      expect(client.transport.pings).toBe(pings + 5);
    });

    test('is replayed what it missed when the answer comes late, then live', async () => {
      const { core, client } = await stale();
      const ids = [await core.publish('c'), await core.publish('c')];
      client.transport.answer();
      expect(isLive(core, client)).toBe(true);
      ids.push(await core.publish('c'));
      client.transport.flush();
      expect(idsOf(client)).toEqual(ids);
    });

    test('is terminated when none came for the response timeout since the last one', async () => {
      const core = await started();
      const client = core.open();
      await core.clock.advance(10_000 + BEAT_MS);
      client.transport.answer();
      await core.clock.advance(59_999);
      expect(client.transport.isClosed).toBe(false);
      await core.clock.advance(1);
      expect([client.transport.isClosed, client.transport.closedWith]).toEqual([true, undefined]);
      expect(core.actors.sockets.size).toBe(0);
    });

    test('what it was not sent any more is counted as not delivered', async () => {
      const { core } = await stale();
      await core.publish('c');
      await core.publish('c');
      await core.clock.advance(60_000);
      expect(core.metrics.of('signalbox.events_not_delivered closed')).toBe(2);
    });
  });

  describe('with a credential', () => {
    test('is closed when it expires, and counted', async () => {
      const core = await started();
      const client = core.open({ credentialLifetimeMs: 5_000 });
      await core.clock.advance(4_999);
      expect(client.transport.closedWith).toBeUndefined();
      await core.clock.advance(1);
      expect(client.transport.closedWith).toEqual({ code: 1000, reason: 'expired' });
      expect(core.metrics.of('ws_token_expired_disconnect')).toBe(1);
    });

    test('that has expired already is closed at once', async () => {
      const core = await started();
      const client = core.open({ credentialLifetimeMs: 0 });
      await core.clock.advance(0);
      expect(client.transport.closedWith).toEqual({ code: 1000, reason: 'expired' });
    });
  });

  describe('with a credential for longer than a timer of Node can be', () => {
    beforeEach(() => void jest.useFakeTimers());
    afterEach(() => void jest.useRealTimers());

    test('is closed when it expires, and not at once', () => {
      const days = 86_400_000;
      const logic = createSocketLogic(() => undefined, gapProtocol, Math.random);
      let reason: string | undefined;
      const actor = new Registry({ clock: systemClock }).start(logic, {
        id: 'socket:s',
        input: {
          id: 's',
          times: {
            handshakeTimeoutMs: 10_000,
            responseTimeoutMs: 60_000,
            slowConsumerTimeoutMs: 60_000,
            closeTimeoutMs: 2_000,
          },
        },
        onEnd() {
          reason = actor.getSnapshot().output?.reason;
        },
      });
      actor.send({ type: 'socket.opened' });
      actor.send({ type: 'credential.renewed', lifetimeMs: 60 * days });
      jest.advanceTimersByTime(60 * days - 1);
      expect(actor.getSnapshot().matches('open')).toBe(true);
      jest.advanceTimersByTime(1);
      expect(actor.getSnapshot().matches('closing')).toBe(true);
      jest.advanceTimersByTime(2_000);
      expect([reason, jest.getTimerCount()]).toEqual(['expired', 0]);
    });
  });

  describe('that is slow', () => {
    test('is sent what it missed once it has drained, in order and none twice', async () => {
      const core = await started();
      const client = core.open();
      client.transport.isReading = false;
      const ids: StreamId[] = [];
      for (let count = 0; count < 20; count += 1) ids.push(await core.publish('c', 'x'.repeat(1_000)));
      expect(stateOf(core, client)).toMatchObject({ open: { delivery: { replaying: 'blocked' } } });
      await drain(client);
      expect(idsOf(client)).toEqual(ids);
      expect(isLive(core, client)).toBe(true);
    });

    test('is closed as too slow when it stays full for too long, and counted', async () => {
      const core = await started({ times: { pingIntervalMs: 0 } });
      const client = core.open();
      await fill(core, client);
      await core.clock.advance(29_999);
      expect(client.transport.closedWith).toBeUndefined();
      await core.clock.advance(1);
      expect(client.transport.closedWith).toEqual({ code: 1000, reason: 'too_slow' });
      expect(core.metrics.of('ws_client_backpressure_disconnect')).toBe(1);
      expect(core.metrics.of('signalbox.events_not_delivered unflushed')).toBe(1);
    });

    test('is not, when it drains once in a while', async () => {
      const core = await started({ times: { pingIntervalMs: 0 } });
      const client = core.open();
      for (let round = 0; round < 5; round += 1) {
        await fill(core, client);
        await core.clock.advance(29_000);
        await drain(client);
      }
      expect(isLive(core, client)).toBe(true);
    });
  });

  describe('whose page cannot be read', () => {
    test('tries again after pauses that grow, and is caught up when the broker is back', async () => {
      const core = createCore({ limits: { window: { maxEvents: 1, maxBytes: 1_000_000, maxAgeMs: 1_000 } } });
      const ids: StreamId[] = [];
      for (let count = 0; count < 4; count += 1) ids.push(await core.publish('c'));
      await core.start();
      core.broker.outage(true);
      const client = core.open({ lastId: ids[0] as StreamId });
      const failures = () => core.actors.sockets.actorOf(client.id)?.getSnapshot().context.pageFailures;
      await settled();
      expect(failures()).toBe(1);
      const pauses: number[] = [];
      for (let count = 2; count < 8; count += 1) {
        const fromMs = core.clock.now();
        while (failures() !== count) await core.clock.advance(10);
        pauses.push(core.clock.now() - fromMs);
      }
      expect(pauses).toEqual([200, 400, 800, 1_600, 2_500, 2_500]);
      core.broker.outage(false);
      await core.clock.advance(10_000);
      expect(isLive(core, client)).toBe(true);
      client.transport.flush();
      expect(idsOf(client)).toEqual(ids.slice(1));
    });
  });

  describe('is closed in order', () => {
    const states: Record<string, (core: Core, client: Client) => Promise<void>> = {
      live: async () => {},
      blocked: fill,
      awaiting: (core) => core.clock.advance(10_000 + BEAT_MS),
      stale: (core) => core.clock.advance(30_000 + BEAT_MS),
    };

    test.each(Object.entries(states))('when %s', async (_, bring) => {
      const core = await started();
      const client = core.open();
      await bring(core, client);
      core.actors.sockets.close(client.id, 'policy');
      expect(client.transport.closedWith).toEqual({ code: 1000, reason: 'policy' });
      expect(core.actors.sockets.size).toBe(0);
      expect(core.actors.routing.subscriptions.size).toBe(0);
      expect(core.actors.routing.budget.total).toBe(0);
    });

    test('for its first reason, and is terminated when its peer does not confirm', async () => {
      const core = await started();
      const client = core.open();
      client.transport.isConfirming = false;
      core.actors.sockets.close(client.id, 'policy');
      core.actors.sockets.close(client.id, 'drain');
      expect(client.transport.closedWith).toEqual({ code: 1000, reason: 'policy' });
      await core.publish('c');
      expect(client.transport.bufferedBytes).toBe(0);
      await core.clock.advance(1_999);
      expect(client.transport.isClosed).toBe(false);
      await core.clock.advance(1);
      expect([client.transport.isClosed, core.actors.sockets.size]).toEqual([true, 0]);
    });
  });

  test('that its client leaves is forgotten, with its actor and its timers', async () => {
    const core = await started();
    const before = core.registry.size;
    const client = core.open();
    client.transport.cut();
    // Its channel stays for a while.
    expect(core.registry.size).toBe(before + 1);
    expect([core.actors.sockets.size, core.actors.routing.subscriptions.size]).toEqual([0, 0]);
    await core.clock.advance(120_000);
    expect(client.transport.pings).toBe(0);
  });
});

describe('a socket whose actor crashes', () => {
  test('is closed as failed, is counted and reported, and touches nobody else', async () => {
    const core = await started();
    const [healthy, broken] = [core.open(), core.open()];
    const bug = new Error('a bug');
    broken.transport.ping = () => {
      throw bug;
    };
    await core.clock.advance(10_000 + BEAT_MS);
    expect(broken.transport.closedWith).toEqual({ code: 1000, reason: 'failed' });
    expect(core.metrics.of('signalbox.actor_errors socket')).toBe(1);
    expect(core.reported).toContainEqual(['socketFailed', bug, broken.id]);
    expect(core.actors.sockets.ids()).toEqual([healthy.id]);
    const id = await core.publish('c');
    healthy.transport.flush();
    expect(idsOf(healthy)).toEqual([id]);
    expect(core.actors.isReady()).toBe(true);
  });
});

describe('a socket that cannot be caught up when it is opened', () => {
  test('is closed as failed and reported, and its caller hears nothing of it', async () => {
    const bug = new Error('a bug');
    let isBroken = false;
    const frame = (text: Buffer): Buffer => {
      if (isBroken) throw bug;
      return text;
    };
    const core = await started({ deps: { framing: { headroom: 0, frame } } });
    const ids = [await core.publish('c'), await core.publish('c')];
    const healthy = core.open();
    isBroken = true;
    const broken = core.open({ lastId: ids[0] as StreamId });
    isBroken = false;
    expect(broken.transport.closedWith).toEqual({ code: 1000, reason: 'failed' });
    expect(core.reported).toContainEqual(['socketFailed', bug, broken.id]);
    expect(core.actors.sockets.ids()).toEqual([healthy.id]);
    const id = await core.publish('c');
    healthy.transport.flush();
    expect(idsOf(healthy)).toEqual([id]);
  });
});

describe('the sockets', () => {
  test('are counted by their own channel, the first of theirs', async () => {
    const core = await started();
    const first = core.open({ channels: ['a', 'b'] });
    const others = [core.open({ channels: ['b'] }), core.open({ channels: ['a'] })];
    const counts = () => ['a', 'b', 'c'].map((channel) => core.actors.sockets.countOn(channel));
    expect(counts()).toEqual([2, 1, 0]);
    first.transport.cut();
    expect(counts()).toEqual([1, 1, 0]);
    for (const { transport } of others) transport.cut();
    expect(counts()).toEqual([0, 0, 0]);
    expect(core.metrics.of('ws_connected_client')).toBe(3);
  });

  test('say when the last of them has gone', async () => {
    const core = await started();
    const clients = [core.open(), core.open()];
    let isEmpty = false;
    const empty = core.actors.sockets.whenEmpty().then(() => {
      isEmpty = true;
    });
    clients[0]?.transport.cut();
    await settled();
    expect(isEmpty).toBe(false);
    clients[1]?.transport.cut();
    await empty;
    await core.actors.sockets.whenEmpty();
    expect(core.actors.sockets.size).toBe(0);
  });
});
