import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as Either from 'fp-ts/lib/Either.js';
import { mayPublish, maySubscribe, nativePrincipal, ownChannels } from '../../src/auth/native-principal.ts';
import { verifyNativeToken, verifyRefresh } from '../../src/auth/native-token.ts';
import { NOW_MS, NOW_S, principal, refusalOf, rules, ticketOf, tokenWith } from '../support/native-auth.ts';
import { PREVIOUS_SECRET, tokenOf } from '../support/tokens.ts';

const verify = (token: string) => verifyNativeToken(token, rules);
const refusalWith = (changes: object) => refusalOf(verify(tokenWith(changes)));

describe('a native token', () => {
  test('says who a client is, what it may, from when and until when', () => {
    expect(verify(tokenWith())).toEqual(Either.right(principal));
    expect(verify(tokenWith({ jti: 'x', sid: undefined, channels: undefined, publish: undefined }))).toEqual(
      Either.right({
        user: '5',
        channels: [],
        publish: [],
        tokenId: 'x',
        issuedAtMs: principal.issuedAtMs,
        expiresAtMs: principal.expiresAtMs,
      }),
    );
  });

  test('may be for several audiences, and of the previous secret', () => {
    expect(Either.isRight(verify(tokenWith({ aud: ['other', 'signalbox'] })))).toBe(true);
    expect(Either.isRight(verify(tokenWith({}, PREVIOUS_SECRET)))).toBe(true);
  });

  test('that does not say when it was issued was issued before any revocation', () => {
    expect(verify(tokenWith({ iat: undefined }))).toMatchObject({ right: { issuedAtMs: 0 } });
  });

  test.each([
    ['for nobody', { aud: undefined }, 'audience'],
    ['for somebody else', { aud: 'other' }, 'audience'],
    ['for tickets too', { aud: ['signalbox', 'signalbox.ticket'] }, 'audience'],
    ['of no user', { sub: undefined }, 'subject'],
    ['of an empty user', { sub: '' }, 'subject'],
    ['of a user that is a number', { sub: 5 }, 'subject'],
    ['of a user with a line end', { sub: 'a\n' }, 'subject'],
    ['of half a character', { sub: 'a\ud800' }, 'subject'],
    ['of a user of 129 bytes', { sub: 'a'.repeat(129) }, 'subject'],
    ['of a session that is a number', { sid: 1 }, 'session'],
    ['of a session that is null', { sid: null }, 'session'],
    ['of an empty session', { sid: '' }, 'session'],
    ['with channels that are no list', { channels: 'sport' }, 'channel'],
    ['with channels that are null', { channels: null }, 'channel'],
    ['with a star inside a pattern', { channels: ['a*b'] }, 'channel'],
    ['with a channel that is no text', { channels: [5] }, 'channel'],
    ['with publish that is no list', { publish: true }, 'publish'],
    ['with a publish pattern that is none', { publish: [''] }, 'publish'],
    ['without an end', { exp: undefined }, 'expiration'],
    ['of yesterday', { exp: NOW_S - 1 }, 'expired'],
    ['that ends now', { exp: NOW_S }, 'expired'],
    ['that lasts for 31 days', { exp: NOW_S + 31 * 86_400 }, 'lifetime'],
    ['that lasts for 31 days, of which a month is over', { iat: NOW_S - 30 * 86_400 }, 'lifetime'],
    ['that lasts for 31 days from no known time', { iat: undefined, exp: NOW_S + 31 * 86_400 }, 'lifetime'],
    ['of tomorrow', { nbf: NOW_S + 1 }, 'not_yet_valid'],
    ['issued in an hour', { iat: NOW_S + 3600 }, 'not_yet_valid'],
  ])('%s is refused', (_what, changes, reason) => {
    expect(refusalWith(changes)).toBe(`401 bad token: ${reason}`);
  });

  test('issued by a clock that is a little ahead is taken', () => {
    expect(refusalWith({ iat: NOW_S + 30 })).toBe('let in');
  });

  test('may last for as long as a token may, to a fraction of a second', () => {
    const iat = NOW_S - 10.123;
    expect(refusalWith({ iat, exp: iat + 30 * 86_400 })).toBe('let in');
    expect(refusalWith({ iat: undefined, exp: NOW_S + 30 * 86_400 })).toBe('let in');
  });

  test('is neither a ticket nor a cookie of Superset’s', () => {
    expect(refusalOf(verify(ticketOf()))).toBe('401 bad token: audience');
    expect(refusalOf(verify(tokenOf({ channel: 'c', sub: '5', exp: NOW_S + 60 })))).toBe(
      '401 bad token: audience',
    );
  });

  test('of any claims at all is an answer, never an error', () => {
    const claims = fc.record(
      {
        sub: fc.oneof(fc.constant('5'), fc.jsonValue()),
        sid: fc.jsonValue(),
        channels: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
        publish: fc.jsonValue(),
        iat: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
        exp: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
        jti: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(claims, (found) => {
        const answer = nativePrincipal(found, { ...rules, nowMs: NOW_MS });
        if (Either.isLeft(answer)) return;
        expect(answer.right.user).toBe(found.sub);
        expect(Number.isFinite(answer.right.expiresAtMs)).toBe(true);
        expect(answer.right.issuedAtMs).toBeLessThanOrEqual(NOW_MS + 60_000);
      }),
    );
  });
});

describe('a token to go on with', () => {
  test('is one of the same user and session', () => {
    const exp = NOW_S + 7200;
    expect(verifyRefresh(tokenWith({ exp, channels: [] }), principal, rules)).toEqual(
      Either.right({ ...principal, channels: [], expiresAtMs: exp * 1000 }),
    );
  });

  test.each([
    ['of another user', { sub: '6' }, 'subject'],
    ['of another session', { sid: 's-2' }, 'session'],
    ['of no session', { sid: undefined }, 'session'],
    ['that has expired', { exp: NOW_S }, 'expired'],
  ])('is not one %s', (_what, changes, reason) => {
    expect(refusalOf(verifyRefresh(tokenWith(changes), principal, rules))).toBe(`401 bad token: ${reason}`);
  });

  test('is no ticket', () => {
    expect(refusalOf(verifyRefresh(ticketOf(), principal, rules))).toBe('401 bad token: audience');
  });
});

describe('a native principal', () => {
  test('has its own channels, which it need not and may not ask for', () => {
    expect(ownChannels({ user: 'bob@example.com', session: 's/1' })).toEqual([
      'user:bob%40example.com',
      'session:s%2F1',
    ]);
    expect(ownChannels({ user: '5' })).toEqual(['user:5']);
    const greedy = { channels: ['*', 'user:5', 'user:*'], publish: ['*', 'user:5', 'user:*'] };
    expect([maySubscribe(greedy, 'user:5'), mayPublish(greedy, 'user:5')]).toEqual([false, false]);
  });

  test('may subscribe by `channels` and publish by `publish`, and neither by the other', () => {
    const may = (channel: string) => [maySubscribe(principal, channel), mayPublish(principal, channel)];
    expect(may('sport')).toEqual([true, false]);
    expect(may('public:news')).toEqual([true, false]);
    expect(may('chat')).toEqual([false, true]);
    expect(may('sports')).toEqual([false, false]);
  });
});
