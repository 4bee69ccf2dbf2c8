import { createRedisBroker } from '../src/broker/redis/redis-broker.ts';
import {
  describeControl,
  describeEventLog,
  describeOnce,
  describeRevocations,
  native,
} from '../test/broker/contract.ts';
import { describeNativeLog } from '../test/broker/native-contract.ts';
import { brokerUnderTest, nativeLogUnderTest, pairOf } from './broker/broker-under-test.ts';
import { redisUrl, uniquePrefix } from './support/redis.ts';

const options = () => ({
  address: { url: redisUrl() },
  streamPrefix: uniquePrefix(),
  nativePrefix: uniquePrefix(),
  history: { maxLength: 1000, firehoseMaxLength: 10_000 },
});

describeEventLog('redis', async () => brokerUnderTest(options()));
describeEventLog('redis, native', async () => nativeLogUnderTest(options()), native({ forgets: true }));
describeNativeLog('redis', async () => nativeLogUnderTest(options()));
describeControl('redis', async () => pairOf(options(), createRedisBroker, (broker) => broker.control));
describeRevocations('redis', async () =>
  pairOf(options(), createRedisBroker, (broker) => broker.revocations),
);
describeOnce('redis', async () => pairOf(options(), createRedisBroker, (broker) => broker.once));
