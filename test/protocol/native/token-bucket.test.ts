import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { TokenBucket } from '../../../src/protocol/native/token-bucket.ts';

function bucketAt(perSecond = 50, burst = 100) {
  const clock = { nowMs: 1_000_000 };
  const bucket = new TokenBucket({ perSecond, burst, now: () => clock.nowMs });
  const takeAll = (attempts: number): number => {
    let taken = 0;
    for (let attempt = 0; attempt < attempts; attempt++) if (bucket.take() === 0) taken += 1;
    return taken;
  };
  return { clock, bucket, takeAll };
}

describe('a token bucket', () => {
  test('lets a burst pass, then says how long to wait', () => {
    const { clock, bucket, takeAll } = bucketAt();
    expect(takeAll(150)).toBe(100);
    expect(bucket.take()).toBe(20);
    clock.nowMs += 5;
    expect(bucket.take()).toBe(15);
    clock.nowMs += 15;
    expect(bucket.take()).toBe(0);
    expect(bucket.take()).toBe(20);
  });

  test('is full again after a pause, and never more than full', () => {
    const { clock, takeAll } = bucketAt();
    takeAll(100);
    clock.nowMs += 3_600_000;
    expect(takeAll(300)).toBe(100);
  });

  test('gives nothing for a clock that was set back, and goes on from there', () => {
    const { clock, takeAll } = bucketAt();
    takeAll(100);
    clock.nowMs -= 60_000;
    expect(takeAll(1)).toBe(0);
    clock.nowMs += 1000;
    expect(takeAll(300)).toBe(50);
  });

  test('never lets more pass than burst and rate together, nor refuses who waits as told', () => {
    const steps = fc.array(fc.nat(500), { maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 80 }), (delays, perSecond) => {
        const { clock, bucket } = bucketAt(perSecond, 2 * perSecond);
        const beginMs = clock.nowMs;
        let taken = 0;
        for (const delayMs of delays) {
          clock.nowMs += delayMs;
          const waitMs = bucket.take();
          clock.nowMs += waitMs;
          expect(waitMs === 0 || bucket.take() === 0).toBe(true);
          taken += 1;
          expect(taken).toBeLessThanOrEqual(
            2 * perSecond + ((clock.nowMs - beginMs) * perSecond) / 1000 + 1e-6,
          );
        }
      }),
    );
  });
});
