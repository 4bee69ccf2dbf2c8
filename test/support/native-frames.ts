import * as fc from 'fast-check';
import type { ClientFrame, RawJson } from '../../src/protocol/native/client-frame.ts';
import { ERRORS, type ErrorCode } from '../../src/protocol/native/error-codes.ts';
import { isClientChannel, topicFault } from '../../src/protocol/native/names.ts';
import type { ServerFrame } from '../../src/protocol/native/server-frame.ts';
import { closeIds } from './stream-ids.ts';

const characters = fc.constantFrom(...'abzAZ09_-.:/'.split(''));
const ms = fc.nat({ max: 2 ** 31 });

export const refs = fc
  .oneof(fc.maxSafeInteger(), fc.string({ maxLength: 64 }))
  .map((ref) => (ref === 0 ? 0 : ref));
export const channels = fc.string({ unit: characters, minLength: 1, maxLength: 30 }).filter(isClientChannel);
export const topics = fc
  .string({ unit: characters, minLength: 1, maxLength: 30 })
  .filter((topic) => topicFault(topic) === undefined);
/** JSON text as others write it: with spaces, numbers beyond 2^53, keys that repeat. */
export const rawJson: fc.Arbitrary<RawJson> = fc
  .oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.jsonValue().map((value) => JSON.stringify(value, null, 2)),
    fc.constantFrom(
      '12345678901234567890',
      '1.0',
      '{"a":1,"a":2}',
      '"\\u0041"',
      '{"data":{"data":1}}',
      'null',
    ),
  )
  .map((text) => text as RawJson);

const epochs = fc.string({ maxLength: 60 });

const present = <T extends object>(model: T, requiredKeys: (keyof T & string)[]) =>
  fc.record(model as Record<string, fc.Arbitrary<unknown>>, { requiredKeys });

/** Every frame a client may send, with and without what may be left out. */
export const clientFrames = fc.oneof(
  present(
    {
      type: fc.constant('hello'),
      ref: refs,
      positions: fc.dictionary(fc.string(), closeIds).map((object) => new Map(Object.entries(object))),
      epoch: epochs,
    },
    ['type', 'ref'],
  ),
  present(
    {
      type: fc.constant('subscribe'),
      ref: refs,
      channel: channels,
      query: rawJson,
      lastId: closeIds,
      epoch: epochs,
    },
    ['type', 'ref', 'channel'],
  ),
  present({ type: fc.constant('unsubscribe'), ref: refs, channel: channels }, ['type', 'ref', 'channel']),
  present({ type: fc.constant('ask'), ref: refs, topic: topics, data: rawJson }, ['type', 'ref', 'topic']),
  present({ type: fc.constant('tell'), ref: refs, topic: topics, data: rawJson }, ['type', 'topic']),
  present(
    {
      type: fc.constant('publish'),
      ref: refs,
      channel: channels,
      topic: topics,
      data: rawJson,
      key: fc.uuid(),
      echo: fc.boolean(),
    },
    ['type', 'ref', 'channel', 'topic', 'data'],
  ),
  present({ type: fc.constant('refresh'), ref: refs, token: fc.string({ minLength: 1 }) }, [
    'type',
    'ref',
    'token',
  ]),
  fc.constant({ type: 'pong' }),
) as fc.Arbitrary<ClientFrame>;

/** A client's frame as its text, members in any order, with what a newer client may add. */
export function clientText(frame: ClientFrame, order: readonly number[] = []): string {
  const members = [...Object.entries(frame), ['added', 'later'] as const].map(([name, value]) => {
    if (name === 'data' || name === 'query') return `${JSON.stringify(name)} : ${value}`;
    return `"${name}":${JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value)}`;
  });
  for (const at of order) members.push(...members.splice(at % members.length, 1));
  return `{${members.join(',\n')}}`;
}

const codes = fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[]));
const joined = fc.record({ channel: channels, id: closeIds, epoch: epochs, recovered: fc.boolean() });

/** Every frame the server may send. */
export const serverFrames = fc.oneof(
  present(
    {
      type: fc.constant('welcome'),
      ref: refs,
      socket: fc.uuid(),
      user: fc.string(),
      session: fc.string(),
      pingInterval: ms,
      expiresAt: ms,
      subscriptions: fc.array(joined, { maxLength: 2 }),
    },
    ['type', 'ref', 'socket', 'pingInterval', 'subscriptions'],
  ),
  fc.tuple(joined, refs).map(([at, ref]) => ({ type: 'subscribed', ref, ...at })),
  present({ type: fc.constant('unsubscribed'), ref: refs, channel: channels }, ['type', 'channel']),
  fc.record({ type: fc.constant('answer'), ref: refs, data: rawJson }),
  fc.record({ type: fc.constant('told'), ref: refs }),
  fc.record({ type: fc.constant('published'), ref: refs, id: closeIds }),
  fc.record({ type: fc.constant('refreshed'), ref: refs, expiresAt: ms }),
  fc.record({
    type: fc.constant('event'),
    channel: channels,
    topic: topics,
    id: closeIds,
    time: ms,
    data: rawJson,
  }),
  fc.record({ type: fc.constant('snapshot'), channel: channels, id: closeIds, data: rawJson }),
  present(
    {
      type: fc.constant('gap'),
      channel: channels,
      after: closeIds,
      id: closeIds,
      epoch: epochs,
      reason: fc.constantFrom('trimmed', 'epoch', 'lossy'),
    },
    ['type', 'channel', 'after', 'id', 'reason'],
  ),
  present({ type: fc.constant('tell'), topic: topics, data: rawJson }, ['type', 'topic']),
  present({ type: fc.constant('ping'), id: closeIds }, ['type']),
  present({ type: fc.constant('error'), ref: refs, code: codes, message: fc.string(), retryAfter: ms }, [
    'type',
    'code',
    'message',
  ]),
  fc.record({ type: fc.constant('reconnect'), after: ms, reason: fc.constantFrom('drain', 'restart') }),
) as fc.Arbitrary<ServerFrame>;
