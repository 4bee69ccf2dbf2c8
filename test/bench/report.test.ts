import { describe, expect, test } from '@jest/globals';
import { NOTHING_DUE } from '../../bench/ledger.ts';
import { digits, findings, type Measured, ratios, tables, figuresPage } from '../../bench/report.ts';

const row = (cost: number, fault: Partial<Measured['exactness']> = {}): Measured => ({
  scenario: 'storm',
  case: 'all',
  subject: 'signalbox',
  figures: { cost },
  exactness: { ...NOTHING_DUE, due: 10, received: 10, ...fault },
});

describe('findings', () => {
  test('are the median and the spread of the runs of one case', () => {
    const [found] = findings([row(1), row(5), row(2)]);
    expect(found).toMatchObject({ runs: 3, figures: { cost: { median: 2, min: 1, max: 5 } } });
  });

  test('add up what was due: one bad run is seen', () => {
    const [found] = findings([row(1), row(1, { missing: 1 })]);
    expect(found?.exactness).toEqual({ due: 20, received: 20, missing: 1, duplicates: 0, outOfOrder: 0 });
  });

  test('keep cases and subjects apart', () => {
    const others: Measured[] = [
      { ...row(1), case: 'some' },
      { ...row(1), subject: 'bare' },
    ];
    expect(findings([row(1), ...others])).toHaveLength(3);
  });
});

describe('the tables', () => {
  test('have a row for each case and subject, with figures that only some have', () => {
    const other: Measured = { ...row(4, { duplicates: 2 }), subject: 'sidecar', figures: { sent: 12_345 } };
    expect(tables(findings([row(1.234), row(2), other])).split('\n')).toEqual([
      '### storm',
      '',
      '| case | subject | cost | sent | of all that was due |',
      '| --- | --- | --- | --- | --- |',
      '| all | signalbox | 1.62 (1.23 to 2) |  | exact |',
      '| all | sidecar |  | 12,345 | 0 missing, 2 twice, 0 out of order |',
    ]);
  });

  test.each([
    [0.01234, '0.0123'],
    [12.345, '12.3'],
    [1234.5, '1,235'],
    [Number.NaN, '–'],
  ])('write %d as %s', (value, text) => {
    expect(digits(value)).toBe(text);
  });
});

describe('the ratios', () => {
  test('are those of medians to what each peer has of the same figure', () => {
    const sidecar: Measured[] = [4, 8].map((cost) => ({ ...row(cost), subject: 'sidecar' }));
    expect(ratios(findings([row(1), row(5), ...sidecar])).split('\n')).toEqual([
      '| scenario | case | figure | signalbox | to sidecar |',
      '| --- | --- | --- | --- | --- |',
      '| storm | all | cost | 3 | × 0.5 |',
    ]);
  });

  test('have a column for every peer that took part anywhere, and no others', () => {
    const rows: Measured[] = [
      row(1),
      { ...row(1), case: 'some' },
      { ...row(4), subject: 'socketio' },
      { ...row(2), case: 'some', subject: 'nchan' },
    ];
    expect(ratios(findings(rows)).split('\n')).toEqual([
      '| scenario | case | figure | signalbox | to socketio | to nchan |',
      '| --- | --- | --- | --- | --- | --- |',
      '| storm | all | cost | 1 | × 0.25 |  |',
      '| storm | some | cost | 1 |  | × 0.5 |',
    ]);
  });
});

test('the page of figures says when and where, and has every table', () => {
  const found = findings([row(3), { ...row(6), subject: 'sidecar' }]);
  const machine = { node: 'v20', redis: '7', processor: 'P', processors: 2, pinned: true, loadBefore: 0.5 };
  const page = figuresPage({
    at: '2026-11-25T16:00:00.000Z',
    size: 'usual',
    minutes: 24.6,
    machine,
    findings: found,
    rows: [],
  });
  expect(page).toContain('On 2026-11-25, usual size, 1 runs, 25 minutes: 2 × P');
  expect(page).toContain(tables(found));
  expect(page).toContain(ratios(found));
});
