import { describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import { verificationKeys } from '../../src/auth/key.ts';
import { createSupersetRealtimeAuth } from '../../src/auth/superset-realtime.ts';
import { EVERYONE } from '../../src/protocol/superset/realtime.ts';
import { PREVIOUS_SECRET, SECRET, tokenOf } from '../support/tokens.ts';

const NOW_S = 1_800_000_000;
const authenticate = createSupersetRealtimeAuth({
  keys: verificationKeys({ jwtSecret: SECRET, previousJwtSecret: PREVIOUS_SECRET }),
  algorithms: ['HS256'],
  now: () => NOW_S * 1000,
  cookieName: 'superset-ws-token',
});
const exp = NOW_S + 900;
const user = {
  aud: 'superset-websocket',
  iss: 'superset',
  sub: '5',
  principal_type: 'user',
  channel: 'user:5',
  exp,
};
const guest = { ...user, sub: 'guest:ab', principal_type: 'guest', channel: 'guest:ab' };

const connect = (claims: object, target = '/', secret = SECRET) =>
  authenticate({ headers: { cookie: `superset-ws-token=${tokenOf(claims, secret)}` }, target });
const without = (claims: Record<string, unknown>, name: string) =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
const reasonOf = (claims: object): string => {
  const answer = connect(claims);
  return Either.isLeft(answer) ? answer.left.reason : 'let in';
};

describe("a client of Superset's realtime messages", () => {
  test('hears its own channel and everyone', () => {
    const expiresAtMs = exp * 1000;
    expect(connect(user)).toEqual(Either.right({ user: '5', channels: ['user:5', EVERYONE], expiresAtMs }));
    expect(connect(guest)).toEqual(
      Either.right({ user: 'guest:ab', channels: ['guest:ab', EVERYONE], expiresAtMs }),
    );
  });

  test('hears its tab as well', () => {
    expect(connect(user, '/ws?x=1&tab_id=Tab_1-a')).toMatchObject({
      right: { channels: ['user:5', 'user:5:Tab_1-a', EVERYONE] },
    });
  });

  test.each(['', 'a b', 'a:b', '%00', '$everyone', 'x'.repeat(65), '../x', 'ü'])(
    'is let in without the tab %p',
    (tab) => {
      expect(connect(user, `//?tab_id=${tab}`)).toMatchObject({ right: { channels: ['user:5', EVERYONE] } });
    },
  );

  test('may still use a token of the previous secret', () => {
    expect(Either.isRight(connect(user, '/', PREVIOUS_SECRET))).toBe(true);
    expect(Either.isRight(connect(user, '/', 'a third secret that nobody has configured'))).toBe(false);
  });

  test.each([
    ['audience', without(user, 'aud')],
    ['audience', { ...user, aud: 'superset' }],
    ['issuer', without(user, 'iss')],
    ['issuer', { ...user, iss: 'other' }],
    ['subject', without(user, 'sub')],
    ['subject', { ...user, sub: '', channel: 'user:' }],
    ['subject', { ...guest, sub: 'ab', channel: 'ab' }],
    ['principal_type', without(user, 'principal_type')],
    ['principal_type', { ...user, principal_type: 'admin' }],
    ['principal_type', { ...user, principal_type: 'constructor' }],
    ['channel', without(user, 'channel')],
    ['channel', { ...user, channel: 'user:6' }],
    ['channel', { ...user, channel: 'user:5:tab' }],
    ['channel', { ...user, channel: ['user:5'] }],
    ['channel', { ...user, channel: EVERYONE }],
    ['channel', { ...guest, channel: 'user:guest:ab' }],
    ['channel', { ...user, sub: 'guest:ab', channel: 'guest:ab' }],
    ['expiration', without(user, 'exp')],
    ['expired', { ...user, exp: NOW_S }],
  ])('is refused for its %s: %j', (reason, claims) => {
    expect(reasonOf(claims)).toBe(reason);
  });

  test('is refused without a cookie', () => {
    expect(authenticate({ headers: {}, target: '/' })).toMatchObject({ left: { word: 'no token' } });
  });
});
