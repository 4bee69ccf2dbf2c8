import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startNaiveSidecar } from '../../test/faults/naive-sidecar.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { JWT_SECRET } from '../support/signalbox.ts';
import { Publisher } from '../support/superset.ts';
import { killServer, startServer } from './server.ts';
import { storm } from './storm.ts';

describe('replay and live interleave: 2,000 clients with 40,000 events due got 80,000, 38,000 of them out of order', () => {
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

  const CLIENTS = { channels: 1000, tabs: 2, behind: 20, live: 2 };

  test.each([
    ['from the window', {}],
    ['from the streams of the channels', { SIGNALBOX_WINDOW_MAX_EVENTS: '1000' }],
  ])(
    '40,000 frames in order and none twice, beside live traffic: %s',
    async (_, env) => {
      const server = startServer({
        env: {
          REDIS_URL: redisUrl(),
          REDIS_STREAM_PREFIX: prefix,
          SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
          ...env,
        },
      });
      ended.unshift(() => killServer(server));
      const port = await server.ready();
      const { tookMs, ...result } = await storm({ port }, publisher, CLIENTS);
      process.stdout.write(`storm: ${Math.round(tookMs)} ms, ${server.cpuMs()} ms of CPU\n`);
      expect(result).toEqual({ frames: 2000 * (20 + 2), lost: 0, doubled: 0, disordered: 0 });
    },
    60_000,
  );

  test('with a replay to the whole channel, that races live events, the check fails', async () => {
    const naive = await startNaiveSidecar({ url: redisUrl(), prefix, secret: JWT_SECRET, blockMs: 100 });
    ended.unshift(() => naive.stop());
    const size = { channels: 50, tabs: 2, behind: 20, live: 2 };
    const { doubled, disordered } = await storm(naive, publisher, size);
    expect(doubled).toBeGreaterThan(500);
    expect(disordered).toBeGreaterThan(500);
  }, 60_000);
});
