import type { MetricDefinition } from './metric.ts';
import type { MetricName } from './metrics.ts';
import { definitionOf } from './series.ts';

const PREFIX = 'signalbox_';

/** What Prometheus calls a metric: seconds for milliseconds, and counters end in `_total`. */
export function prometheusName(name: MetricName): string {
  const { type, prometheus = name.replace(/^signalbox\./, '') }: MetricDefinition = definitionOf(name);
  const base = PREFIX + prometheus.replace(/_ms$/, '_seconds');
  return type === 'counter' ? `${base}_total` : base;
}

/** By what a value is divided, because Prometheus has base units. */
export function prometheusDivisor(name: MetricName): number {
  return definitionOf(name).unit === 'ms' ? 1_000 : 1;
}
