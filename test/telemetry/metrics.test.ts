import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { HOOK_NAMES } from '../../src/config/schema/hooks.ts';
import type { MetricDefinition } from '../../src/telemetry/metric.ts';
import { METRICS, SUBJECTS } from '../../src/telemetry/metrics.ts';

const definitions = Object.entries<MetricDefinition>(METRICS);
const isMetric = (name: string): boolean => name in METRICS;

interface Use {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly labels: readonly string[];
}

const KINDS: Readonly<Record<string, string>> = { count: 'counter', gauge: 'gauge', record: 'histogram' };

/** What is between the parenthesis at `at` and the one that closes it. */
const argumentsAt = (text: string, at: number): string => {
  let depth = 0;
  for (let end = at; end < text.length; end += 1) {
    if (text[end] === '(') depth += 1;
    if (text[end] === ')') depth -= 1;
    if (depth === 0) return text.slice(at + 1, end);
  }
  throw new Error('a call that does not end');
};

/** Every call in the source that measures something: of which kind, which metric, and the names of its labels. */
const uses: readonly Use[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const source = readFileSync(`src/${file}`, 'utf8');
    return [...source.matchAll(/\.(count|gauge|record)\(/g)].flatMap(({ 0: head, 1: verb = '', index }) => {
      const args = argumentsAt(source, index + head.length - 1);
      const names = [...args.matchAll(/'((?:signalbox\.|ws_)[a-z_]+)'/g)].map(([, name = '']) => name);
      const object = /\{([^}]*)\}[\s,]*$/.exec(args)?.[1] ?? '';
      const labels = [...object.matchAll(/(?:^|,)\s*(\w+)/g)].map(([, label = '']) => label);
      return names.map((name) => ({ file, kind: KINDS[verb] ?? verb, name, labels }));
    });
  });

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

  test('has every subject in it, and nothing twice', () => {
    const listed = Object.values(SUBJECTS).flatMap((subject) => Object.keys(subject));
    expect(listed).toEqual(definitions.map(([name]) => name));
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('has the unit of a time or of bytes in its name', () => {
    const wrong = definitions.filter(
      ([name, { unit }]) =>
        (unit === 'ms') !== name.endsWith('_ms') || (unit === 'bytes') !== name.endsWith('_bytes'),
    );
    expect(wrong).toEqual([]);
  });

  test('has labels of a few values, which are plain words', () => {
    for (const [name, { labels = {} }] of definitions) {
      const sets = Object.values(labels);
      for (const values of sets) {
        expect([name, values.filter((value) => !/^[a-zA-Z_]+$/.test(value))]).toEqual([name, []]);
        expect([name, new Set(values).size]).toEqual([name, values.length]);
      }
      const series = sets.reduce((product, values) => product * values.length, 1);
      expect([name, series <= 100]).toEqual([name, true]);
    }
  });

  test('has the hooks that the configuration has', () => {
    expect(METRICS['signalbox.hook_requests'].labels.hook).toEqual([...HOOK_NAMES]);
  });

  test('has histograms whose bounds rise', () => {
    for (const [name, metric] of definitions) {
      if (metric.type !== 'histogram') continue;
      const sorted = [...new Set(metric.buckets)].sort((a, b) => a - b);
      expect([name, metric.buckets]).toEqual([name, sorted]);
    }
  });
});

describe('the source', () => {
  test.each([
    ['prom-client', 'telemetry/prometheus.ts'],
    ['hot-shots', 'telemetry/statsd.ts'],
  ])('knows %s in one file', (name, expected) => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && readFileSync(`src/${file}`, 'utf8').includes(`'${name}'`),
    );
    expect(files).toEqual([expected]);
  });

  test('measures everything that the table has', () => {
    const measured = new Set(uses.map(({ name }) => name));
    expect(definitions.map(([name]) => name).filter((name) => !measured.has(name))).toEqual([]);
  });

  test('measures nothing that the table has not, nor as what it is not', () => {
    expect(uses.length).toBeGreaterThanOrEqual(definitions.length);
    const wrong = uses.filter(
      ({ name, kind }) => !isMetric(name) || METRICS[name as keyof typeof METRICS].type !== kind,
    );
    expect(wrong).toEqual([]);
  });

  test('gives each metric the labels that the table has for it', () => {
    const table = Object.fromEntries(
      definitions.map(([name, { labels = {} }]) => [name, Object.keys(labels).sort()]),
    );
    const wrong = uses.filter(({ name, labels }) => [...labels].sort().join() !== table[name]?.join());
    expect(wrong).toEqual([]);
  });
});
