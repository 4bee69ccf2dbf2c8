import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { ConnectionOptions } from 'node:tls';
import { BrokerError } from '../broker-error.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What TLS checks. The certificate chain is always verified. */
export interface TlsSettings {
  /** False: any certificate of the chain's authority will do, whatever name it was made for. */
  readonly validateHostname: boolean;
  /** Authorities to trust instead of the ones that Node brings, PEM. */
  readonly ca?: string | undefined;
  /** A client certificate and its key, PEM. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Where Redis is and who asks. `cluster` wins over `sentinels`, these over `url`, it over `path`, it over `host`. */
export interface RedisAddress {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Of a unix socket. */
  readonly path?: string | undefined;
  /** `redis://`, `rediss://` or `unix://`; its parts win over the other fields. */
  readonly url?: string | undefined;
  /** Sent only together with a password, so that Superset's default (`default`, no password) is no login. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db?: number | undefined;
  /** Undefined: no TLS. A function is asked for each connection: certificates are replaced while a server runs. */
  readonly tls?: TlsSettings | (() => TlsSettings) | undefined;
  readonly sentinels?: readonly HostAndPort[] | undefined;
  /** The master's name, with `sentinels`. */
  readonly name?: string | undefined;
  /** Of the sentinels themselves, where they ask for one. */
  readonly sentinelPassword?: string | undefined;
  readonly cluster?: readonly HostAndPort[] | undefined;
  /** Sentinel and Cluster: what `host:port` as the servers announce it is reached under from here. */
  readonly natMap?: Readonly<Record<string, HostAndPort>> | undefined;
}

/** The address with the parts of its URL in their fields. Throws when the URL is not one of the three kinds. */
export function withoutUrl({ url, ...address }: RedisAddress): Omit<RedisAddress, 'url'> {
  if (url === undefined) return address;
  const parts = new URL(url);
  const credentials = {
    ...(parts.username === '' ? {} : { username: decodeURIComponent(parts.username) }),
    ...(parts.password === '' ? {} : { password: decodeURIComponent(parts.password) }),
  };
  if (parts.protocol === 'unix:') {
    const db = parts.searchParams.get('db');
    const path = decodeURIComponent(parts.pathname);
    return { ...address, ...credentials, path, ...(db === null ? {} : { db: Number(db) }) };
  }
  if (parts.protocol !== 'redis:' && parts.protocol !== 'rediss:') {
    throw new TypeError('a Redis URL starts with redis://, rediss:// or unix://');
  }
  return {
    ...address,
    ...credentials,
    path: undefined,
    host: parts.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(parts.port === '' ? {} : { port: Number(parts.port) }),
    ...(parts.pathname.length > 1 ? { db: Number(parts.pathname.slice(1)) } : {}),
    ...(parts.protocol === 'rediss:' ? { tls: address.tls ?? { validateHostname: true } } : {}),
  };
}

/**
 * What every connection has in common: it is used once.
 *
 * Nothing reconnects, queues, resends or resubscribes behind the back of whoever owns the connection: a command
 * whose reply was lost may have been done, and only the owner knows whether it may be done again.
 */
export function commonOptions(address: RedisAddress, connectTimeoutMs: number): RedisOptions {
  const { username, password, db, tls } = address;
  return {
    ...(password ? { password, ...(username ? { username } : {}) } : {}),
    ...(db === undefined ? {} : { db }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    lazyConnect: true,
    retryStrategy: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: null,
    connectTimeout: connectTimeoutMs,
    // A connection that is given up is given up at once; the other side may never answer our FIN.
    disconnectTimeout: 100,
    keepAlive: 15_000,
    // A server that is loading says so to the first command, which is as good as asking it in advance.
    enableReadyCheck: false,
    disableClientInfo: true,
  };
}

/** Options of one connection to a single server, or to the master that Sentinel names at that moment. */
export function singleOptions(address: RedisAddress, connectTimeoutMs: number): RedisOptions {
  const { host = '127.0.0.1', port = 6379, path, tls, natMap, ...rest } = withoutUrl(address);
  const { sentinels, name, sentinelPassword } = rest;
  const common = commonOptions(withoutUrl(address), connectTimeoutMs);
  if (sentinels !== undefined && sentinels.length > 0) {
    return {
      ...common,
      sentinels: [...sentinels],
      ...(name === undefined ? {} : { name }),
      ...(sentinelPassword ? { sentinelPassword } : {}),
      ...(natMap === undefined ? {} : { natMap: { ...natMap } }),
      ...(tls === undefined ? {} : { sentinelTLS: tlsOptions(tls), enableTLSForSentinelMode: true }),
      sentinelRetryStrategy: () => null,
      sentinelCommandTimeout: connectTimeoutMs,
      // Without it a connection stays with a demoted master as long as that one lives.
      failoverDetector: true,
      // Sentinel may name a server that is not, or no longer, a master: its role is asked before it is used.
      enableReadyCheck: true,
    };
  }
  return path === undefined ? { ...common, host, port } : { ...common, path };
}

export function clusterOptions(address: RedisAddress, connectTimeoutMs: number): ClusterOptions {
  // The nodes of a Cluster have one database.
  const {
    retryStrategy: _,
    enableOfflineQueue: __,
    ...redisOptions
  } = commonOptions({ ...address, db: 0 }, connectTimeoutMs);
  return {
    lazyConnect: true,
    redisOptions,
    clusterRetryStrategy: () => null,
    slotsRefreshTimeout: connectTimeoutMs,
    // With a delay here a command whose connection broke would be sent again, and an append done twice.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    ...(address.natMap === undefined ? {} : { natMap: { ...address.natMap } }),
    // The default resolves names to addresses, and TLS would then check the certificate against the address.
    ...(address.tls === undefined ? {} : { dnsLookup: (host, done) => done(null, host) }),
  };
}

function tlsOptions(settings: TlsSettings | (() => TlsSettings)): ConnectionOptions {
  const { validateHostname, ca, cert, key } = typeof settings === 'function' ? asked(settings) : settings;
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(validateHostname ? {} : { checkServerIdentity: () => undefined }),
  };
}

function asked(settings: () => TlsSettings): TlsSettings {
  try {
    return settings();
  } catch (error) {
    throw new BrokerError('unavailable', `cannot connect to Redis: ${(error as Error).message}`, error);
  }
}
