import { z } from 'zod';
import { parseStreamId, type StreamId } from '../event/stream-id.ts';
import { CHANNEL_STATES, SOCKET_ACTIONS, SOCKET_STATES } from './api.ts';

/** The most rows of one answer. */
export const MAX_ROWS = 500;
/** How far into a list one may ask: every process sends all rows up to there. */
const MAX_OFFSET = 20_000;

const text = z.string().min(1).max(500).optional();
const number = z.number().min(0).optional();
const range = {
  isDescending: z.boolean().optional(),
  offset: z.int().min(0).max(MAX_OFFSET).optional(),
  limit: z.int().min(1).max(MAX_ROWS).optional(),
};

export const socketFilter = z.strictObject({
  text,
  state: z.array(z.enum(SOCKET_STATES)).readonly().optional(),
  user: text,
  channel: text,
  address: text,
  minLagMs: number,
  minBufferedBytes: number,
  sort: z.enum(['openedAtMs', 'user', 'state', 'lagMs', 'bufferedBytes', 'roundTripMs', 'id']).optional(),
  ...range,
});

export const channelFilter = z.strictObject({
  text,
  state: z.array(z.enum(CHANNEL_STATES)).readonly().optional(),
  sort: z.enum(['name', 'state', 'subscribers']).optional(),
  ...range,
});

const streamId = z.string().refine((id): id is StreamId => parseStreamId(id) === id, 'expected <ms>-<seq>');
/** Of a channel or an actor that has one in its name. */
export const MAX_NAME_LENGTH = 1000;
const name = z.string().min(1).max(MAX_NAME_LENGTH);

/** Exactly one of them. */
const named = [
  z.strictObject({ socket: name }),
  z.strictObject({ user: name }),
  z.strictObject({ channel: name }),
] as const;
/** What a live log can be of. */
export const logSubject = z.union(named, { error: 'expected one of socket, user and channel' });
/** The same, or what is shown to Stately's inspector. */
export const subject = z.union([...named, z.strictObject({ facts: z.literal(true) })]);
export type Subject = z.infer<typeof subject>;

export const explainQuery = z
  .strictObject({
    event: streamId,
    socket: name.optional(),
    user: name.optional(),
    channel: name.optional(),
  })
  .refine(({ socket, user }) => (socket === undefined) !== (user === undefined), {
    message: 'expected socket or user',
  });

/** Which actors are shown to Stately's inspector; none of them: all. */
export const statelyFilter = z.strictObject({
  socket: name.optional(),
  user: name.optional(),
  channel: name.optional(),
  /** Of the sockets, at random. */
  sample: z.number().min(0).max(1).optional(),
});
export type StatelyFilter = z.infer<typeof statelyFilter>;

/** What every process of an installation can be asked about itself. */
export const question = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('overview') }),
  z.strictObject({ kind: z.literal('sockets'), filter: socketFilter }),
  z.strictObject({ kind: z.literal('socket'), id: name }),
  z.strictObject({ kind: z.literal('recording'), id: name }),
  z.strictObject({ kind: z.literal('channels'), filter: channelFilter }),
  z.strictObject({ kind: z.literal('channel'), feed: name, name }),
  z.strictObject({ kind: z.literal('reader'), id: name }),
  z.strictObject({
    kind: z.literal('act'),
    id: name,
    action: z.enum(SOCKET_ACTIONS),
    word: z.string().optional(),
    /** Whoever asks, for the log. */
    by: name,
  }),
  z.strictObject({ kind: z.literal('explain'), query: explainQuery }),
  /** Null: nothing is shown any more; left out: only what is shown now is asked. */
  z.strictObject({ kind: z.literal('stately'), filter: statelyFilter.nullable().optional() }),
  /** Sends what happens to it from now on, for some seconds, to whoever asks. */
  z.strictObject({ kind: z.literal('watch'), id: name, subject }),
]);
export type Question = z.infer<typeof question>;
