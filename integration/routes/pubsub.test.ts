import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, redisUrl, startRedis } from '../support/redis.ts';
import { type RouteServer, serveRoutes } from './server.ts';

const GAP = 'event: gap\ndata: {"reason":"lossy"}\n\n';
const GC_MS = 300;

/** Routes for channels of this test alone: their names have no prefix in Redis. */
function routesFor(prefix: string, more: object = {}) {
  const to = (path: string, fields: object) => ({
    path: `^/${path}/(\\w+)$`,
    channel: `${prefix}$1`,
    channels: [`${prefix}*`],
    ...fields,
    ...more,
  });
  return [to('sse', {}), to('raw', { format: 'raw', contentType: 'application/octet-stream' })];
}

describe('routes of Pub/Sub channels', () => {
  const servers: RouteServer[] = [];
  let prefix: string;

  const serve = async (url: string, routes: readonly object[]) => {
    const server = await serveRoutes({ REDIS_URL: url, GC_CHANNELS_INTERVAL_MS: `${GC_MS}` }, routes);
    servers.push(server);
    return server;
  };
  const numSub = async (redis: Redis, channel: string): Promise<number> =>
    Number((await redis.pubsub('NUMSUB', prefix + channel))[1]);
  const subscribed = (redis: Redis, channel: string, count = 1) =>
    eventually(`${count} subscribe to ${channel}`, async () => (await numSub(redis, channel)) === count);

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  describe('of a Redis that everybody shares', () => {
    let redis: Redis;
    beforeAll(() => {
      redis = new Redis(redisUrl());
    });
    afterAll(() => redis.disconnect());
    const start = () => {
      prefix = `routes-${randomUUID()}:`;
      return serve(redisUrl(), routesFor(prefix));
    };

    test('bring messages in order, line by line, and drop empty ones', async () => {
      const server = await start();
      const reader = await server.read('/sse/news');
      await subscribed(redis, 'news');
      for (const message of ['foobar', '', 'foobar\nfoobar2', 'a\r\nid: 5\rb', 'end']) {
        await redis.publish(`${prefix}news`, message);
      }
      await eventually('all have come', () => reader.text().endsWith('data: end\n\n'));
      expect(reader.text()).toBe(
        'data: foobar\n\ndata: foobar\ndata: foobar2\n\ndata: a\ndata: id: 5\ndata: b\n\ndata: end\n\n',
      );
    });

    test('bring raw bytes as they are, also a megabyte of them', async () => {
      const server = await start();
      const reader = await server.read('/raw/bytes');
      await subscribed(redis, 'bytes');
      const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const large = Buffer.alloc(1_048_576, every);
      await redis.publish(`${prefix}bytes`, every);
      await redis.publish(`${prefix}bytes`, large);
      const whole = Buffer.concat([every, large]).toString('latin1').replaceAll(':\n\n', '');
      await eventually('all have come', () => reader.text().length >= whole.length);
      expect(reader.text() === whole).toBe(true);
    });

    test('are unsubscribed some time after their last reader, and subscribed again for the next', async () => {
      const server = await start();
      const [one, two] = [await server.read('/sse/clock'), await server.read('/sse/clock')];
      await subscribed(redis, 'clock');
      one.close();
      two.close();
      await subscribed(redis, 'clock', 0);
      const next = await server.read('/sse/clock');
      await subscribed(redis, 'clock');
      await redis.publish(`${prefix}clock`, '2');
      await eventually('it has come', () => next.text() !== '');
      expect([one.text(), two.text(), next.text()]).toEqual(['', '', 'data: 2\n\n']);
    });

    test('end with the server, and nothing stays subscribed', async () => {
      const server = await start();
      const reader = await server.read('/sse/clock');
      await subscribed(redis, 'clock');
      await server.close();
      await reader.ended;
      await subscribed(redis, 'clock', 0);
      expect(reader.text()).toMatch(/^retry: \d+\n\n$/);
    });
  });

  describe('of a Redis of their own', () => {
    let own: OwnRedis;
    beforeAll(async () => {
      own = await startRedis({
        unixSocket: true,
        users: [{ name: 'me', password: 'pw', rules: '+@all &*' }],
      });
    });
    afterAll(() => own.stop());
    const connect = async <T>(use: (redis: Redis) => Promise<T>): Promise<T> => {
      const redis = new Redis(own.options);
      try {
        return await use(redis);
      } finally {
        redis.disconnect();
      }
    };

    test('cost it one subscription and one connection, however many read them, in whatever format', async () => {
      prefix = 'many:';
      const redis = new Redis(own.options);
      const server = await serve(own.url, routesFor(prefix));
      const before = (await redis.client('LIST')) as string;
      // Each format has a channel of its own to begin with, so that it is seen when it hears.
      await Promise.all(['/sse/a', '/raw/b'].map((path) => server.read(path)));
      await Promise.all(['a', 'b'].map((channel) => subscribed(redis, channel)));
      const paths = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? '/raw/clock' : '/sse/clock'));
      const readers = await Promise.all([...paths, '/sse/news'].map((path) => server.read(path)));
      await subscribed(redis, 'clock');
      await subscribed(redis, 'news');
      const subscribers = (list: string) => list.split('\n').filter((line) => / sub=[1-9]/.test(line)).length;
      expect(subscribers((await redis.client('LIST')) as string) - subscribers(before)).toBe(1);
      expect(await redis.publish(`${prefix}clock`, '1')).toBe(1);
      await eventually('all have it', () => readers.slice(0, 30).every(({ text }) => text() !== ''));
      const texts = new Set(readers.map(({ text }) => text()));
      redis.disconnect();
      expect(texts).toEqual(new Set(['data: 1\n\n', '1', '']));
    });

    test('tell their readers that something was missed, once they hear again, and go on', async () => {
      prefix = 'restart:';
      const server = await serve(own.url, routesFor(prefix));
      const [reader, raw] = [await server.read('/sse/clock'), await server.read('/raw/bytes')];
      const publish = (message: string) =>
        connect(async (redis) => {
          await Promise.all(['clock', 'bytes'].map((channel) => subscribed(redis, channel)));
          await redis.publish(`${prefix}clock`, message);
          await redis.publish(`${prefix}bytes`, message);
        });
      await publish('1');
      await eventually('it has come', () => reader.text() !== '' && raw.text() !== '');
      await own.kill();
      await eventually('it is noticed', () => server.reported.includes('readerStale'));
      expect(reader.text()).toBe('data: 1\n\n');
      await own.restart({ keepData: true });
      await publish('2');
      await eventually('it has come', () => reader.text().includes('2') && raw.text().includes('2'));
      expect([reader.text(), raw.text()]).toEqual([`data: 1\n\n${GAP}data: 2\n\n`, '12']);
    });

    test('reach other servers by their URLs: over a socket, as another user, and share a connection to each', async () => {
      prefix = 'other:';
      const { host, port, path } = own;
      const urls = [`unix://${path}`, `unix://${path}?db=2`, `redis://me:pw@${host}:${port}`];
      const routes = urls.map((redis, at) => ({ path: `^/${at}$`, channel: `${prefix}clock`, redis }));
      const server = await serve(redisUrl(), routes);
      const readers = await Promise.all(urls.map((_, at) => server.read(`/${at}`)));
      await connect(async (redis) => {
        await subscribed(redis, 'clock', 2);
        const users = ((await redis.client('LIST')) as string)
          .split('\n')
          .filter((line) => line.includes('sub=1'))
          .map((line) => / user=(\w+)/.exec(line)?.[1]);
        expect(new Set(users)).toEqual(new Set(['default', 'me']));
        await redis.publish(`${prefix}clock`, '1');
      });
      await eventually('all have it', () => readers.every(({ text }) => text() === 'data: 1\n\n'));
    });

    test('open streams while a server is away, and tell what was missed when it is there', async () => {
      prefix = 'away:';
      await own.kill();
      const server = await serve(redisUrl(), routesFor(prefix, { redis: own.url }));
      const reader = await server.read('/sse/clock');
      await eventually('it is noticed', () => server.reported.includes('readerStale'));
      await own.restart({ keepData: true });
      await connect(async (redis) => {
        await subscribed(redis, 'clock');
        await redis.publish(`${prefix}clock`, '1');
      });
      await eventually('it has come', () => reader.text().endsWith('data: 1\n\n'));
      expect(reader.text()).toBe(`${GAP}data: 1\n\n`);
    });
  });
});
