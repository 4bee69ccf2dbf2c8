import { isClientChannel, isReservedChannel } from '../protocol/native/names.ts';

/** Where a route's channels come from: plain Redis Pub/Sub, or our own channels. */
export type RouteSource = 'pubsub' | 'native';

/** Names that this installation uses for something else. */
export interface OwnNames {
  /** `native.prefix` */
  readonly nativePrefix: string;
  /** `redisStreamPrefix` */
  readonly streamPrefix: string;
  /** `realtimeChannelPrefix` */
  readonly realtimePrefix: string;
}

const LONGEST_BYTES = 1_000;
const CONTROL_OR_SURROGATE = /[\p{Control}\p{Surrogate}]/u;

/** Why no route may have this channel, in words; undefined: one may. */
export function routeChannelFault(name: string, source: RouteSource, own: OwnNames): string | undefined {
  if (name === '') return 'it is empty';
  if (Buffer.byteLength(name) > LONGEST_BYTES) return `it is longer than ${LONGEST_BYTES} bytes`;
  // Lone surrogates all become one character in UTF-8: two names would be one channel.
  if (CONTROL_OR_SURROGATE.test(name)) return 'it holds control characters';
  if (isReservedChannel(name)) return 'user: and session: are channels of users and sessions';
  if (source === 'native' && !isClientChannel(name)) return 'it is no name of a native channel';
  // On a Redis Cluster ours have the prefix in braces.
  const bare = name.startsWith('{') ? name.slice(1) : name;
  if (bare.startsWith(own.nativePrefix)) return `${own.nativePrefix} is before Signalbox's own names`;
  if (own.streamPrefix === '' ? name === 'full' : bare.startsWith(own.streamPrefix)) {
    return "it is one of Superset's streams";
  }
  if (name === `${own.realtimePrefix}realtime`) return "it carries every user's messages of Superset";
  if (name.startsWith('__')) return 'Redis tells of keys and clients on channels that start with __';
  return undefined;
}

/** Whether a list of names, and of beginnings with `*` at their end, has this channel. */
export function isListed(patterns: readonly string[], channel: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern,
  );
}
