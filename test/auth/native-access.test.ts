import { describe, expect, test } from '@jest/globals';
import type * as Either from 'fp-ts/lib/Either.js';
import type { AuthError } from '../../src/auth/auth-error.ts';
import { NOW_MS, NOW_S, principal, refusalOf, ticketOf, tokenWith } from '../support/native-auth.ts';
import { nativeAccess } from '../support/native-http.ts';

type Answer = Either.Either<AuthError, unknown>;

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, target: '/' });
const byTicket = (ticket: string) => ({ headers: {}, target: `/?ticket=${ticket}` });
/** All tokens that were issued until now, a minute ago. */
const access = nativeAccess([], ({ issuedAtMs }) => issuedAtMs <= NOW_MS - 60_000);
const old = { iat: NOW_S - 61 };

const outcome = async (answer: Answer | Promise<Answer>): Promise<string> => refusalOf(await answer);

describe('access by a revoked token', () => {
  test('is refused, also by a ticket that was minted of it later, and not by a later token', async () => {
    expect(await outcome(access.authenticate(bearer(tokenWith(old))))).toBe('401 bad token: revoked');
    const minted = ticketOf({ ...principal, issuedAtMs: old.iat * 1000 });
    expect(await outcome(access.authenticate(byTicket(minted)))).toBe('401 bad token: revoked');
    expect(await outcome(access.authenticate(byTicket(ticketOf())))).toBe('let in');
    expect(await outcome(access.authenticate(bearer(tokenWith())))).toBe('let in');
  });

  test('is refused of a token that does not say when it was issued', async () => {
    const token = tokenWith({ iat: undefined });
    expect(await outcome(access.authenticate(bearer(token)))).toBe('401 bad token: revoked');
  });

  test('is no way to go on', async () => {
    expect(await outcome(access.refresh(tokenWith(old), principal))).toBe('401 bad token: revoked');
    expect(await outcome(access.refresh(tokenWith(), principal))).toBe('let in');
  });

  test('is seen also where it was authenticated before', () => {
    expect(access.isRevoked(principal)).toBe(false);
    expect(access.isRevoked({ ...principal, issuedAtMs: 0 })).toBe(true);
  });
});

test('while nobody knows what was revoked, nobody is let in, and no token is called a bad one', async () => {
  const unsure = nativeAccess([], () => undefined);
  expect(await outcome(unsure.authenticate(bearer(tokenWith())))).toBe(
    '503 unavailable: revocations_unknown',
  );
  expect(await outcome(unsure.refresh(tokenWith(), principal))).toBe('503 unavailable: revocations_unknown');
  expect(await outcome(unsure.authenticate(bearer(tokenWith({ exp: 1 }))))).toBe('401 bad token: expired');
  expect(unsure.isRevoked(principal)).toBe(true);
});
