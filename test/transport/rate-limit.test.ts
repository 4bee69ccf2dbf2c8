import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { RateLimit } from '../../src/transport/rate-limit.ts';

const now = () => 1_000;

describe('a rate limit', () => {
  test('lets each name do twice a second’s worth at once, and says how long to wait then', () => {
    const limit = new RateLimit({ perSecond: 2, now });
    expect(Array.from({ length: 5 }, () => limit.take('a'))).toEqual([0, 0, 0, 0, 500]);
    expect(limit.take('b')).toBe(0);
  });

  test('of 0 is none, and counts nobody', () => {
    const limit = new RateLimit({ perSecond: 0, now });
    expect(
      Array.from({ length: 1_000 }, (_, at) => limit.take(`${at % 2}`)).every((wait) => wait === 0),
    ).toBe(true);
    expect(limit.size).toBe(0);
  });

  test('forgets first who was counted longest ago', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1, maxCounted: 2, now });
    limit.take('a');
    limit.take('b');
    expect(limit.take('a')).toBeGreaterThan(0);
    limit.take('c');
    expect(limit.take('a')).toBeGreaterThan(0);
    expect(limit.take('b')).toBe(0);
  });

  const names = fc.array(fc.integer({ min: 0, max: 9 }).map(String), { maxLength: 200 });

  test('never keeps more names than it may', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 12 }), (all, maxCounted) => {
        const limit = new RateLimit({ perSecond: 1, maxCounted, now });
        for (const name of all) {
          limit.take(name);
          expect(limit.size).toBeLessThanOrEqual(maxCounted);
        }
      }),
    );
  });

  test('lets no name do more than its burst at once, whoever else comes', () => {
    fc.assert(
      fc.property(names, (all) => {
        const limit = new RateLimit({ perSecond: 1, burst: 3, now });
        const letIn = all.filter((name) => limit.take(name) === 0);
        for (const name of new Set(all)) {
          const asked = all.filter((other) => other === name).length;
          expect(letIn.filter((other) => other === name).length).toBe(Math.min(3, asked));
        }
      }),
    );
  });
});
