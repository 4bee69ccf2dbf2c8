import { describe, expect, test } from '@jest/globals';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { Recorder } from '../../src/telemetry/recorder.ts';

describe('the recorder', () => {
  test('keeps a counter for each set of labels, whatever their order', () => {
    const metrics = new Recorder();
    metrics.count('signalbox.auth_refused', 1, { protocol: 'native', reason: 'expired' });
    metrics.count('signalbox.auth_refused', 2, { reason: 'expired', protocol: 'native' });
    metrics.count('signalbox.auth_refused', 1, { protocol: 'superset', reason: 'expired' });
    expect(metrics.figures.counters).toEqual({
      'signalbox.auth_refused native expired': 3,
      'signalbox.auth_refused superset expired': 1,
    });
  });

  test('counts a value that the table does not know as `other`, however many there are', () => {
    const metrics = new Recorder();
    for (let user = 0; user < 1_000; user++) {
      metrics.count('signalbox.gaps', 1, { reason: `user ${user}` });
      metrics.gauge('signalbox.sockets', user, { state: `of ${user}` });
      metrics.record('signalbox.replay_ms', 1, { cause: `cause ${user}` });
    }
    const { counters, gauges, histograms } = metrics.figures;
    expect(counters).toEqual({ 'signalbox.gaps other': 1_000 });
    expect(gauges).toEqual({ 'signalbox.sockets other': 999 });
    expect(Object.keys(histograms)).toEqual(['signalbox.replay_ms other']);
  });

  test('counts a label that is left out, and none that the table has not', () => {
    const metrics = new Recorder();
    metrics.count('signalbox.gaps', 1, {});
    metrics.count('signalbox.events_routed', 1, { channel: 'secret' });
    expect(metrics.figures.counters).toEqual({ 'signalbox.gaps other': 1, 'signalbox.events_routed': 1 });
  });

  test('adds up a counter over its labels, and over no other counter', () => {
    const metrics = new Recorder();
    expect(metrics.total('signalbox.gaps')).toBe(0);
    metrics.count('signalbox.gaps', 2, { reason: 'trimmed' });
    metrics.count('signalbox.gaps', 3, { reason: 'unheard of' });
    metrics.count('signalbox.events_routed', 5);
    metrics.count('signalbox.events_replayed', 7);
    expect(metrics.total('signalbox.gaps')).toBe(5);
    expect(metrics.total('signalbox.events_routed')).toBe(5);
  });

  test('puts a value into the first bucket that it is not above', () => {
    const { buckets } = METRICS['signalbox.batch_events'];
    const metrics = new Recorder();
    for (const value of [0, 1, 2, 3, 1_000, 1_001]) metrics.record('signalbox.batch_events', value);
    const { counts = [], sum } = metrics.figures.histograms['signalbox.batch_events'] ?? {};
    const at = (bound: number): number | undefined => counts[buckets.indexOf(bound as 1)];
    expect(counts).toHaveLength(buckets.length + 1);
    expect([at(1), at(2), at(5), at(1_000), counts.at(-1)]).toEqual([2, 1, 1, 1, 1]);
    expect(sum).toBe(2_007);
  });

  test('gives the last values of a histogram once', () => {
    const metrics = new Recorder();
    metrics.record('signalbox.batch_events', 4);
    metrics.record('signalbox.batch_events', 5);
    const taken: unknown[] = [];
    metrics.takeRecent((key, values) => taken.push([key, values]));
    metrics.takeRecent((key, values) => taken.push([key, values]));
    expect(taken).toEqual([['signalbox.batch_events', [4, 5]]]);
  });
});
