import { type Labels, type MetricDefinition, OTHER } from './metric.ts';
import { METRICS, type MetricName } from './metrics.ts';

/** One metric under one set of labels: its name and, in the order of the table, the labels' values, spaces between. */
export type SeriesKey = string;

const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;

/** The names and the values of a metric's labels, ready to be asked for. */
const labelsByMetric = new Map(
  Object.entries(definitions).map(([name, { labels = {} }]) => [
    name,
    Object.entries(labels).map(([label, values]) => [label, new Set<string>(values)] as const),
  ]),
);

export function definitionOf(name: string): MetricDefinition {
  return definitions[name] as MetricDefinition;
}

/** The series of a metric under these labels; a value that the table does not know becomes `other`. */
export function keyOf(name: MetricName, labels: Labels): SeriesKey {
  let key: string = name;
  for (const [label, values] of labelsByMetric.get(name) ?? []) {
    const value = labels[label] ?? OTHER;
    key += values.has(value) ? ` ${value}` : ` ${OTHER}`;
  }
  return key;
}

export interface Series {
  readonly name: MetricName;
  readonly labels: Labels;
}

/** What `keyOf` made a key of. */
export function seriesOf(key: SeriesKey): Series {
  const [name, ...values] = key.split(' ') as [MetricName, ...string[]];
  const known = labelsByMetric.get(name) ?? [];
  return { name, labels: Object.fromEntries(known.map(([label], at) => [label, values[at] ?? OTHER])) };
}

/** Every series that the table allows of a metric, `other` left out. */
export function everySeries(name: MetricName): SeriesKey[] {
  let keys: string[] = [name];
  for (const [, values] of labelsByMetric.get(name) ?? []) {
    keys = keys.flatMap((key) => [...values].map((value) => `${key} ${value}`));
  }
  return keys;
}
