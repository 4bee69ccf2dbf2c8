import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { RECONNECTS, RETRIES } from '../../client/src/codes.ts';
import { SignalboxError } from '../../client/src/error.ts';
import { MAX_PUBLISHES_IN_FLIGHT } from '../../client/src/outbox.ts';
import { compareIds } from '../../client/src/position.ts';
import { compareIds as compareServerIds, streamId } from '../../src/event/stream-id.ts';
import { CLOSES } from '../../src/protocol/native/close-codes.ts';
import { ERRORS, type ErrorCode } from '../../src/protocol/native/error-codes.ts';
import { RESERVED_TOPICS } from '../../src/protocol/native/names.ts';
import { MAX_PUBLISHES_IN_FLIGHT as MAX_ON_SERVER } from '../../src/protocol/native/session.ts';
import { closeIds } from '../support/stream-ids.ts';

describe('what the client says again is what the server says', () => {
  test('the close codes, and who comes back', () => {
    expect(RECONNECTS).toEqual(
      Object.fromEntries(Object.entries(CLOSES).map(([code, { reconnect }]) => [code, reconnect])),
    );
  });

  test('the error codes, and what may be sent again', () => {
    const retries = Object.entries(ERRORS).map(([code, { retry }]) => [code, retry]);
    expect(RETRIES).toEqual(Object.fromEntries(retries));
    for (const [code, retry] of retries) expect(new SignalboxError(code as ErrorCode, '').retry).toBe(retry);
  });

  test('how many publishes may be under way', () => {
    expect(MAX_PUBLISHES_IN_FLIGHT).toBe(MAX_ON_SERVER);
  });

  test('the order of ids', () => {
    const ids = fc.oneof(
      closeIds,
      fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map(([ms, seq]) => streamId(ms, seq)),
    );
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        expect(Math.sign(compareIds(a, b))).toBe(Math.sign(compareServerIds(a, b)));
      }),
    );
  });

  test('the names that handlers take for themselves are no topics', () => {
    expect(RESERVED_TOPICS).toEqual(expect.arrayContaining(['error', 'gap', 'snapshot']));
  });
});
