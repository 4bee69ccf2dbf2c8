import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { queryParameter } from '../protocol/request-target.ts';
import { EVERYONE } from '../protocol/superset/realtime.ts';
import { type AuthError, authError } from './auth-error.ts';
import type { Principal } from './principal.ts';
import {
  type AuthRequest,
  type Claims,
  expiryOf,
  type TokenRules,
  textClaim,
  tokenFromCookie,
  verifyToken,
} from './token.ts';

export interface SupersetRealtimeAuthOptions extends Pick<TokenRules, 'keys' | 'algorithms' | 'now'> {
  readonly cookieName: string;
}

const AUDIENCE = 'superset-websocket';
const ISSUER = 'superset';
const GUEST = 'guest:';
const TAB_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Who a client of Superset's realtime messages is: a user or a guest, one tab of theirs, and one of everyone. */
export function createSupersetRealtimeAuth(options: SupersetRealtimeAuthOptions) {
  const rules = { ...options, audience: AUDIENCE, issuer: ISSUER };

  return ({ headers, target }: AuthRequest): Either.Either<AuthError, Principal> =>
    pipe(
      tokenFromCookie(headers, options.cookieName),
      Either.flatMap((token) => verifyToken(token, rules)),
      Either.flatMap((claims) => principalOf(claims, tabOf(target))),
    );
}

function principalOf(claims: Claims, tab: string | undefined): Either.Either<AuthError, Principal> {
  const user = textClaim(claims, 'sub');
  if (user === undefined) return Either.left(authError('subject'));
  const type = textClaim(claims, 'principal_type');
  if (type !== 'user' && type !== 'guest') return Either.left(authError('principal_type'));
  if (type === 'guest' && !user.startsWith(GUEST)) return Either.left(authError('subject'));
  const channel = type === 'user' ? `user:${user}` : user;
  if (textClaim(claims, 'channel') !== channel) return Either.left(authError('channel'));
  return pipe(
    expiryOf(claims),
    Either.flatMap(Either.fromNullable(authError('expiration'))),
    Either.map((expiresAtMs) => ({
      user,
      channels: [channel, ...(tab === undefined ? [] : [`${channel}:${tab}`]), EVERYONE],
      expiresAtMs,
    })),
  );
}

/** The tab that the socket is of; what is no tab id is ignored. */
function tabOf(target: string): string | undefined {
  const tab = queryParameter(target, 'tab_id');
  return tab !== undefined && TAB_ID.test(tab) ? tab : undefined;
}
