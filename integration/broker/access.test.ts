import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Broker } from '../../src/broker/ports.ts';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';

const PREFIXES = { streamPrefix: 's-', nativePrefix: 'n-' };
const HISTORY = { maxLength: 1000, firehoseMaxLength: 10_000 };
const never = () => new AbortController().signal;

/** The rows of the table at createRedisBroker. */
const READING = '+xread +xrange +xrevrange +xinfo|stream +time +multi +exec';
const EPOCH = '+get +set +info';
const APPEND = '+xadd +eval +evalsha';
const PUB_SUB = '+subscribe +unsubscribe +ping +publish';
const CONTROL_AND_ONCE =
  '+xread +xadd +xinfo|stream +time +eval +evalsha +zadd +zremrangebyscore +zrange +zrangebyscore +zscan +pexpireat +set';

const NATIVE_READING = '+hmget';
const NATIVE_PUBLISHING =
  '+eval +evalsha +time +xinfo|stream +get +hget +xadd +set +expire +xtrim +hset +persist';

const USERS = [
  {
    name: 'native',
    password: 'native-password',
    rules: `~n-* -@all ${READING} ${EPOCH} ${NATIVE_READING} ${NATIVE_PUBLISHING}`,
  },
  {
    name: 'producer',
    password: 'producer-password',
    rules: `~n-* -@all ${NATIVE_PUBLISHING}`,
  },
  {
    name: 'all',
    password: 'all-password',
    rules: `~s-* ~n-* &* -@all ${READING} ${EPOCH} ${APPEND} ${PUB_SUB} ${CONTROL_AND_ONCE}`,
  },
  { name: 'reader', password: 'reader-password', rules: `~s-* &* -@all ${READING}` },
  { name: 'listener', password: 'listener-password', rules: `&public-* -@all ${PUB_SUB}` },
  { name: 'nobody', password: 'nobody-password', rules: '~x-* &* +@all' },
];

