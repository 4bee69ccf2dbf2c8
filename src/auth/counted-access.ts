import * as Either from 'fp-ts/lib/Either.js';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AuthRefusal } from '../telemetry/metrics/admission.ts';
import type { Authenticate } from './authenticate.ts';
import type { AuthError } from './auth-error.ts';
import type { NativeAccess } from './native-access.ts';

type CountRefusal = (reason: AuthRefusal) => void;

/** Counts who is refused by one protocol. */
export function createRefusalCount(
  metrics: Pick<Metrics, 'count'>,
  protocol: 'native' | 'superset',
): CountRefusal {
  return (reason) => metrics.count('signalbox.auth_refused', 1, { protocol, reason });
}

/** The same access, whose refusals are counted by reason. */
export function countedAccess(access: NativeAccess, count: CountRefusal): NativeAccess {
  function counted<T>(found: Awaitable<Either.Either<AuthError, T>>): typeof found {
    if (found instanceof Promise) return found.then(countLeft);
    return countLeft(found);
  }
  function countLeft<T>(found: Either.Either<AuthError, T>): Either.Either<AuthError, T> {
    if (Either.isLeft(found)) count(found.left.reason);
    return found;
  }
  return {
    ...access,
    authenticate: (request) => counted(access.authenticate(request)),
    authenticateStream: (request) => counted(access.authenticateStream(request)),
    refresh: (token, principal) => counted(access.refresh(token, principal)),
    isAllowedOrigin(request) {
      const isAllowed = access.isAllowedOrigin(request);
      if (!isAllowed) count('origin');
      return isAllowed;
    },
    async redeem(ticket) {
      const isFirst = await access.redeem(ticket);
      if (!isFirst) count('used_ticket');
      return isFirst;
    },
  };
}

type Awaitable<T> = T | Promise<T>;

/** The same, of Superset's clients. */
export function countedAuthenticate(authenticate: Authenticate, count: CountRefusal): Authenticate {
  return (request) => {
    const found = authenticate(request);
    if (Either.isLeft(found)) count(found.left.reason);
    return found;
  };
}
