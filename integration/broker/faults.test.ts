import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Broker } from '../../src/broker/ports.ts';
import { createRedisBroker, type RedisBrokerOptions } from '../../src/broker/redis/redis-broker.ts';
import { msOf, type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';

const HISTORY = { maxLength: 1000, firehoseMaxLength: 10_000 };
const PREFIXES = { streamPrefix: 'async-events-', nativePrefix: 'signalbox:' };
const text = (value: string) => Buffer.from(value);
const never = () => new AbortController().signal;

describe('redis broker', () => {
  const started: { stop(): unknown }[] = [];
  afterEach(async () => {
    for (const one of started.splice(0).toReversed()) await one.stop();
  });

  const connectTo = (options: Partial<RedisBrokerOptions> & Pick<RedisBrokerOptions, 'address'>): Broker => {
    const broker = createRedisBroker({ ...PREFIXES, history: HISTORY, ...options });
    started.push({ stop: () => broker.close() });
    return broker;
  };
  const start = async (...settings: Parameters<typeof startRedis>): Promise<OwnRedis> => {
    const redis = await startRedis(...settings);
    started.push(redis);
    return redis;
  };
  const clientOf = (redis: OwnRedis): Redis => {
    const client = new Redis(redis.options);
    started.push({ stop: () => client.disconnect() });
    return client;
  };
  const listen = async (server: Server): Promise<number> => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    started.push({ stop: () => server.close() });
    return (server.address() as AddressInfo).port;
  };

  describe('when Redis is killed', () => {
    test('a blocking read rejects at once, and so does everything on that firehose afterwards', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url } });
      const firehose = await log.openFirehose(never());
      const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 60_000 });
      const [outcome] = await Promise.all([reading.catch((error: unknown) => error), redis.kill()]);
      expect(outcome).toMatchObject({ code: 'lost' });
      await expect(firehose.head()).rejects.toMatchObject({ code: 'lost' });
      await expect(log.openFirehose(never())).rejects.toMatchObject({ code: 'unavailable' });
      await expect(log.append('a', text('1'))).rejects.toMatchObject({ code: 'unavailable' });
    });

    test('a subscriber is told once', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url } });
      const lost = jest.fn();
      await log.subscribe(['a'], { message: () => {}, lost });
      await redis.kill();
      await eventually('the loss is told', async () => lost.mock.calls.length > 0);
      expect(lost).toHaveBeenCalledTimes(1);
      expect(lost).toHaveBeenCalledWith(expect.objectContaining({ code: 'lost' }));
    });

    test('and comes back with its data, the next firehose goes on in the same epoch', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url } });
      const firehose = await log.openFirehose(never());
      const before = await firehose.head();
      const id = await log.append('a', text('1'));
      await redis.restart({ keepData: true });
      const after = await (await log.openFirehose(never())).head();
      expect(after.lastId).toBe(id);
      expect(after.epoch).toBe(before.epoch);
    });

    test('and comes back without its data, the epoch is another and the last id is 0-0', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url } });
      const before = await (await log.openFirehose(never())).head();
      await log.append('a', text('1'));
      await redis.restart({ keepData: false });
      const after = await (await log.openFirehose(never())).head();
      expect(after.lastId).toBe(ZERO_ID);
      expect(after.epoch.split(':')[0]).not.toBe(before.epoch.split(':')[0]);
      await eventually('the link is back', async () =>
        log.lastId().then(
          (id) => id === ZERO_ID,
          () => false,
        ),
      );
    });

    test('an instance hears the control messages that were sent while it was reconnecting, each once', async () => {
      const redis = await start();
      const [one, two] = [
        connectTo({ address: { url: redis.url } }),
        connectTo({ address: { url: redis.url } }),
      ];
      const heard: unknown[] = [];
      let resumed = 0;
      await one.control.listen(
        (message) => heard.push(message),
        () => {
          resumed += 1;
        },
      );
      await two.control.send(1);
      await eventually('the first is heard', async () => heard.length === 1);
      await redis.restart({ keepData: true });
      await eventually('the second is sent', () =>
        two.control.send(2).then(
          () => true,
          () => false,
        ),
      );
      await eventually('the second is heard', async () => heard.length === 2);
      expect(resumed).toBe(1);
      await redis.restart({ keepData: false });
      await eventually('the third is sent', () =>
        two.control.send(3).then(
          () => true,
          () => false,
        ),
      );
      await eventually('the third is heard', async () => heard.length === 3);
      expect(heard).toEqual([1, 2, 3]);
      expect(resumed).toBe(2);
    });
  });

  describe('when this process stood still', () => {
    const standStill = (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end; );
    };

    test('what Redis answered meanwhile is taken, however late', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url }, commandTimeoutMs: 200 });
      const firehose = await log.openFirehose(never());
      for (let round = 0; round < 5; round += 1) {
        const asked = firehose.head();
        const read = log.range('a', ZERO_ID, undefined, 1);
        // Sent, and not answered yet.
        await new Promise((resolve) => process.nextTick(resolve));
        standStill(300);
        await expect(asked).resolves.toMatchObject({ lastId: ZERO_ID });
        await expect(read).resolves.toMatchObject({ entries: [] });
      }
    });
  });

  describe('when Redis is frozen', () => {
    test('a blocking read rejects within a second after its block time', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url } });
      const firehose = await log.openFirehose(never());
      await redis.pause();
      const since = performance.now();
      await expect(firehose.read(ZERO_ID, { count: 10, blockMs: 200 })).rejects.toMatchObject({
        code: 'timeout',
      });
      expect(performance.now() - since).toBeLessThan(2500);
      await redis.resume();
      await expect(firehose.head()).rejects.toMatchObject({ code: 'timeout' });
    });

    test('an append and a page reject at the deadline, and work again once it answers', async () => {
      const redis = await start();
      const { log } = connectTo({
        address: { url: redis.url },
        commandTimeoutMs: 200,
        connectTimeoutMs: 200,
      });
      await log.append('a', text('1'));
      await log.range('a', ZERO_ID, undefined, 1);
      await redis.pause();
      const calls = [log.append('a', text('2')), log.range('a', ZERO_ID, undefined, 1)];
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'timeout' });
      await expect(log.append('a', text('3'))).rejects.toMatchObject({ code: 'unavailable' });
      await redis.resume();
      await eventually('appending works', () =>
        log.append('a', text('4')).then(
          () => true,
          () => false,
        ),
      );
    });

    test('a claim is never assumed', async () => {
      const redis = await start();
      const broker = connectTo({ address: { url: redis.url }, commandTimeoutMs: 200 });
      expect(await broker.once.claim('a', 60_000)).toBe(true);
      await redis.pause();
      await expect(broker.once.claim('b', 60_000)).rejects.toMatchObject({ code: 'timeout' });
      await redis.resume();
    });

    test('a subscriber is told, though its connection stays open', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url }, commandTimeoutMs: 200 });
      const lost = jest.fn();
      await log.subscribe(['a'], { message: () => {}, lost });
      await redis.pause();
      await eventually('the loss is told', async () => lost.mock.calls.length > 0);
      expect(lost).toHaveBeenCalledTimes(1);
      await redis.resume();
    });
  });

  describe('when nothing is there', () => {
    test('opening rejects and says why', async () => {
      const { log } = connectTo({ address: { host: '127.0.0.1', port: 1 } });
      await expect(log.openFirehose(never())).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('ECONNREFUSED'),
      });
    });

    test('a thousand calls are a few attempts', async () => {
      let attempts = 0;
      const port = await listen(
        createServer((socket) => {
          attempts += 1;
          socket.destroy();
        }),
      );
      const { log } = connectTo({ address: { host: '127.0.0.1', port } });
      for (let round = 0; round < 10; round += 1) {
        const calls = Array.from({ length: 100 }, () => log.range('a', ZERO_ID, undefined, 1));
        for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
      }
      expect(attempts).toBeGreaterThan(0);
      expect(attempts).toBeLessThan(6);
    });

    test('a server that accepts and says nothing is given up', async () => {
      const port = await listen(createServer((socket) => socket.resume()));
      const { log } = connectTo({
        address: { host: '127.0.0.1', port, password: 'x' },
        connectTimeoutMs: 200,
      });
      await expect(log.openFirehose(never())).rejects.toMatchObject({ code: 'unavailable' });
    });

    test('an attempt that is aborted rejects with the reason', async () => {
      const server = createServer((socket) => socket.resume());
      const port = await listen(server);
      const { log } = connectTo({ address: { host: '127.0.0.1', port, password: 'x' } });
      const abort = new AbortController();
      const opening = log.openFirehose(abort.signal).catch((error: unknown) => error);
      await once(server, 'connection');
      abort.abort(new Error('enough'));
      expect(await opening).toMatchObject({ message: 'enough' });
    });
  });

  describe('when Redis refuses', () => {
    test('a key of the wrong kind rejects reading and appending with what Redis says, and has no pages', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url } });
      const firehose = await log.openFirehose(never());
      const world = clientOf(redis);
      await world.set('async-events-a', 'text');
      expect(await log.range('a', ZERO_ID, undefined, 1)).toEqual({ entries: [], trimmed: true });
      await expect(log.append('a', text('1'))).rejects.toThrow('WRONGTYPE');
      await world.set('async-events-full', 'text');
      await expect(firehose.head()).rejects.toThrow('WRONGTYPE');
      await expect(firehose.read(ZERO_ID, { count: 1, blockMs: 100 })).rejects.toThrow('WRONGTYPE');
      // Refused before the first write, so a channel never has what the firehose has not.
      await expect(log.append('b', text('1'))).rejects.toThrow('WRONGTYPE');
      expect((await log.range('b', ZERO_ID, undefined, 1)).entries).toEqual([]);
      // A refusal leaves the connection as it was.
      await world.del('async-events-full');
      expect((await firehose.head()).lastId).toBe(ZERO_ID);
    });

    test('a wrong password is refused at the opening, a missing one at the first question', async () => {
      const redis = await start({ password: 'secret' });
      const { host, port } = redis;
      const wrong = connectTo({ address: { host, port, password: 'guess' } });
      await expect(wrong.log.openFirehose(never())).rejects.toThrow('WRONGPASS');
      const none = connectTo({ address: { host, port, username: 'default', password: '' } });
      await expect(none.log.openFirehose(never()).then((firehose) => firehose.head())).rejects.toThrow(
        'NOAUTH',
      );
      const right = connectTo({ address: { host, port, username: 'default', password: 'secret' } });
      expect((await (await right.log.openFirehose(never())).head()).lastId).toBe(ZERO_ID);
    });
  });

  describe('append', () => {
    test.each([
      ['a future millisecond in the channel', '9999999999999-5', '9999999999990-7', '9999999999999-6'],
      ['a future millisecond in the firehose', '9999999999990-7', '9999999999999-5', '9999999999999-6'],
      ['one millisecond in both', '9999999999999-5', '9999999999999-11', '9999999999999-12'],
      [
        'a sequence that Lua cannot count',
        '9999999999999-9007199254740993',
        '9999999999999-2',
        '10000000000000-0',
      ],
    ])('goes on after the ids of other writers: %s', async (_, inChannel, inFirehose, expected) => {
      const redis = await start();
      const world = clientOf(redis);
      await world.xadd('async-events-a', inChannel, 'data', '1');
      await world.xadd('async-events-full', inFirehose, 'data', '1');
      const { log } = connectTo({ address: { url: redis.url } });
      expect(await log.append('a', text('2'))).toBe(expected);
      const page = await log.range('a', inChannel as StreamId, undefined, 10);
      expect(page).toMatchObject({ entries: [{ id: expected }], trimmed: false });
      expect(await log.lastId()).toBe(expected);
    });

    test('takes the time of the server where that is later', async () => {
      const redis = await start();
      await clientOf(redis).xadd('async-events-a', '5-18446744073709551615', 'data', '1');
      const { log } = connectTo({ address: { url: redis.url } });
      expect(Math.abs(msOf(await log.append('a', text('2'))) - Date.now())).toBeLessThan(60_000);
    });

    test('trims both streams to about their lengths, and says so of what is gone', async () => {
      const redis = await start();
      const { log } = connectTo({
        address: { url: redis.url },
        history: { maxLength: 100, firehoseMaxLength: 300 },
      });
      const first = await log.append('a', text('0'));
      await Promise.all(Array.from({ length: 1000 }, (_, at) => log.append('a', text(`${at}`))));
      const page = await log.range('a', first, undefined, 10_000);
      expect(page.trimmed).toBe(true);
      expect(page.entries.length).toBeGreaterThanOrEqual(100);
      expect(page.entries.length).toBeLessThan(300);
      const firehose = await log.openFirehose(never());
      expect((await firehose.readBack({ count: 10_000 })).length).toBeLessThan(500);
      expect((await firehose.read(first, { count: 10, blockMs: 0 })).trimmed).toBe(true);
    });

    test('where channels expire, who was away for longer is told, and who was not, is not', async () => {
      const redis = await start();
      const { log } = connectTo({ address: { url: redis.url }, channelExpirySeconds: 1 });
      const id = await log.append('a', text('1'));
      const page = () => log.range('a', id, undefined, 10);
      expect(await page()).toEqual({ entries: [], trimmed: false });
      await eventually(
        'the channel is gone',
        async () => (await log.range('a', ZERO_ID, undefined, 1)).entries.length === 0,
      );
      await eventually('the position is too old', async () => (await page()).trimmed);
      expect((await log.range('a', `${Date.now() + 1000}-0` as StreamId, undefined, 10)).trimmed).toBe(false);
      expect(await log.lastId()).toBe(id);
    });
  });
});
