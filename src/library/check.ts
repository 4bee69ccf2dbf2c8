import { isName, isWord, MAX_TOLD_BYTES, MAX_WORD_BYTES } from '../instances/control-message.ts';
import {
  channelFault,
  isChannel,
  isPrincipalId,
  KEY,
  KEY_FORM,
  topicFault,
} from '../protocol/native/names.ts';
import type { Target } from '../protocol/native/target.ts';
import { SignalboxError } from './error.ts';

/** Throws `bad_request` unless events can be of this channel: one that clients name, or that of a user or session. */
export function checkChannel(channel: string): void {
  if (typeof channel === 'string' && isChannel(channel)) return;
  const fault =
    (typeof channel === 'string' ? channelFault(channel) : undefined) ??
    'expected a channel, or user: or session: and an encoded id';
  throw new SignalboxError('bad_request', `The channel ${JSON.stringify(channel)}: ${fault}`);
}

export function checkChannels(channels: readonly string[]): void {
  if (!Array.isArray(channels)) {
    throw new SignalboxError('bad_request', `The channels: got ${JSON.stringify(channels)}; expected a list`);
  }
  for (const channel of channels) checkChannel(channel);
}

export function checkKey(key: string | undefined): void {
  if (key === undefined || (typeof key === 'string' && KEY.test(key))) return;
  throw new SignalboxError('bad_request', `The key ${JSON.stringify(key)}: expected ${KEY_FORM}`);
}

export function checkTopic(topic: string): void {
  const fault = typeof topic === 'string' ? topicFault(topic) : 'expected a text';
  if (fault !== undefined)
    throw new SignalboxError('bad_request', `The topic ${JSON.stringify(topic)}: ${fault}`);
}

export function checkWord(reason: string | undefined): void {
  if (reason === undefined || (typeof reason === 'string' && isWord(reason))) return;
  throw new SignalboxError(
    'bad_request',
    `The reason: expected a text of 1 to ${MAX_WORD_BYTES} bytes without control characters`,
  );
}

/** Throws `too_large` for what is published rather than told. */
export function checkTold(json: string | undefined): void {
  if (json === undefined || Buffer.byteLength(json) <= MAX_TOLD_BYTES) return;
  throw new SignalboxError(
    'too_large',
    `What is told is at most ${MAX_TOLD_BYTES} bytes of JSON: publish it.`,
  );
}

/** Throws `bad_request` unless this says whose sockets are meant, in one way. */
export function checkTarget(target: Target): void {
  const [only, ...others] = Object.entries(target ?? {});
  const isWhole = only !== undefined && others.length === 0;
  const [kind, value] = only ?? [];
  if (isWhole && isTarget(kind, value)) return;
  throw new SignalboxError(
    'bad_request',
    `Whose sockets: got ${JSON.stringify(target)}; expected one of { user }, { session }, { socket }, { channel }, { everyone: true }`,
  );
}

/** As other instances read it: what they do not take as a target is told to nobody. */
function isTarget(kind: string | undefined, value: unknown): boolean {
  if (kind === 'everyone') return value === true;
  if (kind === 'user' || kind === 'session') return isPrincipalId(value);
  if (typeof value !== 'string') return false;
  return kind === 'socket' ? isName(value) : kind === 'channel' && isChannel(value);
}
