import { z } from 'zod';
import { cookieName } from './access.ts';
import { key, positive } from './key.ts';

/** Audiences of tokens that must never pass for native ones. */
const FOREIGN_AUDIENCES = ['signalbox.ticket', 'signalbox.stream', 'superset-websocket'];

/** Ten years: more is a mistake of units. */
const MAX_TOKEN_LIFE_SECONDS = 315_360_000;

/** The native protocol: whose tokens it takes, how much one client may have. */
export const nativeKeys = {
  native: z
    .strictObject({
      audience: key(
        z
          .string()
          .min(1)
          .refine((audience) => !FOREIGN_AUDIENCES.includes(audience))
          .default('signalbox'),
        {
          env: 'SIGNALBOX_NATIVE_AUDIENCE',
          expected: `a name of your own, none of ${FOREIGN_AUDIENCES.join(', ')}`,
          description: 'The audience (claim aud) that a token of the native protocol must have.',
        },
      ),
      cookieName: key(z.string().regex(cookieName).default('signalbox'), {
        env: 'SIGNALBOX_NATIVE_COOKIE_NAME',
        expected: "the name of a cookie: letters, digits and !#$%&'*+-.^_`|~",
        description: 'The cookie that may carry it.',
      }),
      prefix: key(z.string().min(1).default('signalbox:'), {
        env: 'SIGNALBOX_NATIVE_PREFIX',
        description: "Before the names of Signalbox's own keys in Redis.",
      }),
      maxTokenLifeSeconds: key(positive.max(MAX_TOKEN_LIFE_SECONDS).default(2_592_000), {
        env: 'SIGNALBOX_NATIVE_MAX_TOKEN_LIFE_SECONDS',
        unit: 'seconds',
        description:
          'The longest life of a token, from iat (left out: from now) to exp; one that lasts longer is refused. Revocations are remembered for as long.',
      }),
    })
    .prefault({}),
  ticket: z
    .strictObject({
      ttlSeconds: key(positive.max(3600).default(60), {
        env: 'SIGNALBOX_TICKET_TTL_SECONDS',
        unit: 'seconds',
        description: 'How long a ticket may be used, once, to connect.',
      }),
    })
    .prefault({}),
  maxSubscriptionsPerSocket: key(positive.default(128), {
    env: 'SIGNALBOX_MAX_SUBSCRIPTIONS_PER_SOCKET',
    unit: 'subscriptions',
    description: 'The most channels of one socket; more are refused with too_many.',
  }),
  askTimeoutMs: key(positive.default(5000), {
    env: 'SIGNALBOX_ASK_TIMEOUT_MS',
    unit: 'ms',
    description: 'How long an answer to an ask may take.',
  }),
  publish: z
    .strictObject({
      keyTtlSeconds: key(positive.default(120), {
        env: 'SIGNALBOX_PUBLISH_KEY_TTL_SECONDS',
        unit: 'seconds',
        description: 'How long the key of a publish is known, so that a repeat publishes nothing.',
      }),
      maxBatch: key(positive.default(1000), {
        env: 'SIGNALBOX_PUBLISH_MAX_BATCH',
        unit: 'events',
        description: 'The most events of one POST /publish.',
      }),
    })
    .prefault({}),
};
