import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type AuthError, authError } from './auth-error.ts';
import { type NativePrincipal, nativePrincipal } from './native-principal.ts';
import { TICKET_AUDIENCE } from './native-ticket.ts';
import { hasAudience, type TokenRules, verifyToken } from './token.ts';

export interface NativeTokenRules extends Pick<TokenRules, 'keys' | 'algorithms' | 'now'> {
  /** `native.audience`. */
  readonly audience: string;
  /** `native.maxTokenLifeSeconds`. */
  readonly maxTokenLifeMs: number;
}

/** Verifies a long-lived token of the native protocol. A ticket or a cookie of Superset's is none. */
export function verifyNativeToken(
  token: string,
  rules: NativeTokenRules,
): Either.Either<AuthError, NativePrincipal> {
  return pipe(
    verifyToken(token, rules),
    Either.filterOrElse(
      (claims) => !hasAudience(claims, TICKET_AUDIENCE),
      () => authError('audience'),
    ),
    Either.flatMap((claims) => nativePrincipal(claims, { ...rules, nowMs: rules.now() })),
  );
}

/** Verifies the token that a socket of `principal` goes on with: one of the same user and session. */
export function verifyRefresh(
  token: string,
  principal: Pick<NativePrincipal, 'user' | 'session'>,
  rules: NativeTokenRules,
): Either.Either<AuthError, NativePrincipal> {
  return pipe(
    verifyNativeToken(token, rules),
    Either.filterOrElse(
      ({ user }) => user === principal.user,
      () => authError('subject'),
    ),
    Either.filterOrElse(
      ({ session }) => session === principal.session,
      () => authError('session'),
    ),
  );
}
