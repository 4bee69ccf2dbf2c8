import { describe, expect, test } from '@jest/globals';
import type { CloseReason } from '../../../machines/close-reason.ts';
import { CLOSES, nativeClose } from '../../../src/protocol/native/close-codes.ts';
import { ERRORS, protocolError } from '../../../src/protocol/native/error-codes.ts';

const reasons: readonly (readonly [CloseReason, number, string])[] = [
  ['handshake_timeout', 4408, 'timeout'],
  ['unresponsive', 4408, 'timeout'],
  ['too_slow', 4413, 'too_slow'],
  ['expired', 4401, 'unauthorized'],
  ['drain', 1001, 'drain'],
  ['lossy', 1012, 'restart'],
  ['policy', 4429, 'rate_limited'],
  ['protocol', 4400, 'bad_request'],
  ['failed', 1011, 'internal'],
  ['ended', 4410, 'ended'],
  ['gone', 1000, ''],
];

describe('close codes', () => {
  test.each(reasons)('%s is %d', (reason, code, text) => {
    expect(nativeClose(reason)).toEqual({ code, text });
  });

  test.each([
    ['jitter', [1001, 1012]],
    ['backoff', [1006, 1011, 1013, 4408, 4413, 4429]],
    ['token', [4401]],
    ['never', [1000, 1008, 1009, 4400, 4403, 4410]],
  ])('that a client comes back after with %s', (reconnect, codes) => {
    const found = Object.entries(CLOSES).filter(([, close]) => close.reconnect === reconnect);
    expect(found.map(([code]) => Number(code))).toEqual(codes);
  });

  test('have reasons that fit a close frame', () => {
    for (const { reason } of Object.values(CLOSES)) expect(reason).toMatch(/^[a-z_]{0,123}$/);
  });
});

describe('error codes', () => {
  test('are these thirteen', () => {
    expect(Object.keys(ERRORS)).toEqual([
      'bad_request',
      'unknown_type',
      'unauthorized',
      'forbidden',
      'already_subscribed',
      'not_subscribed',
      'too_many',
      'too_large',
      'rate_limited',
      'no_handler',
      'timeout',
      'unavailable',
      'internal',
    ]);
  });

  test('come with a sentence, the ref where there is one, and nothing else', () => {
    expect(protocolError('timeout', 'a')).toEqual({
      code: 'timeout',
      ref: 'a',
      message: ERRORS.timeout.sentence,
    });
    expect(protocolError('internal')).toEqual({ code: 'internal', message: ERRORS.internal.sentence });
    expect(protocolError('too_many', 0, 'Sixteen.')).toEqual({
      code: 'too_many',
      ref: 0,
      message: 'Sixteen.',
    });
  });
});
