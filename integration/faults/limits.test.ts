import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startNaiveSidecar } from '../../test/faults/naive-sidecar.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { JWT_SECRET, type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';
import { clientFrame, cookieOf, openRaw } from './raw.ts';
import { startStatsdSink, type StatsdSink } from './statsd-sink.ts';

const ended: (() => unknown)[] = [];
let prefix: string;
let publisher: Publisher;

beforeEach(async () => {
  prefix = uniquePrefix();
  publisher = new Publisher(redisUrl(), prefix);
  ended.unshift(() => publisher.close());
  await publisher.redis.connect();
});
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const start = async (env: Readonly<Record<string, string>>): Promise<Signalbox> => {
  const signalbox = await startSignalbox({
    REDIS_URL: redisUrl(),
    REDIS_STREAM_PREFIX: prefix,
    SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    ...env,
  });
  ended.unshift(() => signalbox.stop());
  await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
  return signalbox;
};
const startSink = async (): Promise<StatsdSink> => {
  const sink = await startStatsdSink();
  ended.push(() => sink.stop());
  return sink;
};

describe('a full `maxTotalConnections` check costs O(n) per connection; the ping sweep stalls the loop with all pings at once', () => {
  test("F1.18 limits on: beyond maxTotalConnections a socket is closed with 1013 and Superset's reason", async () => {
    const { port } = await start({ MAX_TOTAL_CONNECTIONS: '2' });
    const [first] = await Promise.all([
      Client.open(port, { channel: 'a' }),
      Client.open(port, { channel: 'b' }),
    ]);
    const third = new Client(port, { channel: 'c' });
    expect(await third.closes()).toEqual({ code: 1013, reason: 'total connection limit (2) reached' });
    first?.drop();
    await eventually('there is room again', async () => {
      const next = new Client(port, { channel: 'c' });
      await once(next.socket, 'open');
      const job = await publisher.publish('c');
      await eventually('it is served or closed', () => next.jobs.includes(job) || next.closed !== undefined);
      return next.closed === undefined;
    });
  });

  test("beyond maxConnectionsPerChannel too, and another channel's sockets are let in", async () => {
    const { port } = await start({ MAX_CONNECTIONS_PER_CHANNEL: '1' });
    await Client.open(port, { channel: 'a' });
    const second = new Client(port, { channel: 'a' });
    expect(await second.closes()).toEqual({ code: 1013, reason: 'per-channel connection limit (1) reached' });
    const other = await Client.open(port, { channel: 'b' });
    await publisher.publish('b');
    await other.receives(1);
    expect(other.closed).toBeUndefined();
  });

  test('pings are spread by a timer of each socket', async () => {
    const intervalMs = 1_000;
    const { port } = await start({ PING_SOCKETS_INTERVAL_MS: String(intervalMs) });
    const clients = await Promise.all(
      Array.from({ length: 60 }, (_, at) => Client.open(port, { channel: `c${at}` })),
    );
    const openedMs = performance.now();
    const pingedAtMs = await Promise.all(
      clients.map(({ socket }) => once(socket, 'ping').then(() => performance.now() - openedMs)),
    );
    const perTenth = new Map<number, number>();
    for (const ms of pingedAtMs) {
      const tenth = Math.floor(ms / (intervalMs / 10));
      perTenth.set(tenth, (perTenth.get(tenth) ?? 0) + 1);
    }
    expect(Math.max(...perTenth.values())).toBeLessThan(clients.length / 2);
  });
});

describe('F1.17 closed sockets stay in the registries, and what is sent to them is not counted', () => {
  test('a tab that comes back finds the place that it left', async () => {
    const { port } = await start({ MAX_CONNECTIONS_PER_CHANNEL: '1' });
    for (let round = 0; round < 10; round += 1) {
      const client = await Client.open(port, { channel: 'a' });
      const job = await publisher.publish('a');
      await client.receives(1);
      expect([client.jobs, client.closed]).toEqual([[job], undefined]);
      client.socket.close();
      await client.closes();
    }
  });

  test('an event for a socket that is closing is counted as not delivered', async () => {
    const sink = await startSink();
    const { port } = await start(sink.env);
    const socket = await openRaw(port, { cookie: cookieOf({ channel: 'a' }) });
    const witness = await Client.open(port, { channel: 'a' });
    socket.write(clientFrame(0x8, Buffer.from([3, 232])));
    await once(socket, 'data');
    await publisher.publish('a');
    await witness.receives(1);
    await eventually('both are counted', () => sink.total('signalbox.events_delivered') === 1);
    expect(sink.total('signalbox.events_not_delivered')).toBe(1);
    expect(sink.total('ws_client_send_error')).toBe(1);
    socket.destroy();
  });
});

describe('F1.12 slow client: everything is buffered for it, or it is dropped', () => {
  const EVENTS = 300;
  const FILLER = { filler: 'x'.repeat(40_000) };
  const LIMIT = 256 * 1024;

  test('it costs no more than maxSocketBufferBytes, and has everything once, in order, when it reads on', async () => {
    const sink = await startSink();
    const { port } = await start({ ...sink.env, MAX_SOCKET_BUFFER_BYTES: String(LIMIT) });
    const slow = await Client.open(port, { channel: 'a' });
    const witness = await Client.open(port, { channel: 'a' });
    slow.socket.pause();
    const jobs = await publisher.publishMany('a', EVENTS, FILLER);
    await witness.receives(EVENTS);
    await eventually('the buffer is told', () => (sink.gauge('signalbox.buffered_bytes') ?? 0) > 0);
    expect(sink.gauge('signalbox.buffered_bytes')).toBeLessThan(LIMIT + 2 * FILLER.filler.length);
    expect(witness.jobs).toEqual(jobs);
    slow.socket.resume();
    await slow.receives(EVENTS);
    expect([slow.jobs, slow.closed]).toEqual([jobs, undefined]);
  });

  test('with a write for whatever comes the check fails', async () => {
    const naive = await startNaiveSidecar({ url: redisUrl(), prefix, secret: JWT_SECRET, blockMs: 100 });
    ended.unshift(() => naive.stop());
    const slow = await Client.open(naive.port, { channel: 'a' });
    const witness = await Client.open(naive.port, { channel: 'a' });
    await eventually('it reads', async () => {
      await publisher.publish('a');
      return witness.messages.length > 0;
    });
    slow.socket.pause();
    const before = witness.messages.length;
    await publisher.publishMany('a', EVENTS, FILLER);
    await witness.receives(before + EVENTS);
    expect(naive.bufferedBytes()).toBeGreaterThan(LIMIT + 2 * FILLER.filler.length);
  });

  test('one that stays full past slowConsumerTimeoutMs is closed, and counted', async () => {
    const sink = await startSink();
    const { port } = await start({
      ...sink.env,
      MAX_SOCKET_BUFFER_BYTES: String(LIMIT),
      SIGNALBOX_SLOW_CONSUMER_TIMEOUT_MS: '300',
    });
    const slow = await Client.open(port, { channel: 'a' });
    slow.socket.pause();
    await publisher.publishMany('a', EVENTS, FILLER);
    await eventually('it is counted', () => sink.total('ws_client_backpressure_disconnect') === 1);
    slow.socket.resume();
    await slow.closes();
    expect(slow.messages.length).toBeLessThan(EVENTS);
  });
});
