import type { HookName } from '../config/schema/hooks.ts';
import { isMalformed } from '../protocol/event-codec.ts';
import { memberText, readJsonObject } from '../protocol/json-text.ts';
import type { RawJson } from '../protocol/native/client-frame.ts';
import { type ErrorCode, ERRORS } from '../protocol/native/error-codes.ts';
import type { Answer, Refusal, Verdict } from './decider.ts';
import type { HookReply } from './hook-client.ts';

/** What became of a request that was answered. */
export type AnsweredOutcome = 'allowed' | 'refused' | 'failed' | 'malformed';

export interface Reading<T> {
  readonly outcome: AnsweredOutcome;
  readonly result: T;
}

/** What a hook's answer means to those who asked. */
export type ReadHook<T> = (reply: HookReply) => Reading<T | Refusal>;

export const UNAVAILABLE: Refusal = { code: 'unavailable' };
/** A sentence for a person; the rest of a longer one is left out. */
const MAX_MESSAGE_CHARACTERS = 300;
const NOTHING = 'null' as RawJson;

/** Whether it may. */
export function readVerdict(hook: HookName): ReadHook<Verdict> {
  return (reply) => readWith<Verdict>(hook, reply, () => ({ outcome: 'allowed', result: undefined }));
}

/** What is answered to an ask. */
export const readAsk: ReadHook<Answer> = (reply) =>
  readWith<Answer>('ask', reply, () => {
    if (reply.status === 204) return { outcome: 'allowed', result: { data: NOTHING } };
    return dataOf(reply.body);
  });

/** A channel's state; 204 and 404: there is none. */
export const readSnapshot: ReadHook<Answer | undefined> = (reply) => {
  const { status, body } = reply;
  if (status === 404) return { outcome: 'allowed', result: undefined };
  return readWith<Answer | undefined>('snapshot', reply, () =>
    status === 204 ? { outcome: 'allowed', result: undefined } : dataOf(body),
  );
};

/** Whether what was told has arrived: what was refused has, and is not told again; "too often" is not for ever. */
export const readNotice: ReadHook<'arrived'> = (reply) => {
  const reading = readVerdict('disconnect')(reply);
  const isHeard = reading.outcome === 'allowed' || (reading.outcome === 'refused' && reply.status !== 429);
  return isHeard ? { ...reading, result: 'arrived' } : { ...reading, result: UNAVAILABLE };
};

function readWith<T>(
  hook: HookName,
  { status, body }: HookReply,
  allowed: () => Reading<T | Refusal>,
): Reading<T | Refusal> {
  if (status >= 200 && status < 300) return allowed();
  if (status >= 400 && status < 500) return { outcome: 'refused', result: refusalOf(hook, status, body) };
  return { outcome: 'failed', result: UNAVAILABLE };
}

function dataOf(body: Buffer): Reading<Answer | Refusal> {
  const json = readJsonObject(body);
  const data = isMalformed(json) || json.repaired ? undefined : memberText(json.bytes, 'data');
  if (data === undefined) return { outcome: 'malformed', result: UNAVAILABLE };
  return { outcome: 'allowed', result: { data: data.toString() as RawJson } };
}

/** `{ "code", "message" }`, or the `code` and `detail` of a problem (RFC 9457); without them, what the status says. */
function refusalOf(hook: HookName, status: number, body: Buffer): Refusal {
  const json = readJsonObject(body);
  const { code: named, message, detail } = isMalformed(json) ? {} : json.object;
  const code = isErrorCode(named) ? named : codeOf(hook, status);
  const words = [message, detail].find((text) => typeof text === 'string' && text !== '');
  if (typeof words !== 'string') return { code };
  // Not within a character that takes two.
  return { code, message: words.slice(0, MAX_MESSAGE_CHARACTERS).replace(/[\ud800-\udbff]$/, '') };
}

function codeOf(hook: HookName, status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 429) return 'rate_limited';
  return status === 404 && (hook === 'ask' || hook === 'tell') ? 'no_handler' : 'forbidden';
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}
