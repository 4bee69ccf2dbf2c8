import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { NativeClient } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { cookieOf } from './raw.ts';
import { startStatsdSink, type StatsdSink } from './statsd-sink.ts';

/** More than may come at once, and than can become free while they come. */
const CROWD = 40;

const ended: (() => unknown)[] = [];
let sink: StatsdSink;

beforeEach(async () => {
  sink = await startStatsdSink();
  ended.push(() => sink.stop());
});
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const start = async (env: Readonly<Record<string, string>>): Promise<Signalbox> => {
  const prefix = uniquePrefix();
  const signalbox = await startSignalbox({
    REDIS_URL: redisUrl(),
    REDIS_STREAM_PREFIX: prefix,
    SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    SIGNALBOX_TRUST_PROXY: 'true',
    ...sink.env,
    ...env,
  });
  ended.unshift(() => signalbox.stop());
  await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
  // Beside Superset's feed a server is ready before it reads ours.
  ended.unshift(() => witness.cut());
  const witness = await NativeClient.open(signalbox.port, { headers: { 'x-forwarded-for': '203.0.113.1' } });
  return signalbox;
};

/** A client of Superset's as a proxy passes it on: 101, or the answer that it is refused with. */
async function upgradeFrom(port: number, address: string): Promise<{ status: number; retryAfter?: string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    headers: { cookie: cookieOf({ channel: 'a' }), 'x-forwarded-for': address },
  });
  ended.unshift(() => socket.terminate());
  socket.on('error', () => {});
  return Promise.race([
    once(socket, 'open').then(() => ({ status: 101 })),
    once(socket, 'unexpected-response').then(([, response]) => {
      const { statusCode = 0, headers } = response as IncomingMessage;
      return { status: statusCode, retryAfter: headers['retry-after'] as string };
    }),
  ]);
}

const each = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: CROWD }, make));

describe('limits.connectsPerIpPerSecond', () => {
  const env = { SIGNALBOX_LIMITS_CONNECTS_PER_IP_PER_SECOND: '1' };

  test("refuses Superset's clients of one address with 429, and none of another", async () => {
    const { port } = await start(env);
    const crowd = await each(() => upgradeFrom(port, '192.0.2.1'));
    const refused = crowd.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(CROWD / 2);
    expect(crowd.filter(({ status }) => status === 101).length).toBe(CROWD - refused.length);
    expect(new Set(refused.map(({ retryAfter }) => retryAfter))).toEqual(new Set(['1']));
    expect((await upgradeFrom(port, '192.0.2.2')).status).toBe(101);
    await eventually('it is counted', () => sink.total('signalbox.rate_limited') === refused.length);
  });

  test('closes native clients with 4429 and how long to wait, whichever address of a /64 they have', async () => {
    const { port } = await start(env);
    let host = 0;
    const crowd = await each(async () => {
      host += 1;
      const client = new NativeClient(port, { headers: { 'x-forwarded-for': `2001:db8::${host}` } });
      ended.unshift(() => client.cut());
      await client.connects();
      client.send({ type: 'hello', ref: 0 });
      await eventually('it is answered', () => client.frames.length > 0);
      return client;
    });
    const refused = crowd.filter(({ frames }) => frames[0]?.type === 'error');
    expect(refused.length).toBeGreaterThan(CROWD / 2);
    for (const client of refused) {
      expect(client.frames).toMatchObject([{ code: 'rate_limited', retryAfter: expect.any(Number) }]);
      expect(await client.closes()).toEqual({ code: 4429, reason: 'rate_limited' });
    }
    const other = await NativeClient.open(port, { headers: { 'x-forwarded-for': '2001:db8:0:1::1' } });
    expect(other.frames[0]?.type).toBe('welcome');
    other.cut();
  });

  test('counts both protocols together', async () => {
    const { port } = await start(env);
    const beginMs = performance.now();
    const native = async (): Promise<boolean> => {
      const client = new NativeClient(port, { headers: { 'x-forwarded-for': '192.0.2.1' } });
      ended.unshift(() => client.cut());
      await client.connects();
      client.send({ type: 'hello', ref: 0 });
      await eventually('it is answered', () => client.frames.length > 0);
      return client.frames[0]?.type === 'welcome';
    };
    const superset = async () => (await upgradeFrom(port, '192.0.2.1')).status === 101;
    const [ofNative, ofSuperset] = await Promise.all([each(native), each(superset)]);
    const seconds = (performance.now() - beginMs) / 1000;
    const letIn = [...ofNative, ...ofSuperset].filter((isIn) => isIn).length;
    expect(letIn).toBeGreaterThanOrEqual(2);
    // Two at once, and one for each second that it took; each protocol for itself would be let in twice that.
    expect(letIn).toBeLessThanOrEqual(2 + seconds);
  });

  test('is off where it is not set', async () => {
    const { port } = await start({});
    const crowd = await each(() => upgradeFrom(port, '192.0.2.1'));
    expect(new Set(crowd.map(({ status }) => status))).toEqual(new Set([101]));
  });
});

test('limits.requestsPerSecond refuses an address without a token, and no probe', async () => {
  const { url } = await start({ SIGNALBOX_LIMITS_REQUESTS_PER_SECOND: '1' });
  const ask = (path: string) =>
    each(async () => (await fetch(url + path, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status);
  const statuses = await ask('/history?channel=sport');
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect(new Set(await ask('/health'))).toEqual(new Set([200]));
});
