import { parseStreamId, type StreamId } from '../../event/stream-id.ts';
import type { ClientFrameType } from './client-frame.ts';
import {
  CHANNEL_FORM,
  channelFault,
  isReservedChannel,
  KEY,
  KEY_FORM,
  RESERVED_TOPICS,
  TOPIC_FORM,
  topicFault,
} from './names.ts';

/** What a field of a client's frame may be. */
export interface FieldRule {
  /** In words, after "expected". */
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** Whether it may be left out. */
  readonly optional?: true;
  /** The application's own: its text is kept, its value is not looked at. */
  readonly raw?: true;
  /** Not even an excerpt of it is ever repeated. */
  readonly secret?: true;
  /** What a frame holds in place of an accepted value. */
  read?(value: unknown): unknown;
}

const MAX_REF_CHARACTERS = 64;
const MAX_EPOCH_CHARACTERS = 200;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isStreamId = (value: unknown): boolean =>
  typeof value === 'string' && parseStreamId(value) !== undefined;

const ref: FieldRule = {
  expected: `an integer, or a string of at most ${MAX_REF_CHARACTERS} characters`,
  accepts: (value) =>
    Number.isSafeInteger(value) || (typeof value === 'string' && value.length <= MAX_REF_CHARACTERS),
};
/** A reserved one is understood, and then refused as forbidden. */
const channel: FieldRule = {
  expected: `${CHANNEL_FORM}, neither full nor starting with _`,
  accepts: (value) =>
    typeof value === 'string' && (isReservedChannel(value) || channelFault(value) === undefined),
};
const topic: FieldRule = {
  expected: `${TOPIC_FORM}, none of ${RESERVED_TOPICS.join(', ')}, not starting with _`,
  accepts: (value) => typeof value === 'string' && topicFault(value) === undefined,
};
const lastId: FieldRule = {
  expected: 'an id that this server gave, such as 1792000000000-0',
  accepts: isStreamId,
};
/** Empty as a broker's that will not say. */
const epoch: FieldRule = {
  expected: `the epoch that this server gave: a string of at most ${MAX_EPOCH_CHARACTERS} characters`,
  accepts: (value) => typeof value === 'string' && value.length <= MAX_EPOCH_CHARACTERS,
};
const positions: FieldRule = {
  expected: 'an object of channels and the ids they were left at, such as {"user:5":"1792000000000-0"}',
  accepts: (value) => isObject(value) && Object.values(value).every(isStreamId),
  // A client may call a channel __proto__.
  read: (value) => new Map(Object.entries(value as Readonly<Record<string, StreamId>>)),
};
const json: FieldRule = { expected: 'any JSON value', accepts: (value) => value !== undefined, raw: true };
const key: FieldRule = {
  expected: KEY_FORM,
  accepts: (value) => typeof value === 'string' && KEY.test(value),
};
const echo: FieldRule = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' };
const token: FieldRule = {
  expected: 'a token',
  accepts: (value) => typeof value === 'string' && value !== '',
  secret: true,
};

const optional = (rule: FieldRule): FieldRule => ({ ...rule, optional: true });

/** Every frame of a client, and every field of it. */
export const CLIENT_FIELDS: Readonly<Record<ClientFrameType, Readonly<Record<string, FieldRule>>>> = {
  hello: { ref, positions: optional(positions), epoch: optional(epoch) },
  subscribe: {
    ref,
    channel,
    query: optional(json),
    lastId: optional(lastId),
    epoch: optional(epoch),
  },
  unsubscribe: { ref, channel },
  ask: { ref, topic, data: optional(json) },
  tell: { ref: optional(ref), topic, data: optional(json) },
  publish: { ref, channel, topic, data: json, key: optional(key), echo: optional(echo) },
  refresh: { ref, token },
  pong: {},
};

/** Whether this can be what a client calls a frame: what is echoed. */
export const isRef = ref.accepts;
