/** The topic of an event that was published without one; what EventSource calls an event without a name. */
export const DEFAULT_TOPIC = 'message';

/** Names of EventSource's own events, and of what the protocol itself tells. */
export const RESERVED_TOPICS = ['open', 'error', 'gap', 'snapshot', 'reconnect'] as const;

export const CHANNEL_FORM = '1 to 200 characters of A-Z a-z 0-9 _ - . : /';
export const TOPIC_FORM = '1 to 100 characters of A-Z a-z 0-9 _ - . : /';
export const KEY_FORM = '1 to 128 printable ASCII characters without spaces';
export const PATTERN_FORM = 'the name of a channel, or the beginning of one with * at its end';

const CHANNEL = /^[A-Za-z0-9_.:/-]{1,200}$/;
const TOPIC = /^[A-Za-z0-9_.:/-]{1,100}$/;
/** What makes a repeated publish one. */
export const KEY = /^[!-~]{1,128}$/;
const PATTERN = /^(?:[A-Za-z0-9_.:/-]{1,200}|[A-Za-z0-9_.:/-]{0,200}\*)$/;
const OWN_CHANNEL = /^(?:user|session):(?:[A-Za-z0-9_.-]|%[0-9A-F]{2}){1,384}$/;
const CONTROL_OR_SURROGATE = /[\p{Control}\p{Surrogate}]/u;
const LEFT_ALONE_BY_ENCODING = /[!~*'()]/g;
const MAX_ID_BYTES = 128;

/** What is wrong with the name of a channel, in words; undefined: nothing. */
export function channelFault(name: string): string | undefined {
  if (!CHANNEL.test(name)) return `expected ${CHANNEL_FORM}`;
  if (name.startsWith('_')) return 'a name that starts with _ is reserved';
  if (name === 'full') return 'full is the name of the stream that holds every event';
  return undefined;
}

/** What is wrong with a topic, in words; undefined: nothing. */
export function topicFault(name: string): string | undefined {
  if (!TOPIC.test(name)) return `expected ${TOPIC_FORM}`;
  if (name.startsWith('_')) return 'a topic that starts with _ is reserved';
  if (RESERVED_TOPICS.some((topic) => topic === name))
    return `reserved topics: ${RESERVED_TOPICS.join(', ')}`;
  return undefined;
}

/** Whether a channel belongs to a user or a session: joined by the server, asked for and published to by no client. */
export function isReservedChannel(name: string): boolean {
  return name.startsWith('user:') || name.startsWith('session:');
}

/** Whether a client may name this channel; whether it may use it is for its token to say. */
export function isClientChannel(name: string): boolean {
  return channelFault(name) === undefined && !isReservedChannel(name);
}

/** Whether events can be of this channel: one that clients name, or the own one of a user or session. */
export function isChannel(name: string): boolean {
  return isReservedChannel(name) ? OWN_CHANNEL.test(name) : channelFault(name) === undefined;
}

/** Whether this can be the id of a user or a session: 1 to 128 bytes of text without control characters. */
export function isPrincipalId(id: unknown): id is string {
  return (
    typeof id === 'string' &&
    id !== '' &&
    // Lone surrogates all become one character in UTF-8: two users would share a channel.
    !CONTROL_OR_SURROGATE.test(id) &&
    Buffer.byteLength(id) <= MAX_ID_BYTES
  );
}

/**
 * Where the canary publishes: the channel of a session that there cannot be, since no id has control characters. So no
 * client is ever in it, and instances that know of no canary take its events for some session's.
 */
export const CANARY_CHANNEL = 'session:%00canary';

/** The channel of a user; `id` satisfies `isPrincipalId`. */
export function userChannel(id: string): string {
  return `user:${percentEncoded(id)}`;
}

/** The channel of a session; `id` satisfies `isPrincipalId`. */
export function sessionChannel(id: string): string {
  return `session:${percentEncoded(id)}`;
}

/** Beside `%` only characters that channels have; equal texts for equal ids only. */
function percentEncoded(id: string): string {
  return encodeURIComponent(id).replace(
    LEFT_ALONE_BY_ENCODING,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Whether this is the name of a channel, or the beginning of one with `*` at its end. */
export function isPattern(pattern: unknown): pattern is string {
  return typeof pattern === 'string' && PATTERN.test(pattern);
}

/** Whether one of the patterns is for this channel. None is for a reserved one, not even its very name. */
export function matchesAny(patterns: readonly string[], channel: string): boolean {
  if (!isClientChannel(channel)) return false;
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern,
  );
}
