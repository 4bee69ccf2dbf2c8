import type { Distribution, Figures } from './figures.ts';
import type { HistogramDefinition, Labels } from './metric.ts';
import type { CounterName, GaugeName, HistogramName, Metrics } from './metrics.ts';
import { definitionOf, keyOf, type SeriesKey } from './series.ts';

/** What is kept of one histogram. */
class Histogram {
  readonly #buckets: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #recent: number[] = [];

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.#counts = Array.from({ length: buckets.length + 1 }, () => 0);
  }

  add(value: number): void {
    const buckets = this.#buckets;
    let at = 0;
    while (at < buckets.length && value > (buckets[at] as number)) at += 1;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
    if (this.#recent.length < MAX_RECENT) this.#recent.push(value);
  }

  takeRecent(): readonly number[] {
    const recent = this.#recent;
    if (recent.length > 0) this.#recent = [];
    return recent;
  }

  get distribution(): Distribution {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}

/** Of one series between two that are taken: what is beyond is in its buckets only. */
const MAX_RECENT = 10_000;

interface Total {
  value: number;
}

/**
 * Where this process keeps what it measures: the fast lane pays for an addition, however many sinks there are. Sinks
 * read it when it suits them.
 */
export class Recorder implements Metrics {
  readonly #counters = new Map<SeriesKey, Total>();
  readonly #gauges = new Map<SeriesKey, number>();
  readonly #histograms = new Map<SeriesKey, Histogram>();

  count(name: CounterName, value = 1, labels?: Labels): void {
    // Without labels its name is its key: nothing is put together for each delivery.
    const key = labels === undefined ? name : keyOf(name, labels);
    const total = this.#counters.get(key);
    if (total === undefined) this.#counters.set(key, { value });
    else total.value += value;
  }

  gauge(name: GaugeName, value: number, labels?: Labels): void {
    this.#gauges.set(labels === undefined ? name : keyOf(name, labels), value);
  }

  record(name: HistogramName, value: number, labels?: Labels): void {
    const key = labels === undefined ? name : keyOf(name, labels);
    let histogram = this.#histograms.get(key);
    if (histogram === undefined) {
      histogram = new Histogram((definitionOf(name) as HistogramDefinition).buckets);
      this.#histograms.set(key, histogram);
    }
    histogram.add(value);
  }

  /** Of a counter up to now, whatever its labels. */
  total(name: CounterName): number {
    let total = 0;
    for (const [key, { value }] of this.#counters) {
      if (key === name || key.startsWith(`${name} `)) total += value;
    }
    return total;
  }

  /** Everything up to now. */
  get figures(): Figures {
    return {
      counters: Object.fromEntries([...this.#counters].map(([key, { value }]) => [key, value])),
      gauges: Object.fromEntries(this.#gauges),
      histograms: Object.fromEntries(
        [...this.#histograms].map(([key, histogram]) => [key, histogram.distribution]),
      ),
    };
  }

  /** What histograms were given since this was called last. For one sink: it takes it away. */
  takeRecent(take: (key: SeriesKey, values: readonly number[]) => void): void {
    for (const [key, histogram] of this.#histograms) {
      const values = histogram.takeRecent();
      if (values.length > 0) take(key, values);
    }
  }
}
