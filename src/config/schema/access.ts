import { z } from 'zod';
import { key } from './key.ts';

/** What jsonwebtoken verifies; `none` is not among them. */
export const algorithms = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

export type JwtAlgorithm = (typeof algorithms)[number];

/** The characters RFC 6265 allows in the name of a cookie. */
export const cookieName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Who may connect, and who may publish. */
export const accessKeys = {
  jwtSecret: key(z.string().default(''), {
    env: 'JWT_SECRET',
    secret: true,
    expected: 'a secret of at least 32 bytes, or a public key in PEM form',
    defaultText: 'none; a random one in development mode',
    description:
      "What signs the clients' tokens: at least 32 bytes, or a public key in PEM form. Required outside development mode.",
  }),
  previousJwtSecret: key(z.string().default(''), {
    env: 'PREVIOUS_JWT_SECRET',
    secret: true,
    expected: 'a secret of at least 32 bytes, or a public key in PEM form',
    description: 'The secret before the last rotation, for verification only. Empty: none.',
  }),
  jwtAlgorithms: key(z.array(z.enum(algorithms)).min(1).default(['HS256']), {
    env: 'SIGNALBOX_JWT_ALGORITHMS',
    description: 'The algorithms a token may be signed with; all must fit the secret.',
  }),
  jwtCookieName: key(z.string().regex(cookieName).default('async-token'), {
    env: 'JWT_COOKIE_NAME',
    expected: "the name of a cookie: letters, digits and !#$%&'*+-.^_`|~",
    defaultText: 'async-token (streams), superset-ws-token (realtime)',
    description: 'The cookie that carries the token.',
  }),
  jwtChannelIdKey: key(z.string().min(1).default('channel'), {
    env: 'SIGNALBOX_JWT_CHANNEL_ID_KEY',
    description: 'The claim that names the channel.',
  }),
  allowedOrigins: key(z.array(z.string().min(1)).default([]), {
    env: 'ALLOWED_ORIGINS',
    description:
      'The origins a browser may connect from, matched exactly. Empty: any for clients of Superset, the same host for native ones. *: any; with a cookie, the same host.',
  }),
  apiKeys: key(z.array(z.string().min(24)).default([]), {
    env: 'SIGNALBOX_API_KEYS',
    secret: true,
    description: 'Bearer keys that may publish over HTTP, at least 24 characters each. Empty: nobody may.',
  }),
};
