import * as Either from 'fp-ts/lib/Either.js';
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
import type { AuthRequest } from './token.ts';

/** Who may come in by the native protocol, by the rules of the configuration. */
export interface NativeAccess {
  /** The cookie that may carry a token. */
  readonly cookieName: string;
  authenticate(request: AuthRequest): Either.Either<AuthError, NativeAuthenticated>;
  isAllowedOrigin(request: AuthRequest): boolean;
  /** The principal of a token that a socket of this one goes on with. */
  refresh(token: string, principal: NativePrincipal): Either.Either<AuthError, NativePrincipal>;
  /** Uses a ticket up; false when it was used before. Rejects when that cannot be known. */
  redeem(ticket: VerifiedTicket): Promise<boolean>;
  /** Refused where the principal came by a ticket, or where this server has nothing to sign with. */
  mint(principal: NativePrincipal): Either.Either<AuthError, MintedTicket>;
}

export interface NativeAccessDeps {
  readonly config: Pick<
    Config,
    'native' | 'ticket' | 'jwtSecret' | 'previousJwtSecret' | 'jwtAlgorithms' | 'allowedOrigins'
  >;
  readonly now: () => number;
  readonly claim: ClaimOnce;
  /** An id that nobody can guess. */
  readonly newId: () => string;
}

export function createNativeAccess({ config, now, claim, newId }: NativeAccessDeps): NativeAccess {
  const { audience, cookieName } = config.native;
  const algorithms = [...config.jwtAlgorithms];
  const rules = { keys: verificationKeys(config), algorithms, now, audience };
  const authenticate = createNativeAuth({ ...rules, cookieName });
  const algorithm = algorithms.find((name) => name.startsWith('HS'));
  // Who may verify only, having a public key or the secret before, signs nothing.
  const current = config.jwtSecret === '' ? undefined : rules.keys[0];
  const key = current?.type === 'secret' ? current : undefined;

  return {
    cookieName,
    authenticate,
    isAllowedOrigin: (request) =>
      isAllowedNativeOrigin(request.headers, {
        allowed: config.allowedOrigins,
        withCookie: credentialOf(request, cookieName)?.source === 'cookie',
      }),
    refresh: (token, principal) => verifyRefresh(token, principal, rules),
    redeem: (ticket) => redeemTicket(ticket, claim, now()),
    mint(principal) {
      if (key === undefined || algorithm === undefined) return Either.left(authError('algorithm'));
      const { ttlSeconds } = config.ticket;
      return mintTicket(principal, { key, algorithm, ttlSeconds, now, newId });
    },
  };
}
