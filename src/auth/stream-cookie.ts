import type { KeyObject } from 'node:crypto';
import { parseCookie } from 'cookie';
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import jwt, { type Algorithm } from 'jsonwebtoken';
import { queryParameter } from '../protocol/request-target.ts';
import type { AuthError } from './auth-error.ts';
import { type NativePrincipal, nativePrincipal } from './native-principal.ts';
import type { VerifiedTicket } from './native-ticket.ts';
import {
  type AuthRequest,
  type Claims,
  hasAudience,
  type TokenRules,
  textClaim,
  verifyToken,
} from './token.ts';

/** What tells the token in a stream's cookie from every other. */
export const STREAM_AUDIENCE = 'signalbox.stream';

/** EventSource comes back to the very URL that it was given, whose ticket is used by then. */
export const streamCookieName = (cookieName: string): string => `${cookieName}-stream`;

/** Pages of one browser share the cookie: those before are let in again as long as there are no more than these. */
const MOST_TICKETS = 20;

type CookieRules = Pick<TokenRules, 'keys' | 'algorithms' | 'now'>;

/**
 * What lets the client of a stream come back that came by a ticket: good for that ticket's URL, and for those that the
 * cookie it has was good for, of the same user and session; for as long as the session that the ticket was of.
 */
export function mintStreamToken(
  { id, principal }: VerifiedTicket,
  { key, algorithm }: { readonly key: KeyObject; readonly algorithm: Algorithm },
  earlier: readonly string[],
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
    tickets: [...earlier.filter((other) => other !== id), id].slice(-MOST_TICKETS),
  };
  return jwt.sign(claims, key, { algorithm });
}

/** The tickets that the cookie of a request is good for, if it is of this user and session. */
export function ticketsOfCookie(
  request: AuthRequest,
  cookieName: string,
  rules: CookieRules,
  { user, session }: Pick<NativePrincipal, 'user' | 'session'>,
): readonly string[] {
  const claims = claimsOfCookie(request, cookieName, rules);
  return claims?.['sub'] === user && claims['sid'] === session ? ticketsOf(claims) : [];
}

/** Who comes back to a stream by its cookie; undefined: nobody does, and the request is one as any other. */
export function verifyStreamCookie(
  request: AuthRequest,
  cookieName: string,
  rules: CookieRules & { readonly maxTokenLifeMs: number },
): Either.Either<AuthError, NativePrincipal> | undefined {
  const ticket = queryParameter(request.target, 'ticket');
  const claims = claimsOfCookie(request, cookieName, rules);
  if (ticket === undefined || claims === undefined) return undefined;
  // One of another ticket is of another stream. What the URL says is proof of nothing but which one.
  const id = ticketIdOf(ticket);
  if (id === undefined || !ticketsOf(claims).includes(id)) return undefined;
  return pipe(
    nativePrincipal(claims, { nowMs: rules.now(), maxTokenLifeMs: rules.maxTokenLifeMs }),
    Either.map((principal) => ({ ...principal, fromTicket: true as const })),
  );
}

function claimsOfCookie(
  { headers }: AuthRequest,
  cookieName: string,
  rules: CookieRules,
): Claims | undefined {
  const cookie = parseCookie(headers.cookie ?? '')[streamCookieName(cookieName)];
  if (cookie === undefined || cookie === '') return undefined;
  const verified = verifyToken(cookie, { ...rules, audience: STREAM_AUDIENCE });
  return Either.isRight(verified) && hasAudience(verified.right, STREAM_AUDIENCE)
    ? verified.right
    : undefined;
}

function ticketsOf({ tickets }: Claims): readonly string[] {
  return Array.isArray(tickets) ? tickets.filter((id): id is string => typeof id === 'string') : [];
}

/** What a ticket calls itself, unverified; undefined: it is none. */
function ticketIdOf(ticket: string): string | undefined {
  // It throws at what holds no JSON.
  const claimed = Either.tryCatch(() => jwt.decode(ticket, { json: true }), Either.toError);
  return Either.isLeft(claimed) || claimed.right === null ? undefined : textClaim(claimed.right, 'jti');
}
