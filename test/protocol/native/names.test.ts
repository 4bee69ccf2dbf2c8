import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  CANARY_CHANNEL,
  channelFault,
  isChannel,
  isClientChannel,
  isPattern,
  isPrincipalId,
  isReservedChannel,
  matchesAny,
  sessionChannel,
  topicFault,
  userChannel,
} from '../../../src/protocol/native/names.ts';
import { principalIds } from '../../support/principal-ids.ts';

const characters = fc.constantFrom(...'abzABZ019_-.:/'.split(''));
const channels = fc.string({ unit: characters, minLength: 1, maxLength: 200 }).filter(isClientChannel);

describe('the name of a channel', () => {
  test.each(['a', 'news:a/b', '0', 'A-z_.:/', 'constructor', 'fuller', 'user', 'users:5', 'a'.repeat(200)])(
    'may be %j',
    (name) => {
      expect(channelFault(name)).toBeUndefined();
      expect(isClientChannel(name)).toBe(true);
      expect(isChannel(name)).toBe(true);
    },
  );

  test.each([
    ['', 'expected 1 to 200'],
    ['a b', 'expected 1 to 200'],
    ['a\n', 'expected 1 to 200'],
    ['ä', 'expected 1 to 200'],
    ['$all', 'expected 1 to 200'],
    ['a*', 'expected 1 to 200'],
    ['a'.repeat(201), 'expected 1 to 200'],
    ['_a', 'starts with _'],
    ['full', 'every event'],
  ])('is not %j', (name, fault) => {
    expect(channelFault(name)).toContain(fault);
    expect(isClientChannel(name)).toBe(false);
    expect(isChannel(name)).toBe(false);
  });

  test.each(['user:5', 'session:abc', 'user:', 'session:'])('is not for clients when it is %j', (name) => {
    expect(isReservedChannel(name)).toBe(true);
    expect(isClientChannel(name)).toBe(false);
  });

  test.each(['user:', 'user:a b', 'user:a:b', 'session:%4', 'session:%e4', 'user:a/b'])(
    'is nobody’s own when it is %j',
    (name) => {
      expect(isChannel(name)).toBe(false);
    },
  );
});

describe('the channel of a user or session', () => {
  test.each([
    ['5', 'user:5', 'session:5'],
    ['bob@example.com', 'user:bob%40example.com', 'session:bob%40example.com'],
    ["a:b/c*(d)!~'", 'user:a%3Ab%2Fc%2A%28d%29%21%7E%27', 'session:a%3Ab%2Fc%2A%28d%29%21%7E%27'],
    ['é', 'user:%C3%A9', 'session:%C3%A9'],
  ])('of %j is %s and %s', (id, user, session) => {
    expect([userChannel(id), sessionChannel(id)]).toEqual([user, session]);
  });

  test("is never the canary's, which is a channel all the same, for instances that know of no canary", () => {
    expect([isChannel(CANARY_CHANNEL), isReservedChannel(CANARY_CHANNEL)]).toEqual([true, true]);
    expect([isClientChannel(CANARY_CHANNEL), matchesAny(['*'], CANARY_CHANNEL)]).toEqual([false, false]);
    const id = decodeURIComponent(CANARY_CHANNEL.slice('session:'.length));
    expect([sessionChannel(id), isPrincipalId(id)]).toEqual([CANARY_CHANNEL, false]);
  });

  test('is a channel, reserved, and no one else’s', () => {
    fc.assert(
      fc.property(principalIds, principalIds, (a, b) => {
        expect([isChannel(userChannel(a)), isChannel(sessionChannel(a))]).toEqual([true, true]);
        expect(isClientChannel(userChannel(a))).toBe(false);
        expect(userChannel(a) === userChannel(b)).toBe(a === b);
        expect(userChannel(a)).not.toBe(sessionChannel(b));
        expect(decodeURIComponent(userChannel(a).slice('user:'.length))).toBe(a);
      }),
    );
  });

  test.each([
    ['empty', ''],
    ['a number', 5],
    ['nothing', undefined],
    ['longer than 128 bytes', 'é'.repeat(65)],
    ['with a line end', 'a\nb'],
    ['with a NUL', '\u0000'],
    ['with DEL', 'a\u007f'],
    ['with a C1 control character', 'a\u0085'],
    ['half a character', '\ud800'],
  ])('is of no id that is %s', (_what, id) => {
    expect(isPrincipalId(id)).toBe(false);
  });

  test('may be of an id of 128 bytes', () => {
    expect(isPrincipalId('é'.repeat(64))).toBe(true);
    expect(isChannel(userChannel('é'.repeat(64)))).toBe(true);
  });
});

describe('a topic', () => {
  test.each(['a', 'article', 'a:b/c', 'openly', 'constructor', 'a'.repeat(100)])('may be %j', (name) => {
    expect(topicFault(name)).toBeUndefined();
  });

  test.each(['', '$a', '_a', 'open', 'error', 'gap', 'snapshot', 'reconnect', 'a b', 'a'.repeat(101)])(
    'is not %j',
    (name) => {
      expect(topicFault(name)).toEqual(expect.any(String));
    },
  );
});

describe('a pattern', () => {
  test.each(['a', 'a*', '*', 'public:*', 'user:*', 'a'.repeat(200), `${'a'.repeat(200)}*`])(
    'may be %j',
    (pattern) => {
      expect(isPattern(pattern)).toBe(true);
    },
  );

  test.each(['', '**', 'a*b', '*a', 'a b*', 'ä*', 'a'.repeat(201), 5, null, undefined])(
    'is not %j',
    (pattern) => {
      expect(isPattern(pattern)).toBe(false);
    },
  );

  test('is for the channel of its name, and with a star for all that begin so', () => {
    fc.assert(
      fc.property(channels, fc.nat(200), channels, (channel, length, other) => {
        const prefix = channel.slice(0, length);
        expect(matchesAny([channel], channel)).toBe(true);
        expect(matchesAny([`${prefix}*`], channel)).toBe(true);
        expect(matchesAny([channel], other)).toBe(other === channel);
        expect(matchesAny([`${prefix}*`], other)).toBe(other.startsWith(prefix));
        expect(matchesAny([other, channel], channel)).toBe(true);
        expect(matchesAny([], channel)).toBe(false);
      }),
    );
  });

  test('is for no reserved channel, whatever it says', () => {
    const reserved = fc.oneof(
      principalIds.map(userChannel),
      principalIds.map(sessionChannel),
      fc.constantFrom('full', '_a', '$all', '', 'user:', 'session:'),
    );
    fc.assert(
      fc.property(reserved, fc.nat(20), (channel, length) => {
        expect(matchesAny(['*', `${channel.slice(0, length)}*`, channel, 'user:*'], channel)).toBe(false);
      }),
    );
  });
});
