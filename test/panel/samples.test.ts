import { describe, expect, test } from '@jest/globals';
import { type Sample, sampleOf } from '../../panel/figures/rates.ts';
import { columnsOf, SPAN_MS, withSample } from '../../panel/figures/samples.ts';
import { overviewOf } from './overviews.ts';

const at = (atMs: number, lagMs = 1): Sample => ({ ...sampleOf(undefined, overviewOf([]), atMs), lagMs });
const times = (samples: readonly Sample[]): number[] => samples.map(({ atMs }) => atMs);

describe('the samples of five minutes', () => {
  test('older ones go', () => {
    const full = [at(0), at(1000), at(2000)].reduce(withSample, [] as readonly Sample[]);
    expect(times(withSample(full.slice(), at(2000 + SPAN_MS)))).not.toContain(0);
    expect(times(withSample([at(1000), at(SPAN_MS)], at(SPAN_MS + 1000)))).toEqual([
      1000,
      SPAN_MS,
      SPAN_MS + 1000,
    ]);
    expect(times(withSample([at(1000), at(SPAN_MS)], at(SPAN_MS + 1001)))).toEqual([SPAN_MS, SPAN_MS + 1001]);
  });

  test('a hole is no line: between its edges nothing is known', () => {
    const samples = [at(1000), at(9000)].reduce(withSample, [] as readonly Sample[]);
    expect(columnsOf(samples, ['lagMs'])).toEqual([
      [1, 1.001, 9],
      [1, null, 1],
    ]);
  });

  test('times only go on: a clock that was set back adds nothing', () => {
    expect(times(withSample([at(5000)], at(4000)))).toEqual([5000]);
  });
});
