import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Config } from '../config/schema.ts';
import { type AuthError, authError } from './auth-error.ts';
import { verificationKeys } from './key.ts';
import { createNativeAuth, type NativeAuthenticated } from './native-authenticate.ts';
import { credentialOf } from './native-credential.ts';
import { isAllowedNativeOrigin } from './native-origin.ts';
import type { NativePrincipal } from './native-principal.ts';
import {
  type ClaimOnce,
  type MintedTicket,
  mintTicket,
  redeemTicket,
  type VerifiedTicket,
} from './native-ticket.ts';
import { verifyRefresh } from './native-token.ts';
import { mintStreamToken, ticketsOfCookie, verifyStreamCookie } from './stream-cookie.ts';
import type { AuthRequest } from './token.ts';

/** Who may come in by the native protocol, by the rules of the configuration. */
export interface NativeAccess {
  /** The cookie that may carry a token. */
  readonly cookieName: string;
  /** A promise where the application authenticates; it rejects when that fails. */
  authenticate(request: AuthRequest): Awaitable<Either.Either<AuthError, NativeAuthenticated>>;
  /** As `authenticate`, of a request for a stream: one that comes back has the cookie that it was given. */
  authenticateStream(request: AuthRequest): Awaitable<Either.Either<AuthError, NativeAuthenticated>>;
  /** The value of that cookie, for who came by this ticket; undefined: this server has nothing to sign with. */
  mintStreamToken(ticket: VerifiedTicket, request: AuthRequest): string | undefined;
  /** Whether a principal that was authenticated a while ago is to be let in no more. */
  isRevoked(principal: NativePrincipal): boolean;
  isAllowedOrigin(request: AuthRequest): boolean;
  /** The principal of a token that a socket of this one goes on with. */
  refresh(token: string, principal: NativePrincipal): Awaitable<Either.Either<AuthError, NativePrincipal>>;
  /** Uses a ticket up; false when it was used before. Rejects when that cannot be known. */
  redeem(ticket: VerifiedTicket): Promise<boolean>;
  /** Refused where the principal came by a ticket, or where this server has nothing to sign with. */
  mint(principal: NativePrincipal): Either.Either<AuthError, MintedTicket>;
}

type Awaitable<T> = T | Promise<T>;

/** Tells who a request is of, in the place of its token; undefined: it is refused. */
export type AuthenticateByApplication = (request: AuthRequest) => Promise<NativePrincipal | undefined>;

export interface NativeAccessDeps {
  readonly config: Pick<
    Config,
    'native' | 'ticket' | 'jwtSecret' | 'previousJwtSecret' | 'jwtAlgorithms' | 'allowedOrigins'
  >;
  readonly now: () => number;
  readonly claim: ClaimOnce;
  /** Whether its token is not to be taken any more; undefined: that is not known. */
  readonly isRevoked: (principal: NativePrincipal) => boolean | undefined;
  /** An id that nobody can guess. */
  readonly newId: () => string;
  /** Undefined: tokens say who somebody is. Tickets do in any case. */
  readonly application?: AuthenticateByApplication | undefined;
}

export function createNativeAccess(deps: NativeAccessDeps): NativeAccess {
  const { config, now, claim, newId, application } = deps;
  const { audience, cookieName } = config.native;
  const algorithms = [...config.jwtAlgorithms];
  const maxTokenLifeMs = config.native.maxTokenLifeSeconds * 1000;
  const rules = { keys: verificationKeys(config), algorithms, now, audience, maxTokenLifeMs };
  const byToken = createNativeAuth({ ...rules, cookieName });
  const algorithm = algorithms.find((name) => name.startsWith('HS'));
  // Who may verify only, having a public key or the secret before, signs nothing.
  const current = config.jwtSecret === '' ? undefined : rules.keys[0];
  const key = current?.type === 'secret' ? current : undefined;

  const refuseRevoked = (principal: NativePrincipal): Either.Either<AuthError, NativePrincipal> => {
    const isRevoked = deps.isRevoked(principal);
    if (isRevoked === false) return Either.right(principal);
    return Either.left(authError(isRevoked === undefined ? 'revocations_unknown' : 'revoked'));
  };

  const unlessRevoked = Either.tap(({ principal }: NativeAuthenticated) => refuseRevoked(principal));

  const authenticate: NativeAccess['authenticate'] = (request) => {
    const credential = credentialOf(request, cookieName);
    if (application === undefined || credential?.kind === 'ticket') return unlessRevoked(byToken(request));
    return application(request)
      .then(Either.fromNullable(authError('application')))
      .then(Either.map((principal) => ({ principal, source: credential?.source ?? 'cookie' })))
      .then(unlessRevoked);
  };

  return {
    cookieName,
    authenticate,
    authenticateStream(request) {
      const comesBack = verifyStreamCookie(request, cookieName, rules);
      if (comesBack === undefined) return authenticate(request);
      return pipe(
        comesBack,
        Either.map((principal) => ({ principal, source: 'cookie' as const })),
        unlessRevoked,
      );
    },
    mintStreamToken(ticket, request) {
      if (key === undefined || algorithm === undefined) return undefined;
      const earlier = ticketsOfCookie(request, cookieName, rules, ticket.principal);
      return mintStreamToken(ticket, { key, algorithm }, earlier);
    },
    isRevoked: (principal) => deps.isRevoked(principal) !== false,
    isAllowedOrigin: (request) =>
      isAllowedNativeOrigin(request.headers, {
        allowed: config.allowedOrigins,
        // The application may know somebody by any cookie.
        withCookie:
          application === undefined
            ? credentialOf(request, cookieName)?.source === 'cookie'
            : request.headers.cookie !== undefined,
      }),
    refresh(token, principal) {
      const unlessItIsRevoked = Either.flatMap(refuseRevoked);
      if (application === undefined) return unlessItIsRevoked(verifyRefresh(token, principal, rules));
      return application({ headers: { authorization: `Bearer ${token}` }, target: '/' })
        .then((next) =>
          next?.user === principal.user && next.session === principal.session
            ? Either.right(next)
            : Either.left(authError('application')),
        )
        .then(unlessItIsRevoked);
    },
    redeem: (ticket) => redeemTicket(ticket, claim, now()),
    mint(principal) {
      if (key === undefined || algorithm === undefined) return Either.left(authError('algorithm'));
      const { ttlSeconds } = config.ticket;
      return mintTicket(principal, { key, algorithm, ttlSeconds, now, newId });
    },
  };
}
