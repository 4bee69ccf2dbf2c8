import { isLeft } from 'fp-ts/lib/Either.js';
import type { LoadedConfig } from '../config/loaded.ts';
import { parseRedisUrl } from '../config/redis-url.ts';
import { tlsOf } from './broker.ts';
import type { Broker, EventLog } from './ports.ts';
import { createRedisBroker } from './redis/redis-broker.ts';
import { SharedSubscriber } from './shared-subscriber.ts';

/** Plain Pub/Sub channels of the broker, and of other Redis servers. */
export interface PubSubServers {
  /**
   * The channels of a server, over one connection for all who ask for them; a URL that is empty is the broker's own.
   * Two URLs of one address and user are one server, whatever database they name: Pub/Sub knows none. Throws at what is
   * no URL of a Redis server.
   */
  at(url: string): Pick<EventLog, 'subscribe'>;
  close(): Promise<void>;
}

/** Where a server is and who asks; what makes two of them one. */
interface Address {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly username: string;
  readonly password: string;
  readonly ssl: boolean;
}

/** Connects to nothing by itself. */
export function createPubSubServers(
  { config, brokerChoice }: Pick<LoadedConfig, 'config' | 'brokerChoice'>,
  broker: Pick<Broker, 'log'>,
  onNote: (message: string) => void,
): PubSubServers {
  const { redis } = config;
  const own = new SharedSubscriber(broker.log);
  const known = new Map<string, SharedSubscriber>();
  const others: Broker[] = [];
  const isOneServer = redis.sentinels.length === 0 && redis.cluster.length === 0;
  if (brokerChoice.name === 'redis' && isOneServer) known.set(keyOf(redis), own);

  function open({ host, port, path, username, password, ssl }: Address): SharedSubscriber {
    const other = createRedisBroker({
      address: {
        ...(path === '' ? { host, port } : { path }),
        username,
        password,
        tls: ssl ? () => tlsOf(redis) : undefined,
      },
      streamPrefix: config.redisStreamPrefix,
      nativePrefix: config.native.prefix,
      history: config.history,
      onNote,
    });
    others.push(other);
    return new SharedSubscriber(other.log);
  }

  return {
    at(url) {
      if (url === '') return own;
      const address = addressOf(url);
      const key = keyOf(address);
      const server = known.get(key) ?? open(address);
      known.set(key, server);
      return server;
    },
    async close() {
      await Promise.all(others.map((other) => other.close()));
    },
  };
}

function addressOf(url: string): Address {
  const parsed = parseRedisUrl(url);
  if (isLeft(parsed)) throw new TypeError(`the URL of a Redis server cannot be used: ${parsed.left}`);
  const { parts } = parsed.right;
  const text = (name: string, otherwise: string): string => String(parts.get(name) ?? otherwise);
  return {
    host: text('host', '127.0.0.1'),
    port: Number(parts.get('port') ?? 6379),
    path: text('path', ''),
    username: text('username', 'default'),
    password: text('password', ''),
    ssl: parts.get('ssl') === true,
  };
}

function keyOf({ host, port, path, username, password, ssl }: Address): string {
  const place = path === '' ? [host.toLowerCase(), port, ssl] : [path];
  // Without a password there is no login.
  return JSON.stringify([...place, ...(password === '' ? [] : [username, password])]);
}
