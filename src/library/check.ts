import { channelFault, isChannel, isPrincipalId, topicFault } from '../protocol/native/names.ts';
import type { Target } from '../protocol/native/target.ts';
import { SignalboxError } from './error.ts';

/** What a close frame has room for. */
const MAX_WORD_BYTES = 123;

/** Throws `bad_request` unless events can be of this channel: one that clients name, or that of a user or session. */
export function checkChannel(channel: string): void {
  if (typeof channel === 'string' && isChannel(channel)) return;
  const fault =
    (typeof channel === 'string' ? channelFault(channel) : undefined) ??
    'expected a channel, or user: or session: and an encoded id';
  throw new SignalboxError('bad_request', `The channel ${JSON.stringify(channel)}: ${fault}`);
}

export function checkTopic(topic: string): void {
  const fault = typeof topic === 'string' ? topicFault(topic) : 'expected a text';
  if (fault !== undefined)
    throw new SignalboxError('bad_request', `The topic ${JSON.stringify(topic)}: ${fault}`);
}

export function checkWord(reason: string | undefined): void {
  if (reason === undefined || (typeof reason === 'string' && Buffer.byteLength(reason) <= MAX_WORD_BYTES))
    return;
  throw new SignalboxError('bad_request', `The reason: expected a text of at most ${MAX_WORD_BYTES} bytes`);
}

/** Throws `bad_request` unless this says whose sockets are meant, in one way. */
export function checkTarget(target: Target): void {
  const [only, ...others] = Object.entries(target ?? {});
  const isWhole = only !== undefined && others.length === 0;
  const [kind, value] = only ?? [];
  const isId =
    kind === 'socket' || kind === 'channel'
      ? typeof value === 'string' && value !== ''
      : isPrincipalId(value);
  const isKnown = kind !== undefined && ['user', 'session', 'socket', 'channel'].includes(kind);
  if (isWhole && ((isKnown && isId) || (kind === 'everyone' && value === true))) return;
  throw new SignalboxError(
    'bad_request',
    `Whose sockets: got ${JSON.stringify(target)}; expected one of { user }, { session }, { socket }, { channel }, { everyone: true }`,
  );
}
