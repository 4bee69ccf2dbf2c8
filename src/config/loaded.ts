import type { Config } from './schema.ts';

/** Something to know about a value that was accepted. Secrets are never in it. */
export interface Remark {
  /** The key's path, or the name of the variable when there is no such key. */
  readonly key: string;
  readonly text: string;
}

/**
 * `development`: nothing is configured, so the server makes do: memory broker, random secret, loopback only.
 * Everything else is `production`.
 */
export type Mode = 'development' | 'production';

/** Which broker it is, and why: for the first log line. */
export interface BrokerChoice {
  readonly name: 'memory' | 'redis';
  readonly reason: string;
}

/** A configuration that may be started with. Deep-frozen, except `origins`. */
export interface LoadedConfig {
  readonly config: Config;
  readonly mode: Mode;
  readonly brokerChoice: BrokerChoice;
  /** The config file that was read, as it was named. */
  readonly file: string | undefined;
  /** Where each value came from: `default`, a variable, the file, `redis.url`, `development mode`. */
  readonly origins: ReadonlyMap<string, string>;
  /** For the log, at info. */
  readonly notes: readonly Remark[];
  /** For the log, at warn. */
  readonly warnings: readonly Remark[];
}