describe('redis broker with limited access', () => {
  let redis: OwnRedis;
  const brokers: Broker[] = [];
  beforeAll(async () => {
    redis = await startRedis({ users: USERS, defaultUserOff: true, unixSocket: true });
  });
  afterAll(async () => {
    await Promise.all(brokers.map((broker) => broker.close()));
    await redis.stop();
  });

  const as = (username: string, onNote: (message: string) => void = () => {}, how = {}) => {
    const { host, port } = redis;
    const address = { host, port, username, password: `${username}-password`, ...how };
    const broker = createRedisBroker({ ...PREFIXES, history: HISTORY, address, onNote });
    brokers.push(broker);
    return broker;
  };

  test('everything works with the rights that the table names', async () => {
    const notes = jest.fn();
    const { log, control, once, revocations } = as('all', notes);
    const firehose = await log.openFirehose(never());
    expect((await firehose.head()).epoch).toMatch(/^[0-9a-f]{16}:[0-9a-f]{16}$/);
    const id = await log.append('a', Buffer.from('1'));
    expect((await firehose.read(ZERO_ID, { count: 1, blockMs: 100 })).entries[0]?.id).toBe(id);
    expect(await firehose.readBack({ count: 1 })).toHaveLength(1);
    expect((await log.range('a', ZERO_ID, undefined, 1)).entries).toHaveLength(1);
    expect(await log.lastId()).toBe(id);
    const heard: unknown[] = [];
    const subscriber = await log.subscribe(['c'], {
      message: (_, payload) => heard.push(`${payload}`),
      lost: () => {},
    });
    await control.listen((message) => heard.push(message));
    expect(await log.publish('c', Buffer.from('published'))).toBe(1);
    await control.send('sent');
    await eventually('both are heard', () => heard.length === 2);
    subscriber.remove('c');
    await eventually('it is told', async () => (await log.publish('c', Buffer.from('late'))) === 0);
    await control.heartbeat('me', 10_000);
    expect(await control.instances()).toEqual(['me']);
    expect(await once.claim('a', 1000)).toBe(true);
    const revocation = { of: 'user', id: '5', atMs: Date.now() } as const;
    await revocations.add([revocation], 60_000);
    expect(await revocations.all()).toEqual([revocation]);
    expect(notes).not.toHaveBeenCalled();
  });

  test('a channel that is refused costs a subscriber none of the others', async () => {
    const { log } = as('listener');
    const heard: string[] = [];
    const lost = jest.fn();
    const listener = { message: (_: string, payload: Buffer) => void heard.push(`${payload}`), lost };
    const subscriber = await log.subscribe(['public-a'], listener);
    await expect(subscriber.add('private')).rejects.toThrow('NOPERM');
    await expect(subscriber.add('private')).rejects.toThrow('NOPERM');
    await subscriber.add('public-b');
    await log.publish('public-a', Buffer.from('1'));
    await log.publish('public-b', Buffer.from('2'));
    await eventually('both are heard', () => heard.length === 2);
    expect(lost).not.toHaveBeenCalled();
    await expect(log.subscribe(['public-a', 'private'], listener)).rejects.toThrow('NOPERM');
    await eventually(
      'no connection is left of it',
      async () => (await log.publish('public-a', Buffer.from('3'))) === 1,
    );
    expect(lost).not.toHaveBeenCalled();
  });

  test('a user of the old sidecar, who may only read its streams, is served, and told once what is missing', async () => {
    const notes = jest.fn();
    const { log } = as('reader', notes);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const firehose = await log.openFirehose(never());
      const head = await firehose.head();
      expect(head.epoch).toBe('');
      await firehose.read(head.lastId, { count: 1, blockMs: 0 });
      await firehose.readBack({ count: 1 });
    }
    await log.range('a', ZERO_ID, undefined, 1);
    expect(notes.mock.calls.map(([note]) => note)).toEqual([
      expect.stringContaining('GET and SET'),
      expect.stringContaining('INFO'),
    ]);
    await expect(log.append('a', Buffer.from('1'))).rejects.toThrow('NOPERM');
  });

  test('native channels work with the rights that the table names, and producers need fewer', async () => {
    const notes = jest.fn();
    const { native } = as('native', notes);
    const event = { channel: 'a', topic: 't', data: Buffer.from('1'), key: 'k' };
    const outcomes = await native.publishEvents([event, { ...event, key: 'other', snapshot: true }, event]);
    expect(outcomes[2]).toEqual(outcomes[0]);
    const firehose = await native.openFirehose(never());
    expect((await firehose.head()).epoch).toMatch(/^[0-9a-f]{16}:[0-9a-f]{16}$/);
    expect((await firehose.read(ZERO_ID, { count: 10, blockMs: 100 })).entries).toHaveLength(2);
    expect(await firehose.readBack({ count: 1 })).toHaveLength(1);
    expect((await native.range('a', ZERO_ID, undefined, 10)).entries).toHaveLength(2);
    expect(await native.snapshot('a')).toMatchObject(outcomes[1] as object);
    const [last] = await as('producer').native.publishEvents([{ ...event, key: 'third', snapshot: true }]);
    expect(await native.lastId()).toBe((last as { id: string }).id);
    expect(notes).not.toHaveBeenCalled();
  });

  test('who may not read the stream is refused', async () => {
    const firehose = await as('nobody').log.openFirehose(never());
    await expect(firehose.head()).rejects.toThrow('NOPERM');
    await expect(firehose.read(ZERO_ID, { count: 1, blockMs: 100 })).rejects.toThrow('NOPERM');
    await expect(as('nobody').log.range('a', ZERO_ID, undefined, 1)).rejects.toThrow('NOPERM');
  });

  test('a unix socket is reached by path and by URL', async () => {
    const path = redis.path ?? '';
    const byPath = await as('all', () => {}, { path }).log.openFirehose(never());
    const byUrl = await as('all', () => {}, { url: `unix://${path}`, host: undefined }).log.openFirehose(
      never(),
    );
    expect(await byPath.head()).toMatchObject({ epoch: (await byUrl.head()).epoch });
  });
});
