import { z } from 'zod';
import { readJson } from '../protocol/json-members.ts';
import { CHANNEL_FORM, isPrincipalId, TOPIC_FORM, topicFault } from '../protocol/native/names.ts';
import type { Target } from '../protocol/native/target.ts';
import { anyChannel, anyJson, nameBy } from './http-json.ts';

const principalId = z
  .string()
  .refine(isPrincipalId, 'expected 1 to 128 bytes without control characters')
  .optional()
  .meta({ description: 'As in the token: 1 to 128 bytes without control characters.', minLength: 1 });
const WHO = {
  user: principalId,
  session: principalId,
  socket: z
    .string()
    .regex(/^[!-~]{1,128}$/, 'expected the name of a socket, as welcome gives it')
    .optional(),
  channel: anyChannel.optional().meta({
    description: `Whoever has this channel now. ${CHANNEL_FORM}; or the channel of a user or session.`,
  }),
};
const TARGETS = ['user', 'session', 'socket', 'channel', 'everyone'] as const;

const everyone = z.literal(true).optional();

/** With exactly one of these names: which is looked at whatever else is wrong, so that all of it is said at once. */
const withOne = <Shape extends z.ZodRawShape>(shape: Shape, names: readonly (keyof Shape & string)[]) =>
  z
    .strictObject(shape)
    .refine((value) => names.filter((name) => Reflect.get(value, name) !== undefined).length === 1, {
      message: `expected exactly one of ${names.join(', ')}`,
      when: ({ value }) => typeof value === 'object' && value !== null,
    });

/** The body of `POST /tell`. */
export const tellBody = withOne(
  {
    ...WHO,
    everyone,
    topic: nameBy(topicFault).meta({ description: `${TOPIC_FORM}.` }),
    data: anyJson.optional().meta({ description: 'Any JSON of at most 64 KiB, passed on byte for byte.' }),
  },
  TARGETS,
);
/** The body of `POST /disconnect`. */
export const disconnectBody = withOne(
  {
    ...WHO,
    reason: z
      .string()
      .regex(/^[ -~]{1,123}$/, 'expected 1 to 123 printable ASCII characters')
      .optional()
      .meta({ description: 'What the clients are told. Left out: ended.' }),
  },
  ['user', 'session', 'socket', 'channel'],
);

/** Whether a body, as it came, names anybody: then it is not the application that is told. */
export function hasTarget(body: unknown): boolean {
  const json = Buffer.isBuffer(body) ? readJson(body.toString()) : undefined;
  if (json?.ok !== true) return false;
  const value = JSON.parse((body as Buffer).toString()) as unknown;
  return typeof value === 'object' && value !== null && TARGETS.some((name) => Object.hasOwn(value, name));
}

type Who = z.infer<typeof tellBody> | z.infer<typeof disconnectBody>;

/** Whose sockets a body means. */
export function targetOf(who: Who): Target {
  const { user, session, socket, channel } = who;
  if (user !== undefined) return { user };
  if (session !== undefined) return { session };
  if (socket !== undefined) return { socket };
  return channel === undefined ? { everyone: true } : { channel };
}
