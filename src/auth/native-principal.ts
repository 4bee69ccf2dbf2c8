import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import {
  isPattern,
  isPrincipalId,
  matchesAny,
  sessionChannel,
  userChannel,
} from '../protocol/native/names.ts';
import { type AuthError, authError, type TokenFault } from './auth-error.ts';
import { type Claims, expiryOf, textClaim } from './token.ts';

/** Who a native client is, and what it may. */
export interface NativePrincipal {
  readonly user: string;
  readonly session?: string;
  /** Names and patterns of what it may subscribe. */
  readonly channels: readonly string[];
  /** Names and patterns of where it may publish. */
  readonly publish: readonly string[];
  /** Ms since 1970. */
  readonly expiresAtMs: number;
  /** Ms since 1970, 0 when the token does not say: then any revocation is later. */
  readonly issuedAtMs: number;
  /** The token's own id (`jti`), where it has one. */
  readonly tokenId?: string;
  /** It came by a ticket, which gives no further ones. */
  readonly fromTicket?: true;
  /** The application's own, of this process: never sent anywhere. */
  readonly locals?: Record<string, unknown>;
}

/** Times with fractions of a second do not add up exactly. */
const ROUNDING_MS = 1_000;

/** How far the clocks of those who sign may be ahead. */
const CLOCK_SKEW_MS = 60_000;

export interface PrincipalRules {
  readonly nowMs: number;
  /** `native.maxTokenLifeSeconds`, from when a token was issued or, where it does not say, from now. */
  readonly maxTokenLifeMs: number;
}

/** Reads who a token is of; every claim is checked for its type, whoever signed it. */
export function nativePrincipal(
  claims: Claims,
  { nowMs, maxTokenLifeMs }: PrincipalRules,
): Either.Either<AuthError, NativePrincipal> {
  const { sub, sid, channels = [], publish = [] } = claims;
  if (!isPrincipalId(sub)) return refuse('subject');
  if (sid !== undefined && !isPrincipalId(sid)) return refuse('session');
  if (!isPatternList(channels)) return refuse('channel');
  if (!isPatternList(publish)) return refuse('publish');
  const issuedAtMs = issuedAtOf(claims);
  if (issuedAtMs === undefined) return refuse('issued_at');
  // One of next year would outlive every revocation until then.
  if (issuedAtMs > nowMs + CLOCK_SKEW_MS) return refuse('not_yet_valid');
  const tokenId = textClaim(claims, 'jti');
  return pipe(
    expiryOf(claims),
    // A revocation is remembered for the longest life of a token, so every token must have an end, and a near one.
    Either.flatMap(Either.fromNullable(authError('expiration'))),
    Either.filterOrElse(
      (expiresAtMs) => expiresAtMs <= (issuedAtMs > 0 ? issuedAtMs : nowMs) + maxTokenLifeMs + ROUNDING_MS,
      () => authError('lifetime'),
    ),
    Either.map((expiresAtMs) => ({
      user: sub,
      ...(sid !== undefined && { session: sid }),
      channels,
      publish,
      expiresAtMs,
      issuedAtMs,
      ...(tokenId !== undefined && { tokenId }),
    })),
  );
}

/** The channels that the server subscribes for it. */
export function ownChannels({ user, session }: Pick<NativePrincipal, 'user' | 'session'>): readonly string[] {
  return session === undefined ? [userChannel(user)] : [userChannel(user), sessionChannel(session)];
}

/** Whether it may ask for this channel. Its own it has without asking. */
export function maySubscribe({ channels }: Pick<NativePrincipal, 'channels'>, channel: string): boolean {
  return matchesAny(channels, channel);
}

/** Whether it may publish to this channel. */
export function mayPublish({ publish }: Pick<NativePrincipal, 'publish'>, channel: string): boolean {
  return matchesAny(publish, channel);
}

function refuse(reason: TokenFault): Either.Either<AuthError, never> {
  return Either.left(authError(reason));
}

function isPatternList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isPattern);
}

function issuedAtOf({ iat }: Claims): number | undefined {
  if (iat === undefined) return 0;
  return typeof iat === 'number' && Number.isFinite(iat) && iat >= 0 ? iat * 1000 : undefined;
}
