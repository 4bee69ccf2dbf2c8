import type { MetricName, Metrics } from '../../src/telemetry/metrics.ts';

/** Metrics as a table that a test reads. */
export class CountingMetrics implements Metrics {
  readonly #counts = new Map<string, number>();

  count(name: MetricName, value = 1, labels: Readonly<Record<string, string>> = {}): void {
    const key = [name, ...Object.values(labels)].join(' ');
    this.#counts.set(key, this.of(key) + value);
  }

  gauge(name: MetricName, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#counts.set([name, ...Object.values(labels)].join(' '), value);
  }

  async close(): Promise<void> {}

  /** The sum of a counter; its labels' values follow the name, each after a space. */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}
