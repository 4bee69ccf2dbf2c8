import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type AuthError, authError } from './auth-error.ts';
import type { Principal } from './principal.ts';
import {
  type AuthRequest,
  type Claims,
  expiryOf,
  hasAudience,
  type TokenRules,
  textClaim,
  tokenFromCookie,
  verifyToken,
} from './token.ts';

export interface SupersetStreamsAuthOptions extends Pick<TokenRules, 'keys' | 'algorithms' | 'now'> {
  readonly cookieName: string;
  /** The claim that names the channel. */
  readonly channelClaim: string;
  /** Of tokens that are for another protocol: Superset's own have no audience. */
  readonly foreignAudiences?: readonly string[];
}

/** Its stream holds everybody's events. */
const FIREHOSE = 'full';

/** Who a client of Superset's async events is: the channel that its cookie's token names. */
export function createSupersetStreamsAuth(options: SupersetStreamsAuthOptions) {
  return ({ headers }: Pick<AuthRequest, 'headers'>): Either.Either<AuthError, Principal> =>
    pipe(
      tokenFromCookie(headers, options.cookieName),
      Either.flatMap((token) => verifyToken(token, options)),
      Either.filterOrElse(
        (claims) => !options.foreignAudiences?.some((audience) => hasAudience(claims, audience)),
        () => authError('audience'),
      ),
      Either.flatMap((claims) => principalOf(claims, options.channelClaim)),
    );
}

function principalOf(claims: Claims, channelClaim: string): Either.Either<AuthError, Principal> {
  const channel = textClaim(claims, channelClaim);
  if (channel === undefined || channel === FIREHOSE) return Either.left(authError('channel'));
  const user = textClaim(claims, 'sub');
  return pipe(
    expiryOf(claims),
    Either.map((expiresAtMs) => ({
      ...(user !== undefined && { user }),
      channels: [channel],
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    })),
  );
}
