import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RedisBrokerOptions } from '../../src/broker/redis/redis-broker.ts';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { describeControl, describeEventLog, describeOnce } from '../../test/broker/contract.ts';
import { type ClusterGroup, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { uniquePrefix } from '../support/redis.ts';
import { brokerUnderTest, pairOf } from './broker-under-test.ts';

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

describeEventLog('redis cluster, streams in one slot', async () =>
  brokerUnderTest(options(`{${uniquePrefix()}}`)),
);
describeEventLog('redis cluster, streams all over it', async () => brokerUnderTest(options(uniquePrefix())));
describeControl('redis cluster', async () =>
  pairOf(options(uniquePrefix()), createRedisBroker, (broker) => broker.control),
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
