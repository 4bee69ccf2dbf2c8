/** How the gauges of several workers become one. */
export type Across = 'sum' | 'max' | 'min';

/** Values of labels, by the labels' names. */
export type Labels = Readonly<Record<string, string>>;

interface Common {
  readonly unit: string;
  readonly meaning: string;
  /** By name, the closed set of its values; anything else counts as `other`. Never a channel, a user or a socket. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** What Prometheus calls it, where that cannot be made of the StatsD name: without `signalbox_` and `_total`. */
  readonly prometheus?: string;
}

/** It only grows. What is counted by several processes adds up wherever it is sent. */
export interface CounterDefinition extends Common {
  readonly type: 'counter';
}

/** It moves both ways. */
export interface GaugeDefinition extends Common {
  readonly type: 'gauge';
  readonly across: Across;
}

/** A distribution of values. */
export interface HistogramDefinition extends Common {
  readonly type: 'histogram';
  /** Upper bounds, in the metric's own unit, ascending; one without a bound follows by itself. */
  readonly buckets: readonly number[];
}

export type MetricDefinition = CounterDefinition | GaugeDefinition | HistogramDefinition;

/** In the place of a value that is not in its label's set. */
export const OTHER = 'other';

/** From what nobody notices to what everybody does. */
export const TIMES_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000] as const;

/** All words of a type, written down once more because types are not there at run time: a missing one is no list. */
export const allOf =
  <Word extends string>() =>
  <const List extends readonly Word[]>(
    list: List & (Exclude<Word, List[number]> extends never ? unknown : never),
  ): List =>
    list;
