import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startNaiveSidecar } from '../../test/faults/naive-sidecar.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, type RedisSettings, startRedis } from '../support/redis.ts';
import { JWT_SECRET } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';
import { cookieOf, exchange, upgrade } from './raw.ts';
import { FAULTLESS, judge } from './replay-checks.ts';
import { killServer, type Server, startServer } from './server.ts';

const PREFIX = 'async-events-';
const FULL = `${PREFIX}full`;
const READER = { name: 'reader', password: 'of-the-reader', rules: '~* &* +@all' };
/** So many errors that a reader without a pause would be caught at it. */
const ERRORS = 3;

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const ownRedis = async (settings: RedisSettings = {}): Promise<OwnRedis> => {
  const redis = await startRedis(settings);
  ended.unshift(() => redis.stop());
  return redis;
};

/** A connection that no fault of the test reaches. */
const operatorOf = (redis: OwnRedis): Redis => {
  const client = new Redis({ ...redis.options });
  client.on('error', () => {});
  ended.unshift(() => client.disconnect());
  return client;
};

const start = (url: string, env: Readonly<Record<string, string>> = {}): Server => {
  const server = startServer({
    env: { REDIS_URL: url, REDIS_STREAM_READ_BLOCK_MS: '200', SIGNALBOX_DRAIN_MS: '0', ...env },
  });
  ended.unshift(() => killServer(server));
  return server;
};

const readyIs = (port: number, status: number): Promise<boolean> =>
  eventually(
    `/ready is ${status}`,
    async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status === status,
  );

const errorsAnswered = async (redis: Redis, kind: string): Promise<number> => {
  const stats = await redis.info('errorstats');
  return Number(new RegExp(`errorstat_${kind}:count=(\\d+)`).exec(stats)?.[1] ?? 0);
};

/** Waits until Redis has answered with more errors, for a second at least; tells how many a second there were. */
const errorsPerSecond = async (redis: Redis, kind: string): Promise<number> => {
  const before = await errorsAnswered(redis, kind);
  const startedMs = performance.now();
  const after = await eventually(`${ERRORS} more errors`, async () => {
    const count = await errorsAnswered(redis, kind);
    const isLong = performance.now() - startedMs > 1000;
    return isLong && count >= before + ERRORS ? count : undefined;
  });
  return ((after - before) * 1000) / (performance.now() - startedMs);
};

/** What instances tell each other is read beside the feeds. */
const isOfInstances = ({ message }: Server['log'][number]): boolean =>
  String(message).startsWith('the control stream ');

/** What an operator is shown of Superset's feed, the remarks on the configuration apart. Ours says its own once, too. */
const troubleIn = ({ log }: Server): string[] =>
  log
    .filter(({ level, key }) => (level === 'error' || level === 'warn') && key === undefined)
    .filter((line) => line['feed'] !== 'native' && !isOfInstances(line))
    .map(({ message, reason }) => [message, reason].filter((part) => typeof part === 'string').join(': '));

/** How it fares while Redis answers each attempt with an error of this kind. */
const underErrors = async (server: Server, redis: Redis, kind: string) => {
  const port = await server.port();
  await readyIs(port, 503);
  const cpuBeforeMs = server.cpuMs();
  const startedMs = performance.now();
  const perSecond = await errorsPerSecond(redis, kind);
  return {
    isCalm:
      server.log.filter(isOfInstances).length <= 1 &&
      perSecond < 50 &&
      server.cpuMs() - cpuBeforeMs < (performance.now() - startedMs) / 2,
    lines: troubleIn(server),
    health: (await fetch(`http://127.0.0.1:${port}/health`)).status,
  };
};

const calm = (kind: string) => ({
  isCalm: true,
  lines: [
    expect.stringMatching(`^The broker cannot be read: the reader is stale and keeps trying: .*${kind}`),
  ],
  health: 200,
});

/** Once it is ready, what a client gets of one event. */
const delivered = async (server: Server, redis: OwnRedis) => {
  const port = await server.port();
  await readyIs(port, 200);
  const publisher = new Publisher(redis.url, PREFIX);
  ended.unshift(() => publisher.close());
  await publisher.redis.connect();
  const client = await Client.open(port, { channel: 'a' });
  const due = [await publisher.publish('a')];
  await client.receives(1);
  return judge(client.jobs, due);
};

