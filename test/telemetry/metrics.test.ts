import { describe, expect, test } from '@jest/globals';
import { METRICS, type MetricDefinition } from '../../src/telemetry/metrics.ts';

const definitions = Object.entries<MetricDefinition>(METRICS);

describe('the table of metrics', () => {
  test("has the sidecar's counters under its names, and only counters among them", () => {
    const names = definitions
      .filter(([name]) => name.startsWith('ws_'))
      .map(([name, { type }]) => `${name} ${type}`);
    expect(names.sort()).toEqual([
      'ws_client_backpressure_disconnect counter',
      'ws_client_send_error counter',
      'ws_connected_client counter',
      'ws_connection_rejected counter',
      'ws_token_expired_disconnect counter',
      'ws_upgrade_rejected counter',
    ]);
  });

  test('has everything else under `signalbox.`', () => {
    const others = definitions.map(([name]) => name).filter((name) => !name.startsWith('ws_'));
    expect(others.filter((name) => !/^signalbox\.[a-z_]+$/.test(name))).toEqual([]);
  });

  test('has no label whose values are unbounded', () => {
    const labels = new Set(definitions.flatMap(([, { labels: names = [] }]) => names));
    expect([...labels].sort()).toEqual(['feed', 'hook', 'machine', 'outcome', 'reason', 'state']);
  });
});
