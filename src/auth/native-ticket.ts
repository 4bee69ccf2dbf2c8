import type { KeyObject } from 'node:crypto';
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import jwt, { type Algorithm } from 'jsonwebtoken';
import { type AuthError, authError } from './auth-error.ts';
import { type NativePrincipal, nativePrincipal, type PrincipalRules } from './native-principal.ts';
import { type Claims, expiryOf, type TokenRules, textClaim, verifyToken } from './token.ts';

/** What tells a ticket from every other token. */
export const TICKET_AUDIENCE = 'signalbox.ticket';

/** That a ticket was used is remembered until it would have expired, so its life has a bound whoever signed it. */
const MAX_TTL_MS = 3_600_000;
/** An instance whose clock is behind takes a ticket for longer. */
const CLOCK_SKEW_MS = 60_000;

export interface MintOptions {
  /** A secret; a public key can sign nothing. */
  readonly key: KeyObject;
  /** One of the HMAC algorithms that verification is pinned to. */
  readonly algorithm: Algorithm;
  readonly ttlSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** An id that nobody can guess and nothing else has. */
  readonly newId: () => string;
}

export interface MintedTicket {
  readonly ticket: string;
  readonly expiresAtMs: number;
}

/** A ticket that is good, and not yet used up. */
export interface VerifiedTicket {
  readonly principal: NativePrincipal;
  readonly id: string;
  readonly expiresAtMs: number;
}

/** Makes a ticket for a principal: good once, for a minute, and for no longer than the session it is of. */
export function mintTicket(
  principal: NativePrincipal,
  { key, algorithm, ttlSeconds, now, newId }: MintOptions,
): Either.Either<AuthError, MintedTicket> {
  if (principal.fromTicket === true) return Either.left(authError('from_ticket'));
  const { user, session, channels, publish, issuedAtMs, expiresAtMs } = principal;
  const iat = Math.floor(now() / 1000);
  const sexp = expiresAtMs / 1000;
  const exp = Math.min(iat + ttlSeconds, sexp);
  const claims = {
    aud: TICKET_AUDIENCE,
    sub: user,
    ...(session !== undefined && { sid: session }),
    channels,
    publish,
    jti: newId(),
    iat,
    // Of the session's token: one minted just after a revocation must not look as if it was issued after it.
    siat: issuedAtMs / 1000,
    exp,
    sexp,
  };
  return Either.right({ ticket: jwt.sign(claims, key, { algorithm }), expiresAtMs: exp * 1000 });
}

export interface TicketRules extends Pick<TokenRules, 'keys' | 'algorithms' | 'now'> {
  /** Of the token that it was minted from. */
  readonly maxTokenLifeMs: number;
}

/** Verifies all of a ticket but that it was not used: `redeemTicket` is the last of the checks. */
export function verifyTicket(ticket: string, rules: TicketRules): Either.Either<AuthError, VerifiedTicket> {
  return pipe(
    verifyToken(ticket, { ...rules, audience: TICKET_AUDIENCE }),
    Either.filterOrElse(
      ({ aud }) => aud === TICKET_AUDIENCE,
      () => authError('audience'),
    ),
    Either.flatMap((claims) => ticketOf(claims, { ...rules, nowMs: rules.now() })),
  );
}

function ticketOf(claims: Claims, rules: PrincipalRules): Either.Either<AuthError, VerifiedTicket> {
  const { nowMs } = rules;
  const id = textClaim(claims, 'jti');
  if (id === undefined || id.length > 128) return Either.left(authError('ticket'));
  const { sexp, siat } = claims;
  return pipe(
    Either.Do,
    Either.apS('expiresAtMs', endOf(claims, nowMs)),
    Either.apS('principal', nativePrincipal({ ...claims, exp: sexp, iat: siat, jti: undefined }, rules)),
    Either.filterOrElse(
      ({ principal }) => principal.expiresAtMs > nowMs,
      () => authError('expired'),
    ),
    Either.map(({ expiresAtMs, principal }) => ({
      id,
      expiresAtMs,
      principal: { ...principal, fromTicket: true },
    })),
  );
}

function endOf(claims: Claims, nowMs: number): Either.Either<AuthError, number> {
  return pipe(
    expiryOf(claims),
    Either.flatMap(Either.fromNullable(authError('expiration'))),
    Either.filterOrElse(
      (expiresAtMs) => expiresAtMs <= nowMs + MAX_TTL_MS + CLOCK_SKEW_MS,
      () => authError('expiration'),
    ),
  );
}

/** Claims a key for a time; false when somebody has it. Rejects when that cannot be known. */
export type ClaimOnce = (key: string, ttlMs: number) => Promise<boolean>;

/**
 * Uses a ticket up: false when it was used before. Rejects with what `claim` rejects with: who cannot be sure must
 * not let anybody in.
 */
export function redeemTicket(ticket: VerifiedTicket, claim: ClaimOnce, nowMs: number): Promise<boolean> {
  const leftMs = Math.max(0, ticket.expiresAtMs - nowMs);
  return claim(`ticket:${ticket.id}`, Math.ceil(leftMs) + CLOCK_SKEW_MS);
}
