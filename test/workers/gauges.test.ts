import { describe, expect, test } from '@jest/globals';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { addUp } from '../../src/workers/gauges.ts';

describe('gauges of several workers', () => {
  test('are added up, or the greatest of them, as the table of metrics says', () => {
    const all = addUp([
      { 'signalbox.sockets': 3, 'signalbox.lag_ms': 20, 'signalbox.window_bytes': 100 },
      { 'signalbox.sockets': 4, 'signalbox.lag_ms': 5, 'signalbox.window_bytes': 90 },
    ]);
    expect(all.get('signalbox.sockets')).toBe(7);
    expect(all.get('signalbox.lag_ms')).toBe(20);
    expect(all.get('signalbox.window_bytes')).toBe(100);
  });

  test('are all there, as 0, when nobody is left', () => {
    const names = Object.entries(METRICS).filter(([, { type }]) => type === 'gauge');
    expect([...addUp([])]).toEqual(names.map(([name]) => [name, 0]));
  });

  test('that a worker has not measured yet do not count', () => {
    expect(addUp([{}, { 'signalbox.sockets': 2 }]).get('signalbox.sockets')).toBe(2);
  });
});
