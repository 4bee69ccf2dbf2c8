import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { METRICS, type MetricName } from '../../src/telemetry/metrics.ts';
import { processFigures } from '../../src/telemetry/prometheus.ts';
import { prometheusName } from '../../src/telemetry/prometheus-names.ts';
import { definitionOf } from '../../src/telemetry/series.ts';
import { type Matcher, readPromql } from '../support/promql.ts';
import { alertRules, dashboardQueries } from '../support/observability.ts';

/** What a query may ask of one name: its labels, and the values that they have; undefined: any. */
type Labels = ReadonlyMap<string, readonly string[] | undefined>;

/** Every server has these, whatever it is asked. */
const TARGET: Labels = new Map([
  ['job', undefined],
  ['instance', undefined],
]);

const names = Object.keys(METRICS) as MetricName[];

const known = new Map<string, Labels>([['up', TARGET]]);
for (const name of names) {
  const { type, labels = {} } = definitionOf(name);
  const own: Labels = new Map([...TARGET, ...Object.entries(labels)]);
  const of = prometheusName(name);
  if (type === 'histogram') {
    known.set(`${of}_bucket`, new Map([...own, ['le', undefined]]));
    known.set(`${of}_sum`, own).set(`${of}_count`, own);
  } else known.set(of, own);
}

/** What is wrong with a query; nothing: it can be answered. */
const faultsOf = (query: string): string[] => {
  const { selectors, groupings } = readPromql(query);
  const faults = selectors.flatMap(({ metric, matchers }) => {
    const labels = known.get(metric);
    if (labels === undefined) return [`there is no metric ${metric}`];
    return matchers.flatMap((matcher) => faultOf(metric, labels, matcher));
  });
  const all = selectors.flatMap(({ metric }) => [...(known.get(metric)?.keys() ?? [])]);
  const strange = groupings.filter((label) => !all.includes(label));
  return [...faults, ...strange.map((label) => `nothing in it has a label ${label}`)];
};

function faultOf(metric: string, labels: Labels, { label, operator, value }: Matcher): string[] {
  if (!labels.has(label)) return [`${metric} has no label ${label}`];
  const values = labels.get(label);
  if (values === undefined) return [];
  const wanted = operator.endsWith('~') ? value.split('|') : [value];
  return wanted
    .filter((word) => !values.includes(word))
    .map((word) => `${label} of ${metric} is never ${word}`);
}

beforeAll(async () => {
  const own = new Map([...TARGET, ['worker', undefined] as const]);
  for (const { name } of await processFigures(1)) known.set(name, own);
});

const dashboard = readFileSync('examples/observability/dashboard.json', 'utf8');
const alerts = readFileSync('examples/observability/alerts.yml', 'utf8');

describe('what is read of a query', () => {
  test('is every metric and label that it names', () => {
    const { selectors, groupings } = readPromql(
      'histogram_quantile(0.9, sum by (le, job) (rate(a_bucket{x="1", y=~"b|c"}[5m]))) > 0.5 and on (job) b offset 5m',
    );
    expect(selectors).toEqual([
      {
        metric: 'a_bucket',
        matchers: [
          { label: 'x', operator: '=', value: '1' },
          { label: 'y', operator: '=~', value: 'b|c' },
        ],
      },
      { metric: 'b', matchers: [] },
    ]);
    expect(groupings).toEqual(['le', 'job', 'job']);
  });

  test.each([
    ['rate(signalbox_nothing_total[5m])', 'there is no metric signalbox_nothing_total'],
    ['signalbox_lag_ms > 5', 'there is no metric signalbox_lag_ms'],
    ['signalbox_sockets{reason="live"}', 'signalbox_sockets has no label reason'],
    ['signalbox_sockets{state=~"live|dead"}', 'state of signalbox_sockets is never dead'],
    ['sum by (hook) (signalbox_sockets)', 'nothing in it has a label hook'],
  ])('shows that %s cannot be answered', (query, fault) => {
    expect(faultsOf(query)).toEqual([fault]);
  });
});

describe('the dashboard', () => {
  const queries = dashboardQueries(dashboard);

  test('asks only for what is measured', () => {
    expect(queries.length).toBeGreaterThan(50);
    for (const { title, query } of queries)
      expect([title, query, faultsOf(query)]).toEqual([title, query, []]);
  });

  test('shows everything that is measured', () => {
    const shown = new Set(
      queries.flatMap(({ query }) => readPromql(query).selectors.map(({ metric }) => metric)),
    );
    const missing = names
      .map(prometheusName)
      .filter((name) => !['', '_bucket', '_sum', '_count'].some((end) => shown.has(name + end)));
    // The window is shown in bytes.
    expect(missing).toEqual(['signalbox_window_events']);
  });

  test('names in its legends only labels that its queries leave', () => {
    for (const { title, query, legend } of queries) {
      const { selectors, groupings } = readPromql(query);
      const isGrouped = /\b(?:sum|max|min)\b/.test(query);
      const left = isGrouped
        ? groupings
        : selectors.flatMap(({ metric }) => [...(known.get(metric)?.keys() ?? [])]);
      const used = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect([title, used.filter((label) => !left.includes(label as string))]).toEqual([title, []]);
    }
  });

  test('has panels of their own place and id', () => {
    const { panels } = JSON.parse(dashboard) as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [at, { gridPos: a }] of panels.entries()) {
      expect(a.x + a.w).toBeLessThanOrEqual(24);
      for (const { gridPos: b } of panels.slice(at + 1)) {
        const isApart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect([a, b, isApart]).toEqual([a, b, true]);
      }
    }
  });
});

describe('the alert rules', () => {
  const rules = alertRules(alerts);

  test('ask only for what is measured', () => {
    expect(rules.length).toBe([...alerts.matchAll(/- alert: /g)].length);
    expect(rules.length).toBeGreaterThan(10);
    for (const { name, query } of rules) expect([name, faultsOf(query)]).toEqual([name, []]);
  });

  test('are of a name of their own, say how bad it is, and what it means', () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
    for (const { name, text } of rules) {
      expect(name).toMatch(/^Signalbox[A-Z]/);
      expect(text).toMatch(/severity: (?:page|ticket)/);
      expect(text).toContain('summary:');
      expect(text).toContain('description:');
    }
  });

  test('say only labels that their queries leave', () => {
    for (const { name, query, text } of rules) {
      const { groupings, selectors } = readPromql(query);
      const isGrouped = /^\s*(?:sum|histogram_quantile)/.test(query);
      const left = isGrouped
        ? groupings
        : selectors.flatMap(({ metric }) => [...(known.get(metric)?.keys() ?? [])]);
      const used = [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
      expect([name, used.filter((label) => !left.includes(label as string))]).toEqual([name, []]);
    }
  });
});
