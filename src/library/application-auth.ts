import { parseCookie } from 'cookie';
import type { AuthenticateByApplication } from '../auth/native-access.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Config } from '../config/schema.ts';
import { isPattern, isPrincipalId, PATTERN_FORM } from '../protocol/native/names.ts';
import type { Callbacks } from './callbacks.ts';
import type { Contract } from './contract.ts';
import { SignalboxError } from './error.ts';
import type { OnBug } from './listeners.ts';
import type { Principal } from './socket.ts';

const BAD_ID = 'expected 1 to 128 bytes of text without control characters';

/** Who a request is of, as the program's `authenticate` says; undefined: tokens say. */
export function createApplicationAuth<C extends Contract>(
  { authenticate }: Pick<Callbacks<C>, 'authenticate'>,
  { native }: Pick<Config, 'native'>,
  onBug: OnBug,
): AuthenticateByApplication | undefined {
  if (authenticate === undefined) return undefined;
  const maxLifeMs = native.maxTokenLifeSeconds * 1_000;
  return async ({ headers, target }) => {
    try {
      const principal = await authenticate({
        url: target,
        headers,
        cookies: parseCookie(headers.cookie ?? ''),
      });
      return principal ? nativePrincipal(principal, maxLifeMs) : undefined;
    } catch (error) {
      // A refusal, said by throwing it.
      if (error instanceof SignalboxError && (error.code === 'unauthorized' || error.code === 'forbidden')) {
        return undefined;
      }
      onBug(error, 'authenticate');
      throw error;
    }
  };
}

/** What a program says is checked as what a token says: a wrong type would be somebody else's channel. */
function nativePrincipal(principal: Principal, maxLifeMs: number): NativePrincipal {
  const { user, session, channels = [], publish = [], locals = {} } = principal;
  const now = Date.now();
  const { expiresAt = now + maxLifeMs, issuedAt = now } = principal;
  expect(isPrincipalId(user), 'user', BAD_ID);
  expect(session === undefined || isPrincipalId(session), 'session', BAD_ID);
  expect(isPatterns(channels), 'channels', `expected a list, each ${PATTERN_FORM}`);
  expect(isPatterns(publish), 'publish', `expected a list, each ${PATTERN_FORM}`);
  expect(Number.isFinite(expiresAt), 'expiresAt', 'expected ms since 1970');
  expect(Number.isFinite(issuedAt), 'issuedAt', 'expected ms since 1970');
  return {
    user,
    ...(session !== undefined && { session }),
    channels,
    publish,
    expiresAtMs: Math.min(expiresAt, now + maxLifeMs),
    issuedAtMs: issuedAt,
    locals,
  };
}

const isPatterns = (value: unknown): boolean => Array.isArray(value) && value.every(isPattern);

function expect(isTrue: boolean, name: string, expected: string): void {
  if (!isTrue) throw new TypeError(`authenticate answered a principal with a bad ${name}: ${expected}`);
}
