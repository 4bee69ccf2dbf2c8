import type { Across, Labels } from './metric.ts';
import { type GaugeName, METRICS, type MetricName } from './metrics.ts';
import { definitionOf, everySeries, type SeriesKey, seriesOf } from './series.ts';

/** How often values fell under each bucket's bound and not under the one before; the last: above all of them. */
export interface Distribution {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** What one process has measured, from its start to now. Plain, so that processes can send it to each other. */
export interface Figures {
  readonly counters: Readonly<Record<SeriesKey, number>>;
  readonly gauges: Readonly<Record<SeriesKey, number>>;
  readonly histograms: Readonly<Record<SeriesKey, Distribution>>;
}

export const NO_FIGURES: Figures = { counters: {}, gauges: {}, histograms: {} };

const GAUGES: readonly (readonly [SeriesKey, Across])[] = (Object.keys(METRICS) as MetricName[]).flatMap(
  (name) => {
    const metric = definitionOf(name);
    return metric.type === 'gauge' ? everySeries(name).map((key) => [key, metric.across] as const) : [];
  },
);

/** The part that only grows, and that is kept when its process has ended. */
export function totalsOf({ counters, histograms }: Figures): Figures {
  return { counters, gauges: {}, histograms };
}

/**
 * The figures of several processes as those of one: what is counted adds up, and gauges go by the rule that each has in
 * the table.
 *
 * Every gauge is in it, as 0 where nobody measured it: a level that nobody has any more must not stay at its last.
 */
export function mergeFigures(all: readonly Figures[]): Figures {
  const counters: Record<SeriesKey, number> = {};
  const histograms: Record<SeriesKey, Distribution> = {};
  for (const figures of all) {
    for (const [key, value] of Object.entries(figures.counters)) counters[key] = (counters[key] ?? 0) + value;
    for (const [key, more] of Object.entries(figures.histograms)) {
      const known = histograms[key];
      histograms[key] = known === undefined ? more : addDistributions(known, more);
    }
  }
  const gauges = Object.fromEntries(
    GAUGES.map(([key, across]) => [
      key,
      combine(
        across,
        all.flatMap((figures) => figures.gauges[key] ?? []),
      ),
    ]),
  );
  return { counters, gauges, histograms };
}

/** Calls for each gauge of figures, with what a sink takes. */
export function eachGauge(
  { gauges }: Pick<Figures, 'gauges'>,
  take: (name: GaugeName, value: number, labels: Labels) => void,
): void {
  for (const [key, value] of Object.entries(gauges)) {
    const { name, labels } = seriesOf(key);
    take(name as GaugeName, value, labels);
  }
}

function addDistributions(one: Distribution, other: Distribution): Distribution {
  return {
    counts: one.counts.map((count, at) => count + (other.counts[at] ?? 0)),
    sum: one.sum + other.sum,
  };
}

function combine(across: Across, values: readonly number[]): number {
  if (values.length === 0) return 0;
  if (across === 'sum') return values.reduce((sum, value) => sum + value, 0);
  return across === 'max' ? Math.max(...values) : Math.min(...values);
}
