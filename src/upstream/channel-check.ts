import { channelFault, isReservedChannel } from '../protocol/native/names.ts';

export interface ChannelCheckOptions {
  readonly source: 'native' | 'pubsub';
  /** Names that begin with one of these are ours or Superset's. */
  readonly ownPrefixes: readonly string[];
  /** Names, or beginnings of names with `*` at their end; left out: every channel that is nobody's. */
  readonly patterns?: readonly string[] | undefined;
}

/** What is wrong with the name of a channel, in words; undefined: nothing. */
export type ChannelCheck = (name: string) => string | undefined;

const MAX_LENGTH = 200;
const CONTROL = /\p{Control}/u;

/** Makes what says whether an application may name a channel. */
export function createChannelCheck({ source, ownPrefixes, patterns }: ChannelCheckOptions): ChannelCheck {
  return (name) => {
    const fault = source === 'native' ? nativeFault(name) : pubsubFault(name);
    if (fault !== undefined) return fault;
    if (ownPrefixes.some((prefix) => prefix !== '' && name.startsWith(prefix)))
      return 'it is not an application’s';
    const isAllowed = patterns === undefined || patterns.some((pattern) => isOf(pattern, name));
    return isAllowed ? undefined : 'the route’s channels do not have it';
  };
}

function nativeFault(name: string): string | undefined {
  return channelFault(name) ?? (isReservedChannel(name) ? 'it belongs to a user or a session' : undefined);
}

function pubsubFault(name: string): string | undefined {
  if (name === '' || name.length > MAX_LENGTH || CONTROL.test(name)) {
    return `expected 1 to ${MAX_LENGTH} characters without control characters`;
  }
  // Keyspace notifications, Sentinel, client-side caching.
  return name.startsWith('__') ? 'names that begin with __ are Redis’s own' : undefined;
}

function isOf(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
