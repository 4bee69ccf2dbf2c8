import {
  AggregatorRegistry,
  collectDefaultMetrics,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { type Distribution, type Figures, mergeFigures } from './figures.ts';
import type { HistogramDefinition, Labels } from './metric.ts';
import { METRICS, type MetricName } from './metrics.ts';
import { prometheusDivisor, prometheusName } from './prometheus-names.ts';
import { definitionOf, everySeries, type SeriesKey, seriesOf } from './series.ts';

/** What a scrape is answered. */
export interface ScrapeText {
  readonly contentType: string;
  readonly body: string;
}

/** A metric as prom-client passes it on. */
type Json = MetricObjectWithValues<MetricValue<string>>;

/** What Node and the system say of one process. */
export type ProcessFigures = readonly Json[];

let registry: Registry | undefined;

/**
 * What prom-client knows of this process. It watches from the first time on that this is called: who is never scraped
 * pays nothing.
 *
 * Each process has series of its own, so that a sum of processes does not hide the one that is in trouble, and the
 * counters of one that ended do not go down in it.
 */
export async function processFigures(worker: number): Promise<ProcessFigures> {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry, labels: { worker: String(worker) } });
    // Gauges that are called `_total`, and say what `nodejs_active_resources` says by type.
    for (const name of [
      'nodejs_active_resources_total',
      'nodejs_active_handles_total',
      'nodejs_active_requests_total',
    ]) {
      registry.removeSingleMetric(name);
    }
  }
  return registry.getMetricsAsJSON();
}

/** The text of the figures of all processes, in Prometheus' own format. */
export async function scrapeText(
  figures: readonly Figures[],
  processes: readonly ProcessFigures[],
): Promise<ScrapeText> {
  const merged = figures.length === 1 ? (figures[0] as Figures) : mergeFigures(figures);
  const all = AggregatorRegistry.aggregate([
    (Object.keys(METRICS) as MetricName[]).map((name) => jsonOf(name, merged)),
    // Labels tell them apart: there is nothing to add up.
    ...processes.map((process) => process.map((metric) => ({ ...metric, aggregator: 'first' }))),
  ]);
  return { contentType: all.contentType, body: await all.metrics() };
}

function jsonOf(name: MetricName, figures: Figures): object {
  const { type, meaning } = definitionOf(name);
  return {
    name: prometheusName(name),
    help: meaning,
    type,
    aggregator: 'first',
    values: valuesOf(name, figures),
  };
}

interface Value {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

function valuesOf(name: MetricName, { counters, gauges, histograms }: Figures): Value[] {
  const divisor = prometheusDivisor(name);
  const simple = ([key, value]: readonly [SeriesKey, number]): Value => ({
    labels: seriesOf(key).labels,
    value: value / divisor,
  });
  switch (definitionOf(name).type) {
    case 'counter': {
      // From 0: the first time that something is counted is an increase, which it would not be from nothing.
      const all = { ...Object.fromEntries(everySeries(name).map((key) => [key, 0])), ...of(name, counters) };
      return Object.entries(all).map(simple);
    }
    case 'gauge':
      return Object.entries(of(name, gauges)).map(simple);
    case 'histogram':
      return Object.entries(of(name, histograms)).flatMap(([key, values]) => histogramValues(key, values));
  }
}

/** A histogram says of each bound how many values were not above it. */
function histogramValues(key: SeriesKey, { counts, sum }: Distribution): Value[] {
  const { name, labels } = seriesOf(key);
  const divisor = prometheusDivisor(name);
  const metricName = prometheusName(name);
  const { buckets } = definitionOf(name) as HistogramDefinition;
  let count = 0;
  const values: Value[] = counts.map((more, at) => {
    count += more;
    const bound = buckets[at];
    const le = bound === undefined ? '+Inf' : String(bound / divisor);
    return { metricName: `${metricName}_bucket`, labels: { le, ...labels }, value: count };
  });
  values.push({ metricName: `${metricName}_sum`, labels, value: sum / divisor });
  values.push({ metricName: `${metricName}_count`, labels, value: count });
  return values;
}

/** Those series that are of a metric. */
function of<T>(name: MetricName, series: Readonly<Record<SeriesKey, T>>): Record<SeriesKey, T> {
  return Object.fromEntries(
    Object.entries(series).filter(([key]) => key === name || key.startsWith(`${name} `)),
  );
}
