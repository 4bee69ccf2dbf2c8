import { describe, expect, test } from '@jest/globals';
import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import { ANSWER_TIMEOUT_MS } from '../../src/instances/endings.ts';
import { Instances, type InstancesDeps } from '../../src/instances/instances.ts';
import { HEARTBEAT_MS, HEARTBEAT_TTL_MS } from '../../src/instances/presence.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';
import { Sessions } from '../../src/protocol/native/sessions.ts';
import { settled } from '../support/heap-clock.ts';
import { NOW_MS, principal } from '../support/native-auth.ts';
import { createNativeCore, type NativeConnection, type NativeCore } from '../support/native-core.ts';

const json = (data: unknown) => JSON.stringify(data) as RawJson;

/** Instances that share one broker and one clock, each with sockets of its own. */
async function installation() {
  const core = createNativeCore();
  await core.start();
  const reports: string[] = [];
  let ends = 0;

  const create = (id: string, deps: Partial<InstancesDeps> = {}) => {
    const sessions = new Sessions();
    const instances = new Instances({
      id,
      broker: core.broker,
      sessions,
      clock: core.clock,
      metrics: core.metrics,
      maxTokenLifeMs: 86_400_000,
      random: () => 0.5,
      newId: () => `end-${ends++}`,
      report: {
        present: () => void reports.push(`${id} present`),
        absent: (error) => void reports.push(`${id} absent: ${(error as { code?: string }).code}`),
        answerFailed: () => void reports.push(`${id} cannot answer`),
        malformed: () => void reports.push(`${id} malformed`),
      },
      ...deps,
    });
    const connect = (as: Partial<NativePrincipal> = {}): NativeConnection => {
      const client = core.connect({ as: { ...principal, ...as } });
      sessions.add(client.session);
      return client;
    };
    const open = async (as: Partial<NativePrincipal> = {}): Promise<NativeConnection> => {
      const client = connect(as);
      client.say({ type: 'hello', ref: 0 });
      await client.hear();
      return client;
    };
    return { id, sessions, instances, connect, open };
  };
  const start = async (id: string, deps: Partial<InstancesDeps> = {}) => {
    const made = create(id, deps);
    made.instances.start();
    await settled();
    return made;
  };
  return { ...core, reports, create, start };
}

const tellsOf = async (...clients: NativeConnection[]) =>
  Promise.all(clients.map(async (client) => (await client.hear()).filter(({ type }) => type === 'tell')));
const closesOf = (...clients: NativeConnection[]) => clients.map(({ transport }) => transport.closedWith);

async function answerOf<T>(core: Pick<NativeCore, 'clock'>, asked: Promise<T>, afterMs = 0): Promise<T> {
  await settled();
  await core.clock.advance(afterMs);
  return asked;
}

