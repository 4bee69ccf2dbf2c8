import { Connector } from '../../src/broker/redis/connect.ts';
import { createKeys, createNativeKeys } from '../../src/broker/redis/keys.ts';
import { createRedisBroker, type RedisBrokerOptions } from '../../src/broker/redis/redis-broker.ts';
import type { Broker } from '../../src/broker/ports.ts';
import type { LogUnderTest, Pair } from '../../test/broker/contract.ts';
import type { NativeLogUnderTest } from '../../test/broker/native-under-test.ts';

/** A Redis broker for the contract suite, and a connection beside it that trims its streams. */
export async function brokerUnderTest(options: RedisBrokerOptions): Promise<LogUnderTest> {
  const broker = createRedisBroker(options);
  const connector = new Connector({ address: options.address, connectTimeoutMs: 5000 });
  const keys = createKeys({ ...options, isCluster: connector.isCluster });
  const world = await connector.open('test');
  return {
    log: broker.log,
    async trim(channel, keep) {
      const key = channel === undefined ? keys.firehose : keys.channel(channel);
      await world.run(5000, (client) => client.xtrim(key, 'MAXLEN', keep));
    },
    async close() {
      world.close();
      await broker.close();
    },
  };
}

/** The native logs of two Redis brokers of one installation, and a connection beside them that trims. */
export async function nativeLogUnderTest(options: RedisBrokerOptions): Promise<NativeLogUnderTest> {
  const brokers = [createRedisBroker(options), createRedisBroker(options)] as const;
  const connector = new Connector({ address: options.address, connectTimeoutMs: 5000 });
  const keys = createNativeKeys({ ...options, isCluster: connector.isCluster });
  const world = await connector.open('test');
  return {
    log: brokers[0].native,
    other: brokers[1].native,
    async trim(channel, keep) {
      const key = channel === undefined ? keys.firehose : keys.channel(channel);
      await world.run(5000, (client) => client.xtrim(key, 'MAXLEN', keep));
    },
    async close() {
      world.close();
      await Promise.all(brokers.map((broker) => broker.close()));
    },
  };
}

/** Two brokers of one installation, for the suites of control and once. */
export function pairOf<Port>(
  options: RedisBrokerOptions,
  create: (options: RedisBrokerOptions) => Broker,
  portOf: (broker: Broker) => Port,
): Pair<Port> {
  const brokers = [create(options), create(options)] as const;
  return {
    one: portOf(brokers[0]),
    two: portOf(brokers[1]),
    async close() {
      await Promise.all(brokers.map((broker) => broker.close()));
    },
  };
}
