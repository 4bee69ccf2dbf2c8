import { afterEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import type { NativeLog, Publication } from '../../src/broker/ports.ts';
import { createRedisBroker, type RedisBrokerOptions } from '../../src/broker/redis/redis-broker.ts';
import { nativeFieldsOf, previousIdOf } from '../../src/event/native-entry.ts';
import {
  compareIds,
  laterId,
  msOf,
  nextId,
  type StreamId,
  streamId,
  ZERO_ID,
} from '../../src/event/stream-id.ts';
import { idOf } from '../../test/broker/native-under-test.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, redisUrl, startRedis, uniquePrefix } from '../support/redis.ts';

const MAX_U64 = 2n ** 64n - 1n;
const HISTORY = { maxLength: 1000, firehoseMaxLength: 10_000, maxAgeSeconds: 86_400 };
const GRACE_SECONDS = 3600;

const event = (channel: string, how: Partial<Publication> = {}): Publication => ({
  channel,
  data: Buffer.from('1'),
  ...how,
});

describe('native log in redis', () => {
  const started: { stop(): unknown }[] = [];
  afterEach(async () => {
    for (const one of started.splice(0).toReversed()) await one.stop();
  });

  const setUp = (options: Partial<RedisBrokerOptions> = {}, url = redisUrl()) => {
    const prefix = uniquePrefix();
    const history = { ...HISTORY, ...options.history };
    const broker = createRedisBroker({
      address: { url },
      streamPrefix: 'unused-',
      nativePrefix: prefix,
      ...options,
      history,
    });
    const world = new Redis(url);
    started.push({ stop: () => broker.close() }, { stop: () => world.disconnect() });
    const keys = { all: `${prefix}$all`, of: (channel: string) => `${prefix}c:${channel}`, prefix };
    return { log: broker.native, world, keys };
  };
  const start = async (...args: string[]): Promise<OwnRedis> => {
    const redis = await startRedis({ args });
    started.push(redis);
    return redis;
  };
  const publish = async (log: NativeLog, ...publications: Publication[]): Promise<StreamId> =>
    idOf((await log.publishEvents(publications)).at(-1));
  /** Everything that is kept under a prefix, to see that nothing of it changed. */
  const dump = async (world: Redis, prefix: string) => {
    const found = await world.keys(`${prefix}*`);
    return Promise.all(
      found.toSorted().map(async (key) => [key, (await world.dumpBuffer(key))?.toString('hex')] as const),
    );
  };

  describe('ids', () => {
    const u64 = fc.oneof(
      fc.bigInt(0n, MAX_U64),
      fc.bigInt(0n, 20n),
      fc.constantFrom(9n, 99n, 999_999_999_999_999n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n),
      fc.constantFrom(MAX_U64 / 10n, MAX_U64 - 1n, MAX_U64, 9_999_999_999_999_999_999n),
    );
    const lastId = fc
      .tuple(u64, u64)
      .filter(([ms, seq]) => ms > 0n || seq > 0n)
      .map(([ms, seq]) => `${ms}-${seq}` as StreamId);
    const seeds = fc.option(lastId, { nil: undefined });

    test('are the time, or what follows the larger of the last ids, over the whole range', async () => {
      const { log, world, keys } = setUp();
      let round = 0;
      await fc.assert(
        fc.asyncProperty(seeds, seeds, fc.boolean(), async (inChannel, inFirehose, isEmptied) => {
          round += 1;
          const channel = `c${round}`;
          await world.del(keys.all);
          for (const [key, id] of [
            [keys.of(channel), inChannel],
            [keys.all, inFirehose],
          ] as const) {
            if (id === undefined) continue;
            await world.xadd(key, id, 'd', '1');
            if (isEmptied) await world.xtrim(key, 'MAXLEN', 0);
          }
          const last = laterId(inChannel ?? ZERO_ID, inFirehose ?? ZERO_ID);
          const before = Date.now();
          const answer = await publish(log, event(channel)).catch((error: Error) => error.message);
          const isRefused = last === `${MAX_U64}-${MAX_U64}`;
          const isNow = Math.abs(msOf(answer as StreamId) - before) < 60_000;
          const isRight = isRefused
            ? answer.includes('its last id')
            : answer === nextId(last) || (msOf(last) < before && isNow);
          expect({ answer, isRight }).toEqual({ answer, isRight: true });
          expect(await log.lastId()).toBe(isRefused ? (inFirehose ?? ZERO_ID) : answer);
          const { entries } = await log.range(channel, last, undefined, 10);
          expect(entries.map((entry) => [entry.id, previousIdOf(entry)])).toEqual(
            isRefused ? [] : [[answer, inChannel ?? ZERO_ID]],
          );
        }),
        { numRuns: 300 },
      );
    });

    test('increase within one batch and over channels, wherever these are', async () => {
      const { log, world, keys } = setUp();
      const channels = ['a', 'b', 'c'];
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom(...channels), fc.bigInt(0n, 2n ** 63n))),
          fc.array(fc.constantFrom(...channels), { minLength: 1, maxLength: 10 }),
          async (jumps, batch) => {
            await world.del(keys.all, ...channels.map(keys.of));
            for (const [channel, ms] of jumps) {
              // Not where the stream is already further: a clock goes forward and back, a stream does not.
              await world.xadd(keys.of(channel), `${ms}-18446744073709551615`, 'd', '1').catch(() => {});
            }
            const ids = (await log.publishEvents(batch.map((channel) => event(channel)))).map(idOf);
            expect(ids).toEqual([...new Set(ids)].toSorted(compareIds));
          },
        ),
        { numRuns: 50 },
      );
    });

    test('at the end of the range are refused, and nothing is written', async () => {
      const { log, world, keys } = setUp();
      await world.xadd(keys.of('a'), `${MAX_U64}-${MAX_U64}`, 'd', '1');
      const before = await dump(world, keys.prefix);
      const [one, other] = await log.publishEvents([event('a', { key: 'k', snapshot: true }), event('b')]);
      expect(one).toMatchObject({ error: expect.any(Error) });
      expect(msOf(idOf(other))).toBeLessThan(2 ** 50);
      await world.del(keys.all, keys.of('b'));
      expect(await dump(world, keys.prefix)).toEqual(before);
    });
  });

  describe('when Redis refuses', () => {
    test.each([
      ['the channel', (prefix: string) => `${prefix}c:a`],
      ['the idempotency key', (prefix: string) => `${prefix}$key:k`],
      ['the snapshot', (prefix: string) => `${prefix}$snapshot:a`],
    ])('of another type, a key (%s) refuses its event, and nothing of that is written', async (_, keyOf) => {
      const { log, world, keys } = setUp();
      await world.lpush(keyOf(keys.prefix), '1');
      const [wrong, right] = await log.publishEvents([
        event('a', { key: 'k', snapshot: true }),
        event('b', { key: 'other' }),
      ]);
      expect(wrong).toMatchObject({ error: { message: expect.stringContaining('WRONGTYPE') } });
      expect(await world.xlen(keys.all)).toBe(1);
      expect(await log.lastId()).toBe(idOf(right));
      expect(
        await world.exists(`${keys.prefix}c:a`, `${keys.prefix}$key:k`, `${keys.prefix}$snapshot:a`),
      ).toBe(1);
    });

    test('a firehose of another type refuses everything', async () => {
      const { log, world, keys } = setUp();
      await world.set(keys.all, 'text');
      const before = await dump(world, keys.prefix);
      await expect(log.publishEvents([event('a', { key: 'k' }), event('b')])).rejects.toThrow('WRONGTYPE');
      expect(await dump(world, keys.prefix)).toEqual(before);
    });

    test('without memory it refuses everything but what was published before', async () => {
      const redis = await start('--maxmemory', '8mb', '--maxmemory-policy', 'noeviction');
      const { log, world, keys } = setUp({}, redis.url);
      const first = await publish(
        log,
        event('a', { key: 'k', snapshot: true }),
        event('b', { key: 'first' }),
      );
      // Trimming and expiry need no memory, and must not be what lets the rest through.
      await world.config('SET', 'maxmemory', '1');
      const before = await dump(world, keys.prefix);
      for (const one of [event('a'), event('b'), event('new', { key: 'new', snapshot: true })]) {
        await expect(log.publishEvents([one])).rejects.toThrow('OOM');
      }
      await expect(log.publishEvents([event('b', { key: 'first' }), event('b'), event('c')])).rejects.toThrow(
        'OOM',
      );
      expect(await publish(log, event('b', { key: 'first' }))).toBe(first);
      expect(await dump(world, keys.prefix)).toEqual(before);
      await world.config('SET', 'maxmemory', '0');
      expect(compareIds(await publish(log, event('a')), first)).toBeGreaterThan(0);
    });

    test('a server that became a replica refuses everything, and is left', async () => {
      const redis = await start();
      const { log, world, keys } = setUp({}, redis.url);
      const first = await publish(log, event('a', { key: 'k' }));
      const before = await dump(world, keys.prefix);
      await world.replicaof('127.0.0.1', 1);
      await expect(log.publishEvents([event('a')])).rejects.toThrow('READONLY');
      expect(await publish(log, event('a', { key: 'k' }))).toBe(first);
      expect(await dump(world, keys.prefix)).toEqual(before);
      await world.replicaof('NO', 'ONE');
      expect(await publish(log, event('a'))).toEqual(expect.any(String));
    });

    test('a channel of another type has no page', async () => {
      const { log, world, keys } = setUp();
      await world.set(keys.of('a'), 'text');
      expect(await log.range('a', ZERO_ID, undefined, 10)).toEqual({ entries: [], trimmed: true });
    });
  });

  describe('what is kept', () => {
    test('is bounded by length', async () => {
      const { log, world, keys } = setUp({ history: { maxLength: 100, firehoseMaxLength: 300 } });
      const first = await publish(log, event('a'));
      await log.publishEvents(Array.from({ length: 1000 }, () => event('a')));
      expect(await world.xlen(keys.of('a'))).toBeLessThan(300);
      expect(await world.xlen(keys.all)).toBeLessThan(500);
      expect((await log.range('a', first, undefined, 10)).trimmed).toBe(true);
    });

    test('is bounded by age, in a channel and in the firehose', async () => {
      const { log, world, keys } = setUp({ history: { ...HISTORY, maxAgeSeconds: 10 } });
      const old = streamId(Date.now() - 60_000, 0);
      for (const key of [keys.of('a'), keys.all]) {
        await world.xadd(key, old, 'c', 'a', 'd', 'x'.repeat(5000), 'p', '0-0');
      }
      const id = await publish(log, event('a'));
      expect((await log.range('a', ZERO_ID, undefined, 10)).entries.map((entry) => entry.id)).toEqual([id]);
      expect(await world.xlen(keys.all)).toBe(1);
      // Exact, since the event that is left names the one that is gone.
      expect((await log.range('a', streamId(msOf(old) - 1, 0), undefined, 10)).trimmed).toBe(true);
      expect((await log.range('a', old, undefined, 10)).trimmed).toBe(false);
    });

    test('goes away with its channel later than it is old; the firehose stays', async () => {
      const { log, world, keys } = setUp({ history: { ...HISTORY, maxAgeSeconds: 100 } });
      await publish(log, event('a'));
      expect(await world.ttl(keys.of('a'))).toBeGreaterThan(100 + GRACE_SECONDS - 10);
      expect(await world.ttl(keys.of('a'))).toBeLessThanOrEqual(100 + GRACE_SECONDS);
      expect(await world.ttl(keys.all)).toBe(-1);
    });

    test('stays for ever where no age is given', async () => {
      const { log, world, keys } = setUp({ history: { ...HISTORY, maxAgeSeconds: 0 } });
      await publish(log, event('a'));
      expect(await world.ttl(keys.of('a'))).toBe(-1);
      expect((await log.range('b', ZERO_ID, undefined, 1)).trimmed).toBe(false);
    });

    test('of a channel with a snapshot does not go away, nor does the snapshot', async () => {
      const { log, world, keys } = setUp();
      await publish(log, event('a'), event('a', { snapshot: true }));
      expect(await world.ttl(keys.of('a'))).toBe(-1);
      await publish(log, event('a'));
      expect(await world.ttl(keys.of('a'))).toBe(-1);
      expect(await world.ttl(`${keys.prefix}$snapshot:a`)).toBe(-1);
      // Until the application removes it.
      await world.del(`${keys.prefix}$snapshot:a`);
      await publish(log, event('a'));
      expect(await world.ttl(keys.of('a'))).toBeGreaterThan(0);
    });

    test('of a key is kept as long as it should', async () => {
      const { log, world, keys } = setUp({ keyTtlSeconds: 1 });
      const first = await publish(log, event('a', { key: 'k' }));
      expect(await world.ttl(`${keys.prefix}$key:k`)).toBe(1);
      await eventually('it has run out', async () => (await world.exists(`${keys.prefix}$key:k`)) === 0);
      expect(await publish(log, event('a', { key: 'k' }))).not.toBe(first);
    });
  });

  describe('a channel that was forgotten', () => {
    const history = { ...HISTORY, maxAgeSeconds: 100 };
    const ago = (seconds: number) => streamId(Date.now() - seconds * 1000, 0);

    test('leaves who was away for longer in doubt, and nobody else', async () => {
      const { log } = setUp({ history });
      const isTrimmed = async (after: StreamId) => (await log.range('a', after, undefined, 10)).trimmed;
      expect(await isTrimmed(ago(110))).toBe(true);
      expect(await isTrimmed(ago(90))).toBe(false);
      expect(await isTrimmed(ago(-10))).toBe(false);
    });

    test('and began anew, too', async () => {
      const { log, world, keys } = setUp({ history });
      const lost = await publish(log, event('a'));
      await world.del(keys.of('a'));
      const id = await publish(log, event('a'));
      const page = (after: StreamId) => log.range('a', after, undefined, 10);
      expect((await page(lost)).entries.map((entry) => entry.id)).toEqual([id]);
      expect((await page(ago(110))).trimmed).toBe(true);
      expect((await page(ago(90))).trimmed).toBe(false);
      expect((await page(id)).trimmed).toBe(false);
      // It is when it began anew that counts, not when it is asked.
      await world.xadd(keys.of('b'), ago(50), 'c', 'b', 'd', '1', 'p', '0-0');
      expect((await log.range('b', ago(140), undefined, 10)).trimmed).toBe(false);
      expect((await log.range('b', ago(160), undefined, 10)).trimmed).toBe(true);
    });

    test('has a page that ends before the event that tells', async () => {
      const { log, world, keys } = setUp({ history });
      const [one, two, three] = (await log.publishEvents([event('a'), event('a'), event('a')])).map(idOf);
      await world.xdel(keys.of('a'), one as string, two as string);
      const before = ago(90);
      expect(await log.range('a', before, two, 10)).toEqual({ entries: [], trimmed: true });
      expect(await log.range('a', two as StreamId, undefined, 10)).toMatchObject({
        entries: [{ id: three }],
        trimmed: false,
      });
    });
  });

  test('is read by the firehose and in pages as one id space', async () => {
    const { log } = setUp();
    const ids = (await log.publishEvents(['a', 'b', 'a'].map((channel) => event(channel)))).map(idOf);
    const firehose = await log.openFirehose(new AbortController().signal);
    const { entries } = await firehose.read(ids[0] as StreamId, { count: 10, blockMs: 0 });
    expect(entries.map((entry) => [entry.id, `${nativeFieldsOf(entry).channel}`])).toEqual([
      [ids[1], 'b'],
      [ids[2], 'a'],
    ]);
    expect((await log.range('a', ids[0] as StreamId, ids[1], 10)).entries).toEqual([]);
    expect((await log.range('a', ids[1] as StreamId, ids[2], 10)).entries).toHaveLength(1);
  });
});
