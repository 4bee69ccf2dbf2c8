import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';

const STREAMS = 5_000;
const AT_ONCE = 100;
const MESSAGES = 5;

describe('thousands of streams of one route', () => {
  let server: SignalboxProcess | undefined;
  let redis: Redis;
  const requests: ClientRequest[] = [];

  afterEach(async () => {
    for (const request of requests.splice(0)) request.destroy();
    await redis.quit();
    await server?.end('SIGKILL');
  });

  test('are one subscription in Redis, and each gets every message in order', async () => {
    const channel = `${uniquePrefix()}clock`;
    redis = new Redis(redisUrl());
    server = await startProcess({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: `${channel}:`,
      SIGNALBOX_ROUTES: JSON.stringify([{ path: '^/clock$', channel, source: 'pubsub' }]),
    });
    const { port } = server;
    const heard: string[] = Array.from({ length: STREAMS }, () => '');
    for (let from = 0; from < STREAMS; from += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, at) => {
          const request = get({ port, host: '127.0.0.1', path: '/clock', agent: false });
          request.on('error', () => {});
          requests.push(request);
          const [response] = (await once(request, 'response')) as [IncomingMessage];
          response.on('error', () => {});
          response.on('data', (bytes: Buffer) => {
            heard[from + at] += bytes.toString();
          });
        }),
      );
    }
    await eventually('it is subscribed', async () => (await subscribers(channel)) === 1);
    for (let n = 0; n < MESSAGES; n += 1) await redis.publish(channel, `message ${n}`);
    const expected = Array.from({ length: MESSAGES }, (_, n) => `data: message ${n}\n\n`).join('');
    const isComplete = (text: string): boolean =>
      text.replace(/^retry: \d+\n\n/, '').replaceAll(':\n\n', '') === expected;
    await eventually('all have heard all', () => heard.every(isComplete), 60_000);
    expect(heard.filter((text) => !isComplete(text))).toEqual([]);
    expect(await subscribers(channel)).toBe(1);
  }, 120_000);

  const subscribers = async (channel: string): Promise<number> => {
    const [, count] = (await redis.pubsub('NUMSUB', channel)) as [string, number];
    return count;
  };
});
