import { describe, expect, test } from '@jest/globals';
import { rateOf, sampleOf, windowUseOf } from '../../panel/figures/rates.ts';
import { instanceAt, overviewOf, readerOf } from './overviews.ts';

describe('the figures of one second', () => {
  test('a rate is what a counter grew by, in a second', () => {
    const before = instanceAt('a', 10_000, { routed: 100 });
    expect(rateOf(before, instanceAt('a', 12_000, { routed: 130 }), 'routed')).toBe(15);
  });

  test('one that began anew counts from its start', () => {
    const before = instanceAt('a', 10_000, { routed: 5000 });
    const anew = { ...instanceAt('a', 14_000, { routed: 40 }), startedAtMs: 12_000 };
    expect(rateOf(before, anew, 'routed')).toBe(20);
  });

  test('the same answer twice is no rate', () => {
    const answer = instanceAt('a', 10_000, { routed: 100 });
    expect(rateOf(answer, answer, 'routed')).toBeNull();
  });

  test('rates of all that answered both times are added; of one that is new, nothing is known yet', () => {
    const before = overviewOf([
      instanceAt('a', 1000, { delivered: 0 }),
      instanceAt('b', 1000, { delivered: 10 }),
    ]);
    const now = overviewOf([
      instanceAt('a', 2000, { delivered: 7 }),
      instanceAt('b', 2000, { delivered: 15 }),
      instanceAt('c', 2000, { delivered: 9999 }),
    ]);
    expect(sampleOf(before, now, 2000).delivered).toBe(12);
    expect(sampleOf(undefined, now, 2000).delivered).toBeNull();
  });

  test('the worst of each is shown, and what is buffered anywhere is added', () => {
    const quiet = {
      ...instanceAt('a', 2000),
      bufferedBytes: 10,
      eventLoopDelayMs: 3,
      readers: [readerOf({ lagMs: 5 })],
    };
    const busy = {
      ...instanceAt('b', 2000),
      bufferedBytes: 32,
      eventLoopDelayMs: 40,
      readers: [readerOf({ lagMs: 900 })],
      broker: { name: 'redis' as const },
    };
    expect(sampleOf(undefined, overviewOf([quiet, busy]), 7)).toMatchObject({
      atMs: 7,
      lagMs: 900,
      bufferedBytes: 42,
      eventLoopDelayMs: 40,
      roundTripMs: 1,
    });
  });

  test('of nobody, nothing is known', () => {
    expect(sampleOf(undefined, overviewOf([]), 7)).toMatchObject({
      lagMs: null,
      bufferedBytes: null,
      routed: null,
    });
  });

  test('a window is as full as the limit it is nearer to', () => {
    const window = { ...readerOf({}).window, events: 10, maxEvents: 100, bytes: 90, maxBytes: 100 };
    expect(windowUseOf(window)).toBe(0.9);
    expect(windowUseOf({ ...window, maxBytes: 0 })).toBe(0.1);
  });
});
