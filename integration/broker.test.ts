import { createRedisBroker } from '../src/broker/redis/redis-broker.ts';
import { describeControl, describeEventLog, describeOnce } from '../test/broker/contract.ts';
import { brokerUnderTest, pairOf } from './broker/broker-under-test.ts';
import { redisUrl, uniquePrefix } from './support/redis.ts';

const options = () => ({
  address: { url: redisUrl() },
  streamPrefix: uniquePrefix(),
  nativePrefix: uniquePrefix(),
  history: { maxLength: 1000, firehoseMaxLength: 10_000 },
});

describeEventLog('redis', async () => brokerUnderTest(options()));
describeControl('redis', async () => pairOf(options(), createRedisBroker, (broker) => broker.control));
describeOnce('redis', async () => pairOf(options(), createRedisBroker, (broker) => broker.once));
