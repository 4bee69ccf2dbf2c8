import type { Labels } from '../../src/telemetry/metric.ts';
import type { MetricName, Metrics } from '../../src/telemetry/metrics.ts';

/** Metrics as a table that a test reads. */
export class CountingMetrics implements Metrics {
  readonly #counts = new Map<string, number>();
  readonly #times = new Map<string, number>();

  count(name: MetricName, value = 1, labels: Labels = {}): void {
    const key = keyOf(name, labels);
    this.#counts.set(key, this.of(key) + value);
  }

  gauge(name: MetricName, value: number, labels: Labels = {}): void {
    this.#counts.set(keyOf(name, labels), value);
  }

  /** What a histogram is given is added up, as what is counted. */
  record(name: MetricName, value: number, labels: Labels = {}): void {
    const key = keyOf(name, labels);
    this.count(name, value, labels);
    this.#times.set(key, this.timesOf(key) + 1);
  }

  /** How many values a histogram was given. */
  timesOf(key: string): number {
    return this.#times.get(key) ?? 0;
  }

  /** The sum of a counter or a histogram, or a gauge; its labels' values follow the name, each after a space. */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}

const keyOf = (name: MetricName, labels: Labels): string => [name, ...Object.values(labels)].join(' ');
