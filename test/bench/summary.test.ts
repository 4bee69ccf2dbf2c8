import { createHistogram } from 'node:perf_hooks';
import { describe, expect, test } from '@jest/globals';
import { spread, summarise } from '../../bench/summary.ts';

describe('latency summary', () => {
  test('gives ms from a histogram of µs', () => {
    const histogram = createHistogram();
    for (let us = 1000; us <= 100_000; us += 1000) histogram.record(us);
    const { count, p50, p95, p99, max } = summarise(histogram);
    expect(count).toBe(100);
    // The histogram keeps three digits.
    expect(p50).toBeCloseTo(50, 0);
    expect(p95).toBeCloseTo(95, 0);
    expect(p99).toBeCloseTo(99, 0);
    expect(max).toBeCloseTo(100, 0);
  });

  test('is zero where nothing was recorded', () => {
    expect(summarise(createHistogram())).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });
});

describe('spread over runs', () => {
  test.each([
    [[3], { median: 3, min: 3, max: 3 }],
    [[10, 1, 2], { median: 2, min: 1, max: 10 }],
    [[4, 1, 2, 10], { median: 3, min: 1, max: 10 }],
  ])('of %j', (values, wanted) => {
    expect(spread(values)).toEqual(wanted);
  });

  test('of no run is an error', () => {
    expect(() => spread([])).toThrow('no run');
  });
});
