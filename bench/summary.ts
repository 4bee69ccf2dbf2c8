import type { RecordableHistogram } from 'node:perf_hooks';

/** Latencies in ms. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** From a histogram of µs. Without a value all are 0, where the histogram would say 2^63. */
export function summarise(histogram: RecordableHistogram): Latency {
  if (histogram.count === 0) return { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
  const ms = (percent: number): number => histogram.percentile(percent) / 1000;
  return { count: histogram.count, p50: ms(50), p95: ms(95), p99: ms(99), max: histogram.max / 1000 };
}

/** One figure over several runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => {
    const value = sorted[index];
    if (value === undefined) throw new Error('there is no run to summarise');
    return value;
  };
  const half = sorted.length / 2;
  const median = Number.isInteger(half) ? (at(half - 1) + at(half)) / 2 : at(Math.floor(half));
  return { median, min: at(0), max: at(sorted.length - 1) };
}