describe('instances', () => {
  describe('telling', () => {
    test('reaches a user on every instance, each socket once, and nobody else', async () => {
      const { start } = await installation();
      const [one, two] = [await start('one'), await start('two')];
      const clients = [await one.open(), await two.open(), await two.open(), await two.open({ user: '6' })];
      await one.instances.tell({ user: '5' }, 'hi', json({ n: 1 }));
      const tell = { type: 'tell', topic: 'hi', data: { n: 1 } };
      expect(await tellsOf(...clients)).toEqual([[tell], [tell], [tell], []]);
    });

    test('reaches a session, a socket, a channel and everyone', async () => {
      const { start } = await installation();
      const [one, two] = [await start('one'), await start('two')];
      const a = await one.open({ session: 'x' });
      const b = await two.open({ user: '6', session: 'x' });
      const c = await two.open({ session: 'y' });
      c.say({ type: 'subscribe', ref: 1, channel: 'sport' });
      await c.hear();
      const reached = async (target: Parameters<Instances['tell']>[0]) => {
        await two.instances.tell(target, 't');
        return (await tellsOf(a, b, c)).map((tells) => tells.length);
      };
      expect(await reached({ session: 'x' })).toEqual([1, 1, 0]);
      expect(await reached({ socket: a.session.id })).toEqual([1, 0, 0]);
      expect(await reached({ channel: 'sport' })).toEqual([0, 0, 1]);
      expect(await reached({ everyone: true })).toEqual([1, 1, 1]);
    });

    test('counts who was told and who was not, with the reason', async () => {
      const { start, clock, metrics } = await installation();
      const one = await start('one');
      const early = one.connect();
      const gone = await one.open();
      await clock.advance(9_000);
      gone.transport.isAnswering = false;
      early.say({ type: 'hello', ref: 0 });
      early.transport.isAnswering = true;
      // Two pings of its own without an answer.
      for (let beat = 0; beat < 45; beat += 1) {
        await clock.advance(1_000);
        early.transport.answer();
      }
      one.connect();
      await one.instances.tell({ everyone: true }, 't');
      expect((await tellsOf(early, gone)).map((tells) => tells.length)).toEqual([1, 0]);
      expect(metrics.of('signalbox.tells_delivered')).toBe(1);
      expect(metrics.of('signalbox.tells_not_delivered stale')).toBe(1);
      expect(metrics.of('signalbox.tells_not_delivered connecting')).toBe(1);
    });

    test('rejects while the broker is away', async () => {
      const { start, broker } = await installation();
      const one = await start('one');
      broker.outage(true);
      await expect(one.instances.tell({ everyone: true }, 't')).rejects.toMatchObject({
        code: 'unavailable',
      });
    });
  });

  describe('ending', () => {
    test('closes for good on every instance, says how many, and waits for nobody', async () => {
      const { start, clock } = await installation();
      const [one, two] = [await start('one'), await start('two')];
      const clients = [await one.open(), await two.open(), await two.open(), await two.open({ user: '6' })];
      const ended = await one.instances.end({ user: '5' }, 'signed out');
      expect(ended).toEqual({ closed: 3, unconfirmed: [] });
      const closed = { code: 4410, reason: 'signed out' };
      expect(closesOf(...clients)).toEqual([closed, closed, closed, undefined]);
      expect(clock.now()).toBe(NOW_MS);
    });

    test('of one that was ended before counts it no second time', async () => {
      const { start } = await installation();
      const one = await start('one');
      const client = await one.open();
      client.transport.isConfirming = false;
      const target = { socket: client.session.id };
      expect(await one.instances.end(target)).toMatchObject({ closed: 1 });
      expect(await one.instances.end(target)).toMatchObject({ closed: 0 });
      expect(closesOf(client)).toEqual([{ code: 4410, reason: 'ended' }]);
    });

    test('names an instance that does not answer until its heartbeat has run out, and not one that said goodbye', async () => {
      const { start, broker, clock } = await installation();
      const one = await start('one');
      const left = await start('left');
      // As one that was killed: it said that it is there, and says nothing more.
      await broker.control.heartbeat('killed', HEARTBEAT_TTL_MS);
      await left.instances.close();
      const end = () => answerOf({ clock }, one.instances.end({ channel: 'sport' }), ANSWER_TIMEOUT_MS);
      expect(await end()).toEqual({ closed: 0, unconfirmed: ['killed'] });
      await clock.advance(HEARTBEAT_TTL_MS - ANSWER_TIMEOUT_MS);
      expect(await end()).toEqual({ closed: 0, unconfirmed: [] });
    });

    test('an instance goes on being there, heartbeat by heartbeat', async () => {
      const { start, broker, clock } = await installation();
      await start('one');
      for (let beat = 0; beat < 10; beat += 1) {
        await clock.advance(HEARTBEAT_MS);
        expect(await broker.control.instances()).toEqual(['one']);
      }
    });

    test('an instance that has much to read is there meanwhile, and not ready', async () => {
      const { create, broker, clock } = await installation();
      let give: (all: []) => void = () => {};
      const slow = create('slow', {
        broker: {
          control: broker.control,
          revocations: {
            all: () =>
              new Promise((resolve) => {
                give = resolve;
              }),
            add: () => Promise.resolve(),
            close: () => Promise.resolve(),
          },
        },
      });
      slow.instances.start();
      await settled();
      await clock.advance(5 * HEARTBEAT_TTL_MS);
      expect(await broker.control.instances()).toEqual(['slow']);
      expect(slow.instances.isReady()).toBe(false);
      give([]);
      await settled();
      expect(slow.instances.isReady()).toBe(true);
      await slow.instances.close();
      await clock.advance(HEARTBEAT_TTL_MS);
      expect(await broker.control.instances()).toEqual([]);
    });

    test('rejects when the broker is away, and nothing was ended', async () => {
      const { start, broker } = await installation();
      const one = await start('one');
      const client = await one.open();
      broker.outage(true);
      await expect(one.instances.end({ user: '5' })).rejects.toMatchObject({ code: 'unavailable' });
      broker.outage(false);
      expect(closesOf(client)).toEqual([undefined]);
    });

    test('that is heard of late spares who has come back with a later token', async () => {
      const { start, broker } = await installation();
      const one = await start('one');
      const before = await one.open();
      const back = await one.open({ issuedAtMs: NOW_MS });
      const late = { version: 1, kind: 'end', from: 'two', id: 'e', target: { user: '5' } };
      await broker.control.send({ ...late, revokedAtMs: NOW_MS - 600_000 });
      await settled();
      expect(closesOf(back)).toEqual([undefined]);
      await broker.control.send({ ...late, revokedAtMs: principal.issuedAtMs });
      await settled();
      // The clock of whoever signed it may have been ahead.
      expect(closesOf(before, back)).toEqual([
        { code: 4410, reason: 'ended' },
        { code: 4410, reason: 'ended' },
      ]);
    });
  });

  describe('revoking', () => {
    const token = (issuedAtMs: number) => ({ ...principal, issuedAtMs });

    test('counts on every instance, and on one that starts later, for tokens issued until then', async () => {
      const { start, clock } = await installation();
      const [one, two] = [await start('one'), await start('two')];
      expect(two.instances.isRevoked(principal)).toBe(false);
      await one.instances.end({ user: '5' });
      const three = await start('three');
      for (const { instances } of [one, two, three]) {
        expect(instances.isRevoked(token(NOW_MS))).toBe(true);
        expect(instances.isRevoked(token(NOW_MS + 1))).toBe(false);
        expect(instances.isRevoked({ ...principal, user: '6' })).toBe(false);
      }
      await clock.advance(1_000);
      await one.instances.end({ session: 's-1' });
      expect(two.instances.isRevoked({ user: '6', session: 's-1', issuedAtMs: NOW_MS + 1_000 })).toBe(true);
    });

    test('is nothing that the end of a socket or a channel does', async () => {
      const { start, broker } = await installation();
      const one = await start('one');
      const client = await one.open();
      client.say({ type: 'subscribe', ref: 1, channel: 'sport' });
      await client.hear();
      expect(await one.instances.end({ channel: 'sport' })).toMatchObject({ closed: 1 });
      expect(one.instances.isRevoked(principal)).toBe(false);
      expect(await broker.revocations.all()).toEqual([]);
    });

    test('nothing is assumed before it is known: it is loaded as soon as the broker is there', async () => {
      const { start, broker, clock, reports } = await installation();
      broker.outage(true);
      const one = await start('one');
      expect([one.instances.isReady(), one.instances.isRevoked(principal)]).toEqual([false, undefined]);
      await clock.advance(30_000);
      broker.outage(false);
      await broker.revocations.add([{ of: 'user', id: '5', atMs: NOW_MS }], 86_400_000);
      await clock.advance(5_000);
      expect([one.instances.isReady(), one.instances.isRevoked(principal)]).toEqual([true, true]);
      expect(reports).toEqual(['one absent: unavailable', 'one present']);
    });

    test('what is known counts while the broker is away', async () => {
      const { start, broker, clock, reports } = await installation();
      const one = await start('one');
      await one.instances.end({ user: '5' });
      broker.outage(true);
      await clock.advance(60_000);
      expect(one.instances.isRevoked(principal)).toBe(true);
      broker.outage(false);
      await clock.advance(10_000);
      expect(reports).toEqual(['one present', 'one absent: unavailable', 'one present']);
    });

    test('what was missed while it did not listen is read again, and ends the sockets that it is about', async () => {
      let resume: (() => void) | undefined;
      const { create, broker } = await installation();
      const { control, revocations } = broker;
      const deaf = create('deaf', {
        broker: {
          revocations,
          control: {
            // As one whose messages were trimmed while it was away.
            listen: async (_, onResumed) => {
              resume = onResumed;
              return { close() {} };
            },
            send: (message) => control.send(message),
            heartbeat: (id, ttlMs) => control.heartbeat(id, ttlMs),
            instances: () => control.instances(),
            close: () => control.close(),
          },
        },
      });
      deaf.instances.start();
      await settled();
      const clients = [await deaf.open(), await deaf.open({ user: '6' })];
      await broker.revocations.add([{ of: 'user', id: '5', atMs: NOW_MS }], 86_400_000);
      expect(deaf.instances.isRevoked(principal)).toBe(false);
      resume?.();
      await settled();
      expect(deaf.instances.isRevoked(principal)).toBe(true);
      expect(closesOf(...clients)).toEqual([{ code: 4410, reason: 'ended' }, undefined]);
    });

    test('a broker that lost its data is told again, for those that start later', async () => {
      const { start, broker } = await installation();
      const one = await start('one');
      await one.instances.end({ user: '5' });
      broker.loseData();
      one.instances.brokerChanged();
      await settled();
      expect(await broker.control.instances()).toEqual(['one']);
      const fresh = await start('fresh');
      expect(fresh.instances.isRevoked(principal)).toBe(true);
    });

    test('and so is an instance that started before the broker was', async () => {
      const { start, broker } = await installation();
      const one = await start('one');
      await one.instances.end({ user: '5' });
      broker.loseData();
      const between = await start('between');
      const client = await between.open();
      expect(between.instances.isRevoked(principal)).toBe(false);
      one.instances.brokerChanged();
      await settled();
      expect(between.instances.isRevoked(principal)).toBe(true);
      expect(closesOf(client)).toEqual([{ code: 4410, reason: 'ended' }]);
    });
  });

  test('skip what is no message, and say so', async () => {
    const { start, broker, reports } = await installation();
    const one = await start('one');
    const client = await one.open();
    await broker.control.send({ version: 1, kind: 'tell', target: 'all' });
    await broker.control.send({ version: 2, kind: 'dance' });
    await one.instances.tell({ everyone: true }, 't');
    expect((await tellsOf(client))[0]).toHaveLength(1);
    expect(reports).toEqual(['one present', 'one malformed']);
  });
});
