import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as Either from 'fp-ts/lib/Either.js';
import jwt from 'jsonwebtoken';
import type { AuthError } from '../../src/auth/auth-error.ts';
import { verificationKeys } from '../../src/auth/key.ts';
import { createSupersetStreamsAuth } from '../../src/auth/superset-streams.ts';
import { PREVIOUS_SECRET, SECRET, tokenOf, unsigned } from '../support/tokens.ts';

const NOW_S = 1_800_000_000;
const authenticate = createSupersetStreamsAuth({
  keys: verificationKeys({ jwtSecret: SECRET, previousJwtSecret: PREVIOUS_SECRET }),
  algorithms: ['HS256'],
  now: () => NOW_S * 1000,
  cookieName: 'async-token',
  channelClaim: 'channel',
});
const withCookie = (cookie: string) => authenticate({ headers: { cookie } });
const withToken = (token: string) => withCookie(`session=1; async-token=${token}`);
const refusalOf = (token: string) => {
  const answer = withToken(token);
  return Either.isLeft(answer)
    ? `${answer.left.status} ${answer.left.word}: ${answer.left.reason}`
    : 'let in';
};
/** Signs what jsonwebtoken itself refuses to sign. */
const signedAnyway = (claims: string): string => {
  const signed = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${Buffer.from(claims).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
};

describe("a client of Superset's async events", () => {
  test('is the channel that its token names, and its user', () => {
    expect(withToken(tokenOf({ channel: 'c-1', sub: '5' }))).toEqual(
      Either.right({ user: '5', channels: ['c-1'] }),
    );
    expect(withToken(signedAnyway('{"channel":"c-1","sub":null}'))).toEqual(
      Either.right({ channels: ['c-1'] }),
    );
  });

  test('is let in until its token expires, and not from then on', () => {
    const claims = { channel: 'c', exp: NOW_S + 1 };
    expect(withToken(tokenOf(claims))).toEqual(
      Either.right({ channels: ['c'], expiresAtMs: (NOW_S + 1) * 1000 }),
    );
    expect(refusalOf(tokenOf({ ...claims, exp: NOW_S }))).toBe('401 bad token: expired');
    expect(refusalOf(tokenOf({ channel: 'c', nbf: NOW_S + 1 }))).toBe('401 bad token: not_yet_valid');
  });

  test('may still use a token of the previous secret', () => {
    expect(Either.isRight(withToken(tokenOf({ channel: 'c' }, PREVIOUS_SECRET)))).toBe(true);
    expect(refusalOf(tokenOf({ channel: 'c', exp: NOW_S }, PREVIOUS_SECRET))).toBe('401 bad token: expired');
    expect(refusalOf(tokenOf({ channel: 'c' }, 'a third secret that nobody has configured'))).toBe(
      '401 bad token: signature',
    );
  });

  test('is the first of its cookies of that name', () => {
    const [first, second] = [tokenOf({ channel: 'first' }), tokenOf({ channel: 'second' })];
    const answer = withCookie(`async-token=${first}; async-token=${second}`);
    expect(answer).toEqual(Either.right({ channels: ['first'] }));
  });

  test.each([
    ['no cookie at all', undefined],
    ['another cookie', 'token=x'],
    ['an empty one', 'async-token='],
    ['text that is no cookie', ';;=;%'],
  ])('is refused with %s: no token', (_name, cookie) => {
    const answer = authenticate({ headers: cookie === undefined ? {} : { cookie } });
    expect(answer).toEqual(
      Either.left({ code: 'no_token', status: 401, word: 'no token', reason: 'absent' }),
    );
  });

  test.each(['__proto__', 'constructor'])(
    'is refused without a cookie named %s, as without any other',
    (cookieName) => {
      const other = createSupersetStreamsAuth({
        keys: verificationKeys({ jwtSecret: SECRET, previousJwtSecret: '' }),
        algorithms: ['HS256'],
        now: Date.now,
        cookieName,
        channelClaim: 'channel',
      });
      expect(other({ headers: { cookie: 'a=b' } })).toMatchObject({ left: { reason: 'absent' } });
      expect(other({ headers: { cookie: `${cookieName}=${tokenOf({ channel: 'c' })}` } })).toMatchObject({
        right: { channels: ['c'] },
      });
    },
  );

  test.each([
    ['none', {}],
    ['empty', { channel: '' }],
    ['a number', { channel: 5 }],
    ['true', { channel: true }],
    ['a list', { channel: ['c'] }],
    ['`full`, which would read everybody', { channel: 'full' }],
  ])('is refused when the channel is %s', (_name, claims) => {
    expect(refusalOf(tokenOf(claims))).toBe('401 bad token: channel');
  });

  test.each(['__proto__', 'constructor', 'toString', 'Full'])(
    'may be the channel %p, a name like any other',
    (channel) => {
      expect(withToken(tokenOf({ channel }))).toEqual(Either.right({ channels: [channel] }));
    },
  );

  test.each(['__proto__', 'constructor', 'toString'])(
    'is refused when the claim %s is only inherited',
    (channelClaim) => {
      const other = createSupersetStreamsAuth({
        keys: verificationKeys({ jwtSecret: SECRET, previousJwtSecret: '' }),
        algorithms: ['HS256'],
        now: Date.now,
        cookieName: 'async-token',
        channelClaim,
      });
      const answer = other({ headers: { cookie: `async-token=${tokenOf({ channel: 'c' })}` } });
      expect(answer).toMatchObject({ left: { reason: 'channel' } });
    },
  );

  test.each([
    ['a text', '"1800000001"'],
    ['null', 'null'],
    ['infinite', '1e999'],
  ])('is refused when `exp` is %s', (_name, exp) => {
    expect(refusalOf(signedAnyway(`{"channel":"c","exp":${exp}}`))).toBe('401 bad token: expiration');
  });

  test('may have an `exp` beyond any date', () => {
    const answer = withToken(signedAnyway('{"channel":"c","exp":1e300}'));
    expect(answer).toEqual(Either.right({ channels: ['c'], expiresAtMs: Number.MAX_SAFE_INTEGER }));
  });

  test.each([
    ['garbage', 'x', 'malformed'],
    ['three dots', '..', 'malformed'],
    ['no signature', unsigned({ alg: 'none' }, { channel: 'c' }), 'malformed'],
    ['the algorithm `none` and a signature', unsigned({ alg: 'none' }, { channel: 'c' }, 'x'), 'algorithm'],
    ['another algorithm', jwt.sign({ channel: 'c' }, SECRET, { algorithm: 'HS512' }), 'algorithm'],
    ['a payload of null', signedAnyway('null'), 'malformed'],
    ['a payload that is a text', signedAnyway('"c"'), 'malformed'],
    ['a payload that is no JSON', signedAnyway('{'), 'malformed'],
    ['a payload that is a list', signedAnyway('["c"]'), 'channel'],
    ['another signature', `${tokenOf({ channel: 'c' })}x`, 'signature'],
  ])('is refused with %s', (_name, token, reason) => {
    expect(refusalOf(token)).toBe(`401 bad token: ${reason}`);
  });

  test('a public key verifies what its private key signed, and is no secret for HS256', () => {
    // Texts: Node 20 hangs when what generated a key is collected while the key itself is looked at.
    const { privateKey, publicKey: pem } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const byKey = createSupersetStreamsAuth({
      keys: verificationKeys({ jwtSecret: pem, previousJwtSecret: '' }),
      algorithms: ['RS256', 'HS256'],
      now: Date.now,
      cookieName: 'async-token',
      channelClaim: 'channel',
    });
    const signed = jwt.sign({ channel: 'c' }, privateKey, { algorithm: 'RS256' });
    expect(Either.isRight(byKey({ headers: { cookie: `async-token=${signed}` } }))).toBe(true);
    const header = Buffer.from('{"alg":"HS256"}').toString('base64url');
    const forged = `${header}.${Buffer.from('{"channel":"c"}').toString('base64url')}`;
    const signature = createHmac('sha256', pem).update(forged).digest('base64url');
    const answer = byKey({ headers: { cookie: `async-token=${forged}.${signature}` } });
    expect(answer).toMatchObject({ left: { reason: 'algorithm' } });
  });

  test('any cookie is an answer, never an error, and a refusal tells nothing of the token', () => {
    const refusals = [
      { status: 401, word: 'no token' },
      { status: 401, word: 'bad token' },
    ];
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, more) => {
        const { left } = withCookie(`async-token=${text}.${more}`) as Either.Left<AuthError>;
        expect(refusals).toContainEqual({ status: left.status, word: left.word });
        expect(Object.keys(left).sort()).toEqual(['code', 'reason', 'status', 'word']);
      }),
    );
  });
});
