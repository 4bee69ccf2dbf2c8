import { readFileSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { createMemoryBroker } from './memory/memory-broker.ts';
import type { Broker } from './ports.ts';
import type { TlsSettings } from './redis/address.ts';
import { createRedisBroker } from './redis/redis-broker.ts';

/** Makes the broker that the configuration chose. */
export function createBroker(
  { config, brokerChoice }: Pick<LoadedConfig, 'config' | 'brokerChoice'>,
  deps: { readonly clock: Clock; readonly onNote: (message: string) => void },
): Broker {
  const { keyTtlSeconds } = config.publish;
  if (brokerChoice.name === 'memory')
    return createMemoryBroker({ clock: deps.clock, history: config.history, keyTtlSeconds });
  const { redis } = config;
  return createRedisBroker({
    address: {
      host: redis.host,
      port: redis.port,
      username: redis.username,
      password: redis.password,
      db: redis.db,
      tls: redis.ssl ? () => tlsOf(redis) : undefined,
      ...(redis.path !== '' && { path: redis.path }),
      ...(redis.sentinels.length > 0 && {
        sentinels: redis.sentinels,
        name: redis.name,
        sentinelPassword: redis.sentinelPassword,
      }),
      ...(redis.cluster.length > 0 && { cluster: redis.cluster }),
    },
    streamPrefix: config.redisStreamPrefix,
    nativePrefix: config.native.prefix,
    history: config.history,
    keyTtlSeconds,
    onNote: deps.onNote,
  });
}

/** With TLS, what a connection to any Redis server checks and shows, read anew for each. */
export function tlsOf({ validateHostname, ca, cert, key }: LoadedConfig['config']['redis']): TlsSettings {
  const pem = (path: string) => (path === '' ? undefined : readFileSync(path, 'utf8'));
  return { validateHostname, ca: pem(ca), cert: pem(cert), key: pem(key) };
}
