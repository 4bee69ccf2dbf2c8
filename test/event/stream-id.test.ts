import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  compareIds,
  laterId,
  msOf,
  nextId,
  parseStreamId,
  previousId,
  type StreamId,
  streamId,
  ZERO_ID,
} from '../../src/event/stream-id.ts';

const MAX_U64 = 18446744073709551615n;
const LARGEST = `${MAX_U64}-${MAX_U64}` as StreamId;

/** Numbers near the edges as often as others, so that ids of different lengths meet. */
const u64 = fc.oneof(
  fc.bigInt(0n, MAX_U64),
  fc.bigInt(0n, 20n),
  fc.constantFrom(
    9n,
    10n,
    99n,
    999999999999n,
    9999999999999n,
    10000000000000n,
    2n ** 53n,
    MAX_U64 - 1n,
    MAX_U64,
  ),
);
const parts = fc.tuple(u64, u64);
const idOf = ([ms, seq]: readonly [bigint, bigint]): StreamId => `${ms}-${seq}` as StreamId;
const orderOf = (a: readonly [bigint, bigint], b: readonly [bigint, bigint]): number =>
  Number(a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])) -
  Number(a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]));

describe('a stream id', () => {
  test('is read from its canonical form', () => {
    fc.assert(fc.property(parts, (id) => expect(parseStreamId(idOf(id))).toBe(idOf(id))));
  });

  test.each([
    '',
    '-',
    '5',
    '5-',
    '-5',
    '05-1',
    '5-01',
    '5-1 ',
    '5-1\n',
    '+5-1',
    '5-1-1',
    '5.0-1',
    '1e3-0',
    '٥-1',
    '$',
    '+',
    '__proto__',
    '18446744073709551616-0',
    '0-18446744073709551616',
    '184467440737095516150-0',
  ])('is not read from %p', (text) => {
    expect(parseStreamId(text)).toBeUndefined();
  });

  test('is read or not from any text, without an error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect([undefined, text]).toContain(parseStreamId(text));
      }),
    );
  });

  test('is ordered by milliseconds and then by sequence, as numbers over the whole range', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(Math.sign(compareIds(idOf(a), idOf(b)))).toBe(orderOf(a, b));
        expect(Math.sign(compareIds(idOf(b), idOf(a)))).toBe(-orderOf(a, b) || 0);
        expect(compareIds(idOf(a), idOf(a))).toBe(0);
        expect(laterId(idOf(a), idOf(b))).toBe(orderOf(a, b) >= 0 ? idOf(a) : idOf(b));
      }),
      { numRuns: 2000 },
    );
  });

  test('has ids of one millisecond in the order of their sequences', () => {
    const ids = ['1700000000000-9', '1700000000000-10', '1700000000000-100'] as StreamId[];
    expect([...ids].reverse().sort(compareIds)).toEqual(ids);
  });

  test('follows its previous one and precedes its next one, with nothing between', () => {
    const isFollowed = (id: StreamId): boolean => id === LARGEST || previousId(nextId(id)) === id;
    const isPreceded = (id: StreamId): boolean => id === ZERO_ID || nextId(previousId(id)) === id;
    fc.assert(
      fc.property(parts, (id) => expect([isFollowed(idOf(id)), isPreceded(idOf(id))]).toEqual([true, true])),
    );
  });

  test('stays at 0-0 before the first, and crosses milliseconds at the ends of a sequence', () => {
    expect(previousId(ZERO_ID)).toBe('0-0');
    expect(previousId('5-0' as StreamId)).toBe(`4-${MAX_U64}`);
    expect(nextId(`4-${MAX_U64}` as StreamId)).toBe('5-0');
  });

  test('gives its milliseconds as a number', () => {
    expect(msOf(streamId(1_700_000_000_000, 7))).toBe(1_700_000_000_000);
    expect(msOf(LARGEST)).toBe(2 ** 64);
  });
});
