import { describe, expect, test } from '@jest/globals';
import { NOTHING_DUE } from '../../bench/ledger.ts';
import { panelsOf } from '../../bench/panels.ts';
import type { Finding } from '../../bench/report.ts';

const spread = (median: number) => ({ median, min: median / 2, max: median * 2 });

const finding = (subject: Finding['subject'], figures: Record<string, number>): Finding => ({
  scenario: 'broadcast',
  case: '50 events/s',
  subject,
  runs: 3,
  figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, spread(value)])),
  exactness: NOTHING_DUE,
});

describe('the panels of a scenario', () => {
  test('are those that it has figures for, cost before latency', () => {
    const panels = panelsOf(
      [finding('signalbox', { p50Ms: 2, p99Ms: 9, cpuUsPerDelivery: 4, loadBusyPercent: 30 })],
      'broadcast',
    );
    expect(panels.map(({ title, unit }) => `${title}, ${unit}`)).toEqual([
      'Processor time per delivery, µs',
      'Latency, ms',
    ]);
  });

  test('show servers in the order in which they are told, whoever was measured first', () => {
    const figures = { cpuUsPerDelivery: 4 };
    const [panel] = panelsOf(
      [finding('nchan', figures), finding('socketio', figures), finding('signalbox', figures)],
      'broadcast',
    );
    expect(panel?.subjects).toEqual(['signalbox', 'socketio', 'nchan']);
  });

  test('leave out who has no such figure, and cases without any', () => {
    const [panel] = panelsOf(
      [
        finding('signalbox', { cpuUsPerDelivery: 4 }),
        { ...finding('bare', { deliveriesPerS: 4 }), case: 'as fast as it goes' },
        { ...finding('bare', { cpuUsPerDelivery: 1 }), scenario: 'unicast' },
      ],
      'broadcast',
    );
    expect(panel?.subjects).toEqual(['signalbox']);
    expect(panel?.cases).toEqual(['50 events/s']);
  });

  test('take two latencies as one span, or the higher one alone', () => {
    const panels = panelsOf(
      [finding('signalbox', { p50Ms: 2, p99Ms: 9 }), finding('bare', { p99Ms: 7 })],
      'broadcast',
    );
    expect(panels[0]?.marks).toMatchObject([
      { subject: 'signalbox', lower: spread(2), value: spread(9) },
      { subject: 'bare', value: spread(7) },
    ]);
    expect(panels[0]?.marks[1]).not.toHaveProperty('lower');
  });

  test('mark who did not deliver exactly', () => {
    const faulty = { ...finding('sidecar', { p99Ms: 1 }), exactness: { ...NOTHING_DUE, duplicates: 1 } };
    expect(panelsOf([faulty], 'broadcast')[0]?.marks[0]?.isFaulty).toBe(true);
  });
});
