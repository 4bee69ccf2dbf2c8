import { describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import { verificationKeys } from '../../src/auth/key.ts';
import { verifyToken } from '../../src/auth/token.ts';
import { SECRET, tokenOf } from '../support/tokens.ts';
import { verifySecretAsText } from './secret-as-text.ts';

const TOKENS = 500;
/** Of the processor, for the tokens of 2,000 connections. */
const BUDGET_MS = 500;

/** Processor time for verifying the tokens of 2,000 connections, by the quietest of three rounds. */
function costOf2000Ms(verify: (token: string) => unknown): number {
  const tokens = Array.from({ length: TOKENS }, (_, at) => tokenOf({ channel: `c${at}`, sub: `${at}` }));
  for (const token of tokens.slice(0, 100)) verify(token);
  const rounds = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    for (const token of tokens) verify(token);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return (Math.min(...rounds) * 2000) / TOKENS;
}

describe('340 connections a second: the secret is parsed as a public key at each verify', () => {
  test('one KeyObject: 2,000 verifications take a small part of a second', () => {
    const rules = {
      keys: verificationKeys({ jwtSecret: SECRET, previousJwtSecret: '' }),
      algorithms: ['HS256' as const],
      now: Date.now,
    };
    const costMs = costOf2000Ms((token) => {
      const verified = verifyToken(token, rules);
      if (Either.isLeft(verified)) throw new Error(verified.left.reason);
    });
    expect(costMs).toBeLessThan(BUDGET_MS);
  });

  test('with the secret as a text at each verify the check fails', () => {
    const costMs = costOf2000Ms((token) => verifySecretAsText(token, SECRET, ['HS256']));
    expect(costMs).toBeGreaterThan(BUDGET_MS);
  });
});
