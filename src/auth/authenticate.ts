import type { Either } from 'fp-ts/lib/Either.js';
import type { Config } from '../config/schema.ts';
import type { AuthError } from './auth-error.ts';
import { verificationKeys } from './key.ts';
import { TICKET_AUDIENCE } from './native-ticket.ts';
import type { Principal } from './principal.ts';
import { createSupersetRealtimeAuth } from './superset-realtime.ts';
import { createSupersetStreamsAuth } from './superset-streams.ts';
import type { AuthRequest } from './token.ts';

export type Authenticate = (request: AuthRequest) => Either<AuthError, Principal>;

/** Who may open a socket, by the rules of the protocol that is configured. */
export function createAuthenticate(config: Config, now: () => number): Authenticate {
  const rules = {
    keys: verificationKeys(config),
    algorithms: [...config.jwtAlgorithms],
    cookieName: config.jwtCookieName,
    now,
  };
  if (config.superset.protocol === 'realtime') return createSupersetRealtimeAuth(rules);
  return createSupersetStreamsAuth({
    ...rules,
    channelClaim: config.jwtChannelIdKey,
    foreignAudiences: [config.native.audience, TICKET_AUDIENCE],
  });
}
