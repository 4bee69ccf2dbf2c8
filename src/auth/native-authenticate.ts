import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type AuthError, authError } from './auth-error.ts';
import { type CredentialSource, credentialOf } from './native-credential.ts';
import type { NativePrincipal } from './native-principal.ts';
import { type VerifiedTicket, verifyTicket } from './native-ticket.ts';
import { type NativeTokenRules, verifyNativeToken } from './native-token.ts';
import type { AuthRequest } from './token.ts';

export interface NativeAuthOptions extends NativeTokenRules {
  /** `native.cookieName`. */
  readonly cookieName: string;
}

/** A request whose credential is good. */
export interface NativeAuthenticated {
  readonly principal: NativePrincipal;
  readonly source: CredentialSource;
  /** There is one to be redeemed before the request is served. */
  readonly ticket?: VerifiedTicket;
}

/** Who a client of the native protocol is, by its token or ticket. */
export function createNativeAuth(options: NativeAuthOptions) {
  return (request: AuthRequest): Either.Either<AuthError, NativeAuthenticated> => {
    const credential = credentialOf(request, options.cookieName);
    if (credential === undefined) return Either.left(authError('absent'));
    const { kind, source, text } = credential;
    if (kind === 'token') {
      return pipe(
        verifyNativeToken(text, options),
        Either.map((principal) => ({ principal, source })),
      );
    }
    return pipe(
      verifyTicket(text, options),
      Either.map((ticket) => ({ principal: ticket.principal, source, ticket })),
    );
  };
}
