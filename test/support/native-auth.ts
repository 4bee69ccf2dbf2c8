import { createSecretKey } from 'node:crypto';
import * as Either from 'fp-ts/lib/Either.js';
import jwt from 'jsonwebtoken';
import type { AuthError } from '../../src/auth/auth-error.ts';
import { verificationKeys } from '../../src/auth/key.ts';
import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import { mintTicket } from '../../src/auth/native-ticket.ts';
import { PREVIOUS_SECRET, SECRET } from './tokens.ts';

export const NOW_S = 1_800_000_000;
export const NOW_MS = NOW_S * 1000;

export const rules = {
  keys: verificationKeys({ jwtSecret: SECRET, previousJwtSecret: PREVIOUS_SECRET }),
  algorithms: ['HS256' as const],
  audience: 'signalbox',
  maxTokenLifeMs: 2_592_000_000,
  now: () => NOW_MS,
};

/** What a good token says, an hour before its end. */
export const good = {
  aud: 'signalbox',
  sub: '5',
  sid: 's-1',
  iat: NOW_S - 10,
  exp: NOW_S + 3600,
  channels: ['sport', 'public:*'],
  publish: ['chat'],
};

export const principal: NativePrincipal = {
  user: '5',
  session: 's-1',
  channels: ['sport', 'public:*'],
  publish: ['chat'],
  issuedAtMs: (NOW_S - 10) * 1000,
  expiresAtMs: (NOW_S + 3600) * 1000,
};

/** Signs claims as they are; `undefined` leaves one out. */
export const sign = (claims: object, secret = SECRET): string =>
  // Told to add no `iat`, jsonwebtoken drops the one that is there.
  jwt.sign(JSON.parse(JSON.stringify(claims)) as object, secret, {
    noTimestamp: !('iat' in claims && claims.iat !== undefined),
  });

/** A good token with some of its claims changed. */
export const tokenWith = (changes: object = {}, secret = SECRET): string =>
  sign({ ...good, ...changes }, secret);

export const mintOptions = {
  key: createSecretKey(Buffer.from(SECRET)),
  algorithm: 'HS256' as const,
  ttlSeconds: 60,
  now: () => NOW_MS,
  newId: () => 'ticket-1',
};

/** A ticket of this very moment. */
export const ticketOf = (who: NativePrincipal = principal): string =>
  rightOf(mintTicket(who, mintOptions)).ticket;

export function rightOf<T>(answer: Either.Either<AuthError, T>): T {
  if (Either.isLeft(answer)) throw new Error(answer.left.reason);
  return answer.right;
}

export function refusalOf(answer: Either.Either<AuthError, unknown>): string {
  return Either.isLeft(answer)
    ? `${answer.left.status} ${answer.left.word}: ${answer.left.reason}`
    : 'let in';
}
