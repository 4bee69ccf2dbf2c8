import crypto from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';

// jsonwebtoken takes the function out of the module as it is loaded, so it is loaded after this.
const parse = jest.spyOn(crypto, 'createPublicKey');
const { SECRET, tokenOf } = await import('../support/tokens.ts');
const { verificationKeys } = await import('../../src/auth/key.ts');
const { verifyToken } = await import('../../src/auth/token.ts');
const { verifySecretAsText } = await import('./secret-as-text.ts');

const TOKENS = Array.from({ length: 20 }, (_, at) => tokenOf({ channel: `c${at}`, sub: `${at}` }));

/** How often the secret is read as a public key while tokens are verified. */
function parsesOf(verify: (token: string) => unknown): number {
  parse.mockClear();
  for (const token of TOKENS) verify(token);
  return parse.mock.calls.length;
}

describe('340 connections a second: the secret is parsed as a public key at each verify', () => {
  test('one KeyObject: nothing is parsed when a token is verified', () => {
    const rules = {
      keys: verificationKeys({ jwtSecret: SECRET, previousJwtSecret: '' }),
      algorithms: ['HS256' as const],
      now: Date.now,
    };
    const parses = parsesOf((token) => {
      const verified = verifyToken(token, rules);
      if (Either.isLeft(verified)) throw new Error(verified.left.reason);
    });
    expect(parses).toBe(0);
  });

  test('with the secret as a text at each verify the check fails', () => {
    const parses = parsesOf((token) => verifySecretAsText(token, SECRET, ['HS256']));
    expect(parses).toBe(TOKENS.length);
  });
});
