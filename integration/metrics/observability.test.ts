import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { dashboardQueries } from '../../test/support/observability.ts';
import { needPromtool, promtool } from './promtool.ts';

const FOLDER = 'examples/observability';

describe('what Prometheus says of examples/observability', () => {
  beforeAll(needPromtool);

  test('the alert rules are rules', async () => {
    const { code, said } = await promtool(['check', 'rules', `${FOLDER}/alerts.yml`]);
    expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  test('the alerts go off when they should, and not when they should not', async () => {
    const { code, said } = await promtool(['test', 'rules', `${FOLDER}/alerts.test.yml`]);
    expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  test('the configuration is one', async () => {
    const args = ['check', 'config', '--syntax-only', `${FOLDER}/prometheus.yml`];
    const { code, said } = await promtool(args);
    expect([code, said]).toEqual([0, expect.stringContaining('valid prometheus config')]);
  });

  test('the queries of the dashboard are queries', async () => {
    const queries = dashboardQueries(readFileSync(`${FOLDER}/dashboard.json`, 'utf8'));
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-queries-'));
    // JSON is YAML; a rule for each, because promtool reads queries in rules only.
    const rulesOf = (exprs: readonly string[]): string => {
      const file = join(folder, 'rules.yml');
      const rules = exprs.map((expr, at) => ({ record: `query:${at}`, expr }));
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      return file;
    };
    try {
      const { code, said } = await promtool(['check', 'rules', rulesOf(queries.map(({ query }) => query))]);
      expect([code, said]).toEqual([0, expect.stringContaining(`${queries.length} rules found`)]);
      expect((await promtool(['check', 'rules', rulesOf(['sum by (signalbox_ready)'])])).code).not.toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
