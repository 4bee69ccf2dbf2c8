import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisBrokerOptions } from '../../src/broker/redis/redis-broker.ts';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import {
  describeControl,
  describeEventLog,
  describeOnce,
  describeRevocations,
  native,
} from '../../test/broker/contract.ts';
import { describeNativeLog } from '../../test/broker/native-contract.ts';
import { type ClusterGroup, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { uniquePrefix } from '../support/redis.ts';
import { brokerUnderTest, nativeLogUnderTest, pairOf } from './broker-under-test.ts';

const LIMIT_MS = 40_000;

let cluster: ClusterGroup;
beforeAll(async () => {
  cluster = await startCluster();
}, LIMIT_MS);
afterAll(() => cluster.stop(), LIMIT_MS);

const options = (streamPrefix: string): RedisBrokerOptions => ({
  address: { cluster: cluster.startupNodes, natMap: cluster.natMap },
  streamPrefix,
  nativePrefix: uniquePrefix(),
  history: { maxLength: 1000, firehoseMaxLength: 10_000 },
});

/** Asks each node of the Cluster. */
async function ofNodes<T>(ask: (node: Redis) => Promise<T>): Promise<T[]> {
  const nodes = cluster.nodes.map(({ host, port }) => new Redis({ host, port, enableReadyCheck: false }));
  try {
    return await Promise.all(nodes.map(ask));
  } finally {
    for (const node of nodes) node.disconnect();
  }
}

/** How often a node has said that it is another's turn. */
async function redirections(): Promise<number> {
  const counts = await ofNodes(async (node) =>
    Number(/^errorstat_MOVED:count=(\d+)/m.exec(await node.info('errorstats'))?.[1] ?? 0),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Gives the slot of this key, in which nothing is yet, to the next node, in the steps of a migration. */
async function moveSlotOf(key: string): Promise<void> {
  const nodes = await ofNodes(async (node) => ({
    id: await node.cluster('MYID'),
    isOwner: await node.exists(key).then(
      () => true,
      () => false,
    ),
  }));
  const slot = (await ofNodes((node) => node.cluster('KEYSLOT', key)))[0] as number;
  const owner = nodes.find(({ isOwner }) => isOwner)?.id ?? '';
  const next = nodes[(nodes.findIndex(({ isOwner }) => isOwner) + 1) % nodes.length]?.id ?? '';
  const tell = (id: string, ...what: ['IMPORTING' | 'MIGRATING' | 'NODE', string]) =>
    ofNodes(async (node) => {
      if ((await node.cluster('MYID')) === id) await node.call('CLUSTER', 'SETSLOT', `${slot}`, ...what);
    });
  await tell(next, 'IMPORTING', owner);
  await tell(owner, 'MIGRATING', next);
  // The new owner first: with that it outranks what the old one has said of itself.
  await tell(next, 'NODE', next);
  for (const { id } of nodes) if (id !== next) await tell(id, 'NODE', next);
}

describeEventLog('redis cluster, streams in one slot', async () =>
  brokerUnderTest(options(`{${uniquePrefix()}}`)),
);
describeEventLog('redis cluster, streams all over it', async () => brokerUnderTest(options(uniquePrefix())));
describeEventLog(
  'redis cluster, native',
  async () => nativeLogUnderTest(options(uniquePrefix())),
  native({ forgets: true }),
);
describeNativeLog('redis cluster', async () => nativeLogUnderTest(options(uniquePrefix())));
describeControl('redis cluster', async () =>
  pairOf(options(uniquePrefix()), createRedisBroker, (broker) => broker.control),
);
describeRevocations('redis cluster', async () =>
  pairOf(options(uniquePrefix()), createRedisBroker, (broker) => broker.revocations),
);
describeOnce('redis cluster', async () =>
  pairOf(options(uniquePrefix()), createRedisBroker, (broker) => broker.once),
);

describe('redis broker on a Cluster', () => {
  test(
    'two processes that append at once lose nothing, though not every event has one id',
    async () => {
      const prefix = uniquePrefix();
      const brokers = [createRedisBroker(options(prefix)), createRedisBroker(options(prefix))];
      await Promise.all(
        brokers.flatMap(({ log }, process) =>
          Array.from({ length: 50 }, (_, at) => log.append(`c${at % 3}`, Buffer.from(`${process}.${at}`))),
        ),
      );
      const { log } = brokers[0] as (typeof brokers)[0];
      const firehose = await log.openFirehose(new AbortController().signal);
      expect(await firehose.readBack({ count: 1000 })).toHaveLength(100);
      const pages = await Promise.all([0, 1, 2].map((at) => log.range(`c${at}`, ZERO_ID, undefined, 1000)));
      expect(pages.flatMap((page) => page.entries)).toHaveLength(100);
      await Promise.all(brokers.map((broker) => broker.close()));
    },
    LIMIT_MS,
  );

  test('each command goes to the node of its stream at once: nothing is redirected', async () => {
    const { log, close } = createRedisBroker(options(uniquePrefix()));
    const before = await redirections();
    for (let at = 0; at < 20; at += 1) {
      await log.append(`c${at}`, Buffer.from('1'));
      await log.range(`c${at}`, ZERO_ID, undefined, 1);
      await log.lastId();
    }
    expect(await redirections()).toBe(before);
    await close();
  });

  test(
    'a stream that moved to another node is followed there, by connections that are open',
    async () => {
      const prefix = `{${uniquePrefix()}}`;
      const { log, close } = createRedisBroker(options(prefix));
      let followed = 0;
      for (let move = 0; move < 6; move += 1) {
        await log.range('a', ZERO_ID, undefined, 1);
        await moveSlotOf(prefix);
        const before = await redirections();
        expect(await log.lastId()).toBe(ZERO_ID);
        const redirected = (await redirections()) - before;
        expect(redirected).toBeLessThanOrEqual(1);
        followed += redirected;
      }
      expect(followed).toBeGreaterThan(0);
      await moveSlotOf(prefix);
      const pages = await Promise.all(
        Array.from({ length: 20 }, () => log.range('a', ZERO_ID, undefined, 1)),
      );
      for (const { entries } of pages) expect(entries).toEqual([]);
      await log.append('a', Buffer.from('1'));
      expect((await log.range('a', ZERO_ID, undefined, 10)).entries).toHaveLength(1);
      await close();
    },
    LIMIT_MS,
  );

  test(
    'a node that is killed and comes back is found again',
    async () => {
      const broker = createRedisBroker({ ...options(uniquePrefix()), commandTimeoutMs: 1000 });
      const append = () => broker.log.append('a', Buffer.from('1'));
      const first = await append();
      const [node] = cluster.nodes;
      await node?.kill();
      await node?.restart({ keepData: true });
      await eventually('appending works again', append, LIMIT_MS);
      // The nodes agree one after the other that the Cluster is complete again.
      const page = await eventually('paging works again', () =>
        broker.log.range('a', ZERO_ID, undefined, 100),
      );
      expect(page.entries[0]?.id).toBe(first);
      const firehose = await eventually('the firehose is open', () =>
        broker.log.openFirehose(new AbortController().signal),
      );
      expect((await firehose.read(ZERO_ID, { count: 1, blockMs: 1000 })).entries).toHaveLength(1);
      await broker.close();
    },
    LIMIT_MS,
  );
});
