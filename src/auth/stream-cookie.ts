import type { KeyObject } from 'node:crypto';
import { parseCookie } from 'cookie';
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import jwt, { type Algorithm } from 'jsonwebtoken';
import { queryParameter } from '../protocol/request-target.ts';
import { type AuthError, authError } from './auth-error.ts';
import { type NativePrincipal, nativePrincipal } from './native-principal.ts';
import type { VerifiedTicket } from './native-ticket.ts';
import { type AuthRequest, hasAudience, type TokenRules, textClaim, verifyToken } from './token.ts';

/** What tells the token in a stream's cookie from every other. */
export const STREAM_AUDIENCE = 'signalbox.stream';

/** EventSource comes back to the very URL that it was given, whose ticket is used by then. */
export const streamCookieName = (cookieName: string): string => `${cookieName}-stream`;

/**
 * What lets the client of a stream come back that came by a ticket: good for that ticket's URL, for as long as the
 * session that the ticket was of.
 */
export function mintStreamToken(
  { id, principal }: VerifiedTicket,
  { key, algorithm }: { readonly key: KeyObject; readonly algorithm: Algorithm },
): string {
  const { user, session, channels, publish, issuedAtMs, expiresAtMs } = principal;
  const claims = {
    aud: STREAM_AUDIENCE,
    sub: user,
    ...(session !== undefined && { sid: session }),
    channels,
    publish,
    iat: issuedAtMs / 1000,
    exp: expiresAtMs / 1000,
    ticket: id,
  };
  return jwt.sign(claims, key, { algorithm });
}

/** Who comes back to a stream by its cookie; undefined: nobody does, and the request is one as any other. */
export function verifyStreamCookie(
  { headers, target }: AuthRequest,
  cookieName: string,
  rules: Pick<TokenRules, 'keys' | 'algorithms' | 'now'> & { readonly maxTokenLifeMs: number },
): Either.Either<AuthError, NativePrincipal> | undefined {
  const ticket = queryParameter(target, 'ticket');
  const cookie = parseCookie(headers.cookie ?? '')[streamCookieName(cookieName)];
  if (ticket === undefined || cookie === undefined || cookie === '') return undefined;
  const verified = pipe(
    verifyToken(cookie, { ...rules, audience: STREAM_AUDIENCE }),
    Either.filterOrElse(
      (claims) => hasAudience(claims, STREAM_AUDIENCE),
      () => authError('audience'),
    ),
  );
  if (Either.isLeft(verified)) return undefined;
  // One of another ticket is of another stream of this path. What the URL says is proof of nothing but which one.
  const id = ticketIdOf(ticket);
  if (id === undefined || id !== textClaim(verified.right, 'ticket')) return undefined;
  return pipe(
    nativePrincipal(verified.right, { nowMs: rules.now(), maxTokenLifeMs: rules.maxTokenLifeMs }),
    Either.map((principal) => ({ ...principal, fromTicket: true as const })),
  );
}

/** What a ticket calls itself, unverified; undefined: it is none. */
function ticketIdOf(ticket: string): string | undefined {
  // It throws at what holds no JSON.
  const claimed = Either.tryCatch(() => jwt.decode(ticket, { json: true }), Either.toError);
  return Either.isLeft(claimed) || claimed.right === null ? undefined : textClaim(claimed.right, 'jti');
}
