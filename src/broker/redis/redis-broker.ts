import type { Broker } from '../ports.ts';
import type { RedisAddress } from './address.ts';
import { Connector } from './connect.ts';
import { RedisControl } from './control.ts';
import { RedisEventLog } from './event-log.ts';
import { createKeys, createNativeKeys } from './keys.ts';
import { Link } from './link.ts';
import { RedisNativeLog } from './native-log.ts';
import { RedisOnce } from './once.ts';
import { RedisRevocations } from './revocations.ts';

export interface RedisBrokerOptions {
  readonly address: RedisAddress;
  /** Of Superset's streams: `<prefix><channel>` and `<prefix>full`. */
  readonly streamPrefix: string;
  /** Of our own keys. */
  readonly nativePrefix: string;
  readonly history: {
    /** How many entries an append leaves in each stream, about. */
    readonly maxLength: number;
    readonly firehoseMaxLength: number;
    /** Of native channels: for how long entries are kept, about; 0: for ever. Default a day. */
    readonly maxAgeSeconds?: number;
  };
  /** For how long the key of a publication is remembered. Default 120. */
  readonly keyTtlSeconds?: number;
  /**
   * After how long without an event a channel's stream goes away. Default: never. Only for streams that nobody
   * else writes to: Superset's publisher does not put the time off, and a stream would vanish with new events in it.
   */
  readonly channelExpirySeconds?: number;
  /** Default 5000. */
  readonly connectTimeoutMs?: number;
  /** How long a command may take before its connection is given up. Default 5000. */
  readonly commandTimeoutMs?: number;
  /** Hears, in a sentence, what an operator should know and what does not stop anything. */
  readonly onNote?: (message: string) => void;
}

/**
 * Makes a broker of a Redis (single, behind Sentinel, or a Cluster), 6.2 or later, or a Valkey. Connects to
 * nothing by itself: every connection is opened by the first call that needs it.
 *
 * What its user needs, where access is limited (`<s>` the stream prefix, `<n>` the native one):
 *
 * | for | rights |
 * |---|---|
 * | reading | `~<s>* +xread +xrange +xrevrange +xinfo|stream +time +multi +exec` |
 * | the epoch (without: a note, and losses are noticed by ids only) | `~<n>* +get +set +info` |
 * | `append` | `+xadd +eval +evalsha` |
 * | `native`: reading | `~<n>*`, what reading and the epoch need, `+hmget` |
 * | `native`: publishing | `~<n>* +eval +evalsha +time +xinfo|stream +get +hget +xadd +set +expire +xtrim +hset +persist` |
 * | `subscribe`, `publish` | `&<channels> +subscribe +unsubscribe +ping +publish` |
 * | control, once, revocations | `~<n>* +xread +xadd +xinfo|stream +time +eval +evalsha +zadd +zremrangebyscore +zrange +zrangebyscore +zscan +pexpireat +set` |
 * | a database other than 0 | `+select` |
 * | behind Sentinel | `+info` |
 * | on a Cluster | `+cluster|slots +cluster|info +cluster|keyslot` |
 *
 * On a Cluster `native` has its keys below `{<n>}` where `<n>` has no hash tag. Who publishes there needs all of that
 * row: what a script may not do, it is told in the middle.
 */
export function createRedisBroker(options: RedisBrokerOptions): Broker {
  const { address, streamPrefix, nativePrefix, history, channelExpirySeconds = 0 } = options;
  const { connectTimeoutMs = 5000, commandTimeoutMs = 5000, onNote = () => {} } = options;
  const { maxAgeSeconds = 86_400 } = history;
  const { keyTtlSeconds = 120 } = options;
  const connector = new Connector({ address, connectTimeoutMs });
  const keyOptions = { streamPrefix, nativePrefix, isCluster: connector.isCluster };
  const keys = createKeys(keyOptions);
  const nativeKeys = createNativeKeys(keyOptions);
  const replay = new Link((signal) => connector.open('replay', signal), commandTimeoutMs);
  const writes = new Link((signal) => connector.open('writes', signal), commandTimeoutMs);
  const links = { replay, writes };
  // Nodes of a Cluster pass messages on to each other, but not in order: all of a log's go through one of them.
  const publishingAt = (key: string) =>
    connector.isCluster
      ? new Link((signal) => connector.openFor(key, 'publishing', signal), commandTimeoutMs)
      : writes;
  const publishing = publishingAt(keys.firehose);
  const nativePublishing = publishingAt(nativeKeys.firehose);
  const { maxLength, firehoseMaxLength } = history;
  const limits = { maxLength, firehoseMaxLength, channelExpirySeconds };
  const log = new RedisEventLog({ connector, keys, limits, ...links, publishing, commandTimeoutMs, onNote });
  const native = new RedisNativeLog({
    connector,
    keys: nativeKeys,
    ...links,
    publishing: nativePublishing,
    limits: { maxLength, firehoseMaxLength, maxAgeSeconds, keyTtlSeconds },
    commandTimeoutMs,
    onNote,
  });
  const control = new RedisControl({ connector, keys, writes, commandTimeoutMs, onNote });
  const once = new RedisOnce(writes, keys);
  const revocations = new RedisRevocations(writes, keys);

  return {
    name: 'redis',
    log,
    native,
    control,
    once,
    revocations,
    async close() {
      replay.close();
      writes.close();
      publishing.close();
      nativePublishing.close();
      await Promise.all([log.close(), native.close(), control.close(), once.close(), revocations.close()]);
    },
  };
}