describe('WRONGTYPE, NOAUTH or NOPERM from Redis: 5,489 log lines a second at 100 % CPU', () => {
  test('F1.11 hot error loop: WRONGTYPE is one line and a backoff, and it reads once the key is a stream', async () => {
    const redis = await ownRedis();
    const operator = operatorOf(redis);
    await operator.set(FULL, 'not a stream');
    const server = start(redis.url);
    expect(await underErrors(server, operator, 'WRONGTYPE')).toEqual(calm('WRONGTYPE'));
    await operator.del(FULL);
    expect(await delivered(server, redis)).toEqual(FAULTLESS);
  });

  test('WRONGTYPE under a live reader', async () => {
    const redis = await ownRedis();
    const operator = operatorOf(redis);
    const server = start(redis.url);
    expect(await delivered(server, redis)).toEqual(FAULTLESS);
    await operator.set(FULL, 'not a stream');
    expect(await underErrors(server, operator, 'WRONGTYPE')).toEqual(calm('WRONGTYPE'));
    await operator.del(FULL);
    expect(await delivered(server, redis)).toEqual(FAULTLESS);
  });

  test('NOAUTH', async () => {
    const redis = await ownRedis({ password: 'of-the-default-user' });
    const operator = operatorOf(redis);
    const server = start(`redis://${redis.host}:${redis.port}`);
    expect(await underErrors(server, operator, 'NOAUTH')).toEqual(calm('NOAUTH'));
    await operator.config('SET', 'requirepass', '');
    expect(await delivered(server, redis)).toEqual(FAULTLESS);
  });

  test('NOPERM, of a user who may not read streams', async () => {
    const redis = await ownRedis({ users: [{ ...READER, rules: '~* &* +@all -xread' }] });
    const operator = operatorOf(redis);
    const server = start(`redis://reader:${READER.password}@${redis.host}:${redis.port}`);
    expect(await underErrors(server, operator, 'NOPERM')).toEqual(calm('NOPERM'));
    await operator.call('ACL', 'SETUSER', 'reader', '+xread');
    expect(await delivered(server, redis)).toEqual(FAULTLESS);
  });

  test('NOPERM, of a user who may not subscribe: realtime', async () => {
    const redis = await ownRedis({ users: [{ ...READER, rules: '~* resetchannels +@all' }] });
    const operator = operatorOf(redis);
    const url = `redis://reader:${READER.password}@${redis.host}:${redis.port}`;
    const server = start(url, { SIGNALBOX_SUPERSET_PROTOCOL: 'realtime' });
    expect(await underErrors(server, operator, 'NOPERM')).toEqual(calm('NOPERM'));
    await operator.call('ACL', 'SETUSER', 'reader', '&*');
    expect(await readyIs(await server.port(), 200)).toBe(true);
  });

  test('with an error that is tried again at once the check fails', async () => {
    const redis = await ownRedis();
    const operator = operatorOf(redis);
    await operator.set(FULL, 'not a stream');
    const naive = await startNaiveSidecar({ url: redis.url, prefix: PREFIX, secret: JWT_SECRET });
    ended.unshift(() => naive.stop());
    expect(await errorsPerSecond(operator, 'WRONGTYPE')).toBeGreaterThan(50);
    expect(naive.log.length).toBeGreaterThanOrEqual(ERRORS);
  });
});

describe('F1.23 healthy while Redis is down: upgrades accepted, clients wait on nothing', () => {
  test('down at start: /health 200, /ready 503, upgrades 503, few log lines; live once Redis is up', async () => {
    const redis = await ownRedis();
    await redis.kill();
    const server = start(redis.url);
    const port = await server.port();
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    const ready = await fetch(`http://127.0.0.1:${port}/ready`);
    expect([ready.status, await ready.text()]).toEqual([503, 'SUBSCRIBER_UNAVAILABLE']);
    for (let count = 0; count < 50; count += 1) {
      const { status, body } = await exchange(port, upgrade({ cookie: cookieOf({ channel: 'a' }) }));
      expect([status, body]).toEqual([503, 'not ready']);
    }
    expect(troubleIn(server)).toEqual([
      expect.stringMatching('^The broker cannot be read: the reader is stale and keeps trying'),
      'Refused an upgrade: not ready',
    ]);
    await redis.restart({ keepData: false });
    expect(await delivered(server, redis)).toEqual(FAULTLESS);
  });

  test('gone while sockets are open: what is published meanwhile is delivered when it is back', async () => {
    const redis = await ownRedis();
    const server = start(redis.url);
    const port = await server.ready();
    const client = await Client.open(port, { channel: 'a' });
    await redis.kill();
    await readyIs(port, 503);
    const joined = await Client.open(port, { channel: 'a' });
    await redis.restart({ keepData: true });
    const publisher = new Publisher(redis.url, PREFIX);
    ended.unshift(() => publisher.close());
    await publisher.redis.connect();
    const jobs = await publisher.publishMany('a', 5);
    await Promise.all([client.receives(5), joined.receives(5)]);
    expect([client.jobs, joined.jobs]).toEqual([jobs, jobs]);
  });
});
