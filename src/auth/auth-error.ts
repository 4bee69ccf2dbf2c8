/** Why a token is refused: for metrics and logs, never for the client. */
export type TokenFault =
  | 'absent'
  | 'malformed'
  | 'algorithm'
  | 'signature'
  | 'expired'
  | 'not_yet_valid'
  | 'audience'
  | 'issuer'
  | 'subject'
  | 'principal_type'
  | 'channel'
  | 'expiration'
  | 'session'
  | 'publish'
  | 'issued_at'
  | 'ticket'
  | 'from_ticket'
  | 'application'
  | 'route'
  | 'lifetime'
  | 'revoked'
  | 'revocations_unknown';

/** The refusals, closed: the status and the one word that a client is told. */
export const AUTH_REFUSALS = {
  no_token: { status: 401, word: 'no token' },
  bad_token: { status: 401, word: 'bad token' },
  not_allowed: { status: 403, word: 'not allowed' },
  not_known: { status: 503, word: 'unavailable' },
} as const satisfies Record<string, { readonly status: number; readonly word: string }>;

export type AuthErrorCode = keyof typeof AUTH_REFUSALS;

/** A refused request. Nothing in it comes from the token. */
export interface AuthError {
  readonly code: AuthErrorCode;
  readonly status: number;
  readonly word: string;
  readonly reason: TokenFault;
}

/** Faults that are not those of a bad token. */
const CODES: ReadonlyMap<TokenFault, AuthErrorCode> = new Map([
  ['absent', 'no_token'],
  ['from_ticket', 'not_allowed'],
  ['revocations_unknown', 'not_known'],
  ['route', 'not_allowed'],
]);

/** The refusal that goes with a fault. */
export function authError(reason: TokenFault): AuthError {
  const code = CODES.get(reason) ?? 'bad_token';
  return { code, ...AUTH_REFUSALS[code], reason };
}
