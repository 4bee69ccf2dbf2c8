import { addExactness, type Exactness, isExact, NOTHING_DUE } from './ledger.ts';
import type { Row, Size } from './scenario.ts';
import type { SubjectName } from './subject.ts';
import { type Spread, spread } from './summary.ts';

/** One row of one run. */
export interface Measured extends Row {
  readonly scenario: string;
  readonly subject: SubjectName;
}

/** One case of one subject over all runs. */
export interface Finding {
  readonly scenario: string;
  readonly case: string;
  readonly subject: SubjectName;
  readonly runs: number;
  readonly figures: Readonly<Record<string, Spread>>;
  readonly exactness: Exactness;
}

/** What a run leaves behind, as JSON. */
export interface Result {
  readonly at: string;
  readonly size: Size;
  readonly minutes: number;
  readonly machine: Machine;
  readonly findings: readonly Finding[];
  readonly rows: readonly Measured[];
}

/** Where it was measured. */
export interface Machine {
  readonly node: string;
  readonly redis: string;
  readonly processor: string;
  readonly processors: number;
  readonly pinned: boolean;
  /** The system's load in the minute before. */
  readonly loadBefore: number;
}

/** Median and spread of every figure, in the order in which the cases came. */
export function findings(rows: readonly Measured[]): Finding[] {
  const groups = new Map<string, Measured[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.scenario, row.case, row.subject]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((runs) => {
    const [first] = runs as [Measured, ...Measured[]];
    const figures = Object.keys(first.figures).map(
      (name) => [name, spread(runs.map((run) => run.figures[name] ?? Number.NaN))] as const,
    );
    return {
      scenario: first.scenario,
      case: first.case,
      subject: first.subject,
      runs: runs.length,
      figures: Object.fromEntries(figures),
      exactness: runs.reduce((sum, run) => addExactness(sum, run.exactness), NOTHING_DUE),
    };
  });
}

/** Three significant digits, or whole numbers. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

const spreadText = ({ median, min, max }: Spread): string =>
  min === max ? digits(median) : `${digits(median)} (${digits(min)} to ${digits(max)})`;

const faultsOf = (exactness: Exactness): string => {
  if (isExact(exactness)) return 'exact';
  const { missing, duplicates, outOfOrder } = exactness;
  return `${missing} missing, ${duplicates} twice, ${outOfOrder} out of order`;
};

/** A table in Markdown for each scenario: a row for each case and subject. */
export function tables(all: readonly Finding[]): string {
  const scenarios = [...new Set(all.map(({ scenario }) => scenario))];
  return scenarios
    .map((scenario) => {
      const of = all.filter((finding) => finding.scenario === scenario);
      const names = [...new Set(of.flatMap(({ figures }) => Object.keys(figures)))];
      const head = ['case', 'subject', ...names, 'of all that was due'];
      const lines = of.map((finding) => [
        finding.case,
        finding.subject,
        ...names.map((name) => {
          const figure = finding.figures[name];
          return figure === undefined ? '' : spreadText(figure);
        }),
        faultsOf(finding.exactness),
      ]);
      const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      return [`### ${scenario}`, '', row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
    })
    .join('\n\n');
}

/** What Signalbox has of each figure, as a multiple of what each peer has in the same runs: medians. */
export function ratios(all: readonly Finding[]): string {
  const peers = [...new Set(all.map(({ subject }) => subject))].filter((subject) => subject !== 'signalbox');
  const lines = all
    .filter(({ subject }) => subject === 'signalbox')
    .flatMap((own) => {
      const theirs = peers.map((peer) =>
        all.find((f) => f.subject === peer && f.scenario === own.scenario && f.case === own.case),
      );
      return Object.entries(own.figures).map(([name, { median }]) => {
        const times = theirs.map((finding) => {
          const divisor = finding?.figures[name]?.median;
          return divisor === undefined || divisor === 0 ? '' : `× ${digits(median / divisor)}`;
        });
        return [own.scenario, own.case, name, digits(median), ...times];
      });
    });
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = ['scenario', 'case', 'figure', 'signalbox', ...peers.map((peer) => `to ${peer}`)];
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

/** A page in Markdown of everything that a run found. */
export function figuresPage(result: Result): string {
  const { at, size, minutes, machine, findings: all } = result;
  const runs = Math.max(...all.map((finding) => finding.runs));
  const { processors, processor, node, redis, pinned, loadBefore } = machine;
  return [
    '# Figures',
    '',
    '<!-- Made by `npm run bench`. -->',
    '',
    `On ${at.slice(0, 10)}, ${size} size, ${runs} runs, ${Math.round(minutes)} minutes: ${processors} × ${processor}, Node ${node}, ` +
      `Redis ${redis}, load before ${loadBefore.toFixed(2)}${pinned ? ', server and load on processors of their own' : ''}. ` +
      'The median of the runs, in brackets the lowest and the highest. What the scenarios, servers and figures are: ' +
      '[performance.md](../performance.md).',
    '',
    tables(all),
    '',
    '## As a multiple of the others',
    '',
    ratios(all),
    '',
  ].join('\n');
}
