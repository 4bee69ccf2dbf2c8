import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { dealt, type Exactness, isExact, Ledger } from '../../bench/ledger.ts';

const account = (received: readonly number[], published: number): Exactness => {
  const ledger = new Ledger();
  for (const sequence of received) ledger.receive(sequence);
  return ledger.take(published);
};

describe('ledger', () => {
  test('is exact when everything came once and in order', () => {
    const taken = account([0, 1, 2], 3);
    expect(taken).toEqual({ due: 3, received: 3, missing: 0, duplicates: 0, outOfOrder: 0 });
    expect(isExact(taken)).toBe(true);
  });

  test.each([
    ['the first', [1, 2]],
    ['one between others', [0, 2]],
    ['the last', [0, 1]],
  ])('sees that %s is missing', (_, received) => {
    const taken = account(received, 3);
    expect(taken).toMatchObject({ missing: 1, duplicates: 0, outOfOrder: 0 });
    expect(isExact(taken)).toBe(false);
  });

  test('sees that nothing came at all', () => {
    expect(account([], 3)).toMatchObject({ due: 3, received: 0, missing: 3 });
  });

  test('sees what comes twice, at once or later', () => {
    expect(account([0, 0, 1, 2, 1], 3)).toMatchObject({ missing: 0, duplicates: 2, outOfOrder: 0 });
  });

  test('counts what comes late as out of order, and not as missing', () => {
    expect(account([0, 2, 1], 3)).toMatchObject({ missing: 0, duplicates: 0, outOfOrder: 1 });
  });

  test('counts what came late and then again as both', () => {
    expect(account([0, 2, 1, 1], 3)).toMatchObject({ duplicates: 1, outOfOrder: 1 });
  });

  test('goes on where the last account ended', () => {
    const ledger = new Ledger();
    ledger.receive(0);
    ledger.take(2);
    ledger.receive(2);
    expect(ledger.take(3)).toEqual({ due: 1, received: 1, missing: 0, duplicates: 0, outOfOrder: 0 });
  });

  test('sees an event of a closed account that comes in the next one', () => {
    const ledger = new Ledger();
    ledger.take(2);
    ledger.receive(1);
    ledger.receive(2);
    expect(isExact(ledger.take(3))).toBe(false);
  });

  test('is exact for no other sequence than the published one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 6 }), { maxLength: 10 }), fc.nat({ max: 6 }), (received, last) => {
        const published = Math.max(last, ...received) + 1;
        const isWhole = received.length === published && received.every((value, index) => value === index);
        expect(isExact(account(received, published))).toBe(isWhole);
      }),
    );
  });
});

describe('dealt', () => {
  test('gives all events to the channels in turn', () => {
    const counts = (total: number): number[] => [0, 1, 2].map((index) => dealt(total, 3, index));
    expect([0, 1, 2, 3, 4].map(counts)).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
      [2, 1, 1],
    ]);
  });
});
