import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Figures, NO_FIGURES } from '../../src/telemetry/figures.ts';
import { OTHER } from '../../src/telemetry/metric.ts';
import { METRICS, type MetricName } from '../../src/telemetry/metrics.ts';
import { processFigures, scrapeText } from '../../src/telemetry/prometheus.ts';
import { prometheusName } from '../../src/telemetry/prometheus-names.ts';
import { Recorder } from '../../src/telemetry/recorder.ts';
import { definitionOf, everySeries, seriesOf } from '../../src/telemetry/series.ts';
import { type Family, readExposition, valueOf } from '../support/exposition.ts';

const names = Object.keys(METRICS) as MetricName[];

const read = async (...figures: Figures[]): Promise<ReadonlyMap<string, Family>> =>
  readExposition((await scrapeText(figures, [])).body);

/** Every series of the table has been measured, and one that the table does not know. */
const everything = (): Recorder => {
  const recorder = new Recorder();
  for (const name of names) {
    for (const { labels } of [...everySeries(name).map(seriesOf), seriesOf(`${name} ${OTHER}`)]) {
      if (name === 'signalbox.batch_events') recorder.record(name, 3);
      const { type } = definitionOf(name);
      if (type === 'counter') recorder.count(name as 'signalbox.gaps', 2, labels);
      if (type === 'gauge') recorder.gauge(name as 'signalbox.lag_ms', 5, labels);
      if (type === 'histogram') recorder.record(name as 'signalbox.replay_ms', 30, labels);
    }
  }
  return recorder;
};

describe('what Prometheus calls a metric', () => {
  test.each([
    ['signalbox.events_routed', 'signalbox_events_routed_total'],
    ['signalbox.lag_ms', 'signalbox_lag_seconds'],
    ['signalbox.written_bytes', 'signalbox_written_bytes_total'],
    ['signalbox.hook_request_ms', 'signalbox_hook_request_seconds'],
    ['ws_connected_client', 'signalbox_sockets_accepted_total'],
  ] as const)('%s is %s', (name, expected) => {
    expect(prometheusName(name)).toBe(expected);
  });

  test('is a name of its own, of this program, in base units', () => {
    const all = names.map(prometheusName);
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((name) => !/^signalbox_[a-z_]+$/.test(name))).toEqual([]);
    expect(all.filter((name) => /_ms\b|_ms_/.test(name))).toEqual([]);
  });
});

describe('the text for Prometheus', () => {
  let all: ReadonlyMap<string, Family>;
  beforeAll(async () => {
    all = await read(everything().figures);
  });

  test('is of the type that Prometheus asks for', async () => {
    expect((await scrapeText([NO_FIGURES], [])).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test('has every metric of the table, with its type and its meaning, and no other', () => {
    const expected = names.map((name) => [prometheusName(name), definitionOf(name).type]);
    expect([...all.values()].map(({ name, type }) => [name, type])).toEqual(expected);
    for (const name of names) expect(all.get(prometheusName(name))?.help).toBe(definitionOf(name).meaning);
  });

  test('has the labels of the table and only its values, or `other`', () => {
    for (const name of names) {
      const { labels = {} } = definitionOf(name);
      for (const sample of all.get(prometheusName(name))?.samples ?? []) {
        const { le: _, ...own } = sample.labels;
        expect(Object.keys(own)).toEqual(Object.keys(labels));
        for (const [label, value] of Object.entries(own)) {
          expect([...(labels[label] ?? []), OTHER]).toContain(value);
        }
      }
    }
  });

  test('has times in seconds', () => {
    expect(valueOf(all, 'signalbox_lag_seconds')).toBe(0.005);
    expect(valueOf(all, 'signalbox_replay_seconds_sum', { cause: 'joined' })).toBe(0.03);
    expect(valueOf(all, 'signalbox_replay_seconds_bucket', { cause: 'joined', le: '0.025' })).toBe(0);
    expect(valueOf(all, 'signalbox_replay_seconds_bucket', { cause: 'joined', le: '0.05' })).toBe(1);
    expect(valueOf(all, 'signalbox_replay_seconds_bucket', { cause: 'joined', le: '+Inf' })).toBe(1);
    expect(valueOf(all, 'signalbox_replay_seconds_count', { cause: 'joined' })).toBe(1);
  });

  test('has counters at 0 before anything is counted, so that the first time is an increase', async () => {
    const none = await read(NO_FIGURES);
    expect(valueOf(none, 'signalbox_gaps_total', { reason: 'trimmed' })).toBe(0);
    expect(valueOf(none, 'signalbox_events_routed_total')).toBe(0);
    expect(valueOf(none, 'signalbox_gaps_total', { reason: OTHER })).toBeUndefined();
  });

  test('adds up those of several processes, gauges by their rule', async () => {
    const two = await read(everything().figures, everything().figures);
    expect(valueOf(two, 'signalbox_events_routed_total')).toBe(
      2 * (valueOf(all, 'signalbox_events_routed_total') ?? 0),
    );
    expect(valueOf(two, 'signalbox_sockets', { state: 'live' })).toBe(10);
    expect(valueOf(two, 'signalbox_lag_seconds')).toBe(0.005);
    expect(valueOf(two, 'signalbox_replay_seconds_count', { cause: 'joined' })).toBe(2);
  });

  test('has what the system says of each process, apart', async () => {
    const one = await processFigures(1);
    const other = structuredClone(one).map((metric) => ({
      ...metric,
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker: '2' } })),
    }));
    const text = readExposition((await scrapeText([NO_FIGURES], [one, other])).body);
    for (const worker of ['1', '2']) {
      expect(valueOf(text, 'process_resident_memory_bytes', { worker })).toBeGreaterThan(1_000_000);
      expect(valueOf(text, 'process_start_time_seconds', { worker })).toBeGreaterThan(1_000_000_000);
    }
    const processes = [...text.values()].filter(({ name }) => !name.startsWith('signalbox_'));
    expect(processes.length).toBeGreaterThan(15);
    expect(processes.every(({ name }) => /^(?:process|nodejs)_/.test(name))).toBe(true);
  });
});
