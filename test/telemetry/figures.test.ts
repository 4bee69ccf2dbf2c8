import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Figures, mergeFigures, NO_FIGURES, totalsOf } from '../../src/telemetry/figures.ts';
import { METRICS, type MetricName } from '../../src/telemetry/metrics.ts';
import { Recorder } from '../../src/telemetry/recorder.ts';
import { everySeries } from '../../src/telemetry/series.ts';

const gauges = (of: Record<string, number>): Figures => ({ ...NO_FIGURES, gauges: of });

describe('the gauges of several processes', () => {
  test('are added up, or the greatest or the least of them, as the table of metrics says', () => {
    const all = mergeFigures([
      gauges({ 'signalbox.sockets live': 3, 'signalbox.lag_ms': 20, 'signalbox.ready': 1 }),
      gauges({ 'signalbox.sockets live': 4, 'signalbox.lag_ms': 5, 'signalbox.ready': 0 }),
    ]).gauges;
    expect(all['signalbox.sockets live']).toBe(7);
    expect(all['signalbox.lag_ms']).toBe(20);
    expect(all['signalbox.ready']).toBe(0);
  });

  test('are all there, as 0, when nobody is left', () => {
    const names = (Object.keys(METRICS) as MetricName[]).filter((name) => METRICS[name].type === 'gauge');
    const expected = names.flatMap((name) => everySeries(name)).map((key) => [key, 0]);
    expect(Object.entries(mergeFigures([]).gauges)).toEqual(expected);
  });

  test('that a process has not measured yet do not count', () => {
    const all = mergeFigures([NO_FIGURES, gauges({ 'signalbox.ready': 1 })]).gauges;
    expect(all['signalbox.ready']).toBe(1);
  });
});

describe('what several processes have counted', () => {
  const values = fc.array(fc.array(fc.nat(2_000), { maxLength: 20 }), { maxLength: 5 });

  test('adds up to what one process would have counted, however it is divided', () => {
    fc.assert(
      fc.property(values, (parts) => {
        const whole = new Recorder();
        const recorders = parts.map((part) => {
          const recorder = new Recorder();
          for (const value of part) {
            for (const metrics of [recorder, whole]) {
              metrics.count('signalbox.gaps', value, { reason: 'epoch' });
              metrics.record('signalbox.batch_events', value);
            }
          }
          return recorder;
        });
        const merged = totalsOf(mergeFigures(recorders.map(({ figures }) => figures)));
        expect(merged).toEqual(totalsOf(whole.figures));
      }),
    );
  });

  test('is kept without the levels when a process has ended', () => {
    const recorder = new Recorder();
    recorder.count('ws_connected_client');
    recorder.gauge('signalbox.lag_ms', 4);
    expect(totalsOf(recorder.figures)).toEqual({
      counters: { ws_connected_client: 1 },
      gauges: {},
      histograms: {},
    });
  });
});
