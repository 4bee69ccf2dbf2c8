import { isExact } from './ledger.ts';
import type { Finding } from './report.ts';
import { SUBJECT_NAMES, type SubjectName } from './subject.ts';
import type { Spread } from './summary.ts';

/** A bar has one figure; a span goes from a lower one to a higher one, each of which may be missing. */
interface Shape {
  readonly title: string;
  readonly unit: string;
  readonly bar?: string;
  readonly span?: readonly [lower: string, higher: string];
  /** Where it is not less that is better. */
  readonly isMoreBetter?: true;
}

/** What is drawn of a run, in this order; figures that are in none of them are in the tables only. */
const SHAPES: readonly Shape[] = [
  { title: 'Processor time per delivery', unit: 'µs', bar: 'cpuUsPerDelivery' },
  { title: 'Processor time per event', unit: 'µs', bar: 'cpuUsPerEvent' },
  { title: 'Processor time per connection', unit: 'µs', bar: 'cpuUsPerConnection' },
  { title: 'Memory per socket', unit: 'kB', bar: 'residentKBPerSocket' },
  { title: 'Of one processor, spent on pings', unit: '%', bar: 'idleCpuPercent' },
  { title: 'Latency', unit: 'ms', span: ['p50Ms', 'p99Ms'] },
  { title: 'Latency of the good ones', unit: 'ms', span: ['goodP50Ms', 'goodP99Ms'] },
  { title: 'All caught up after', unit: 'ms', bar: 'caughtUpMs' },
  { title: 'Replay, from the return of a client', unit: 'ms', span: ['replayP50Ms', 'replayP99Ms'] },
  { title: 'Latency of the live ones meanwhile', unit: 'ms', span: ['liveP50Ms', 'liveP99Ms'] },
  { title: 'Memory grown by, for each stuck one', unit: 'MB', bar: 'grownMBPerStuck' },
  { title: 'Deliveries per second', unit: '', bar: 'deliveriesPerS', isMoreBetter: true },
  { title: 'Connections per second', unit: '', bar: 'connectionsPerS', isMoreBetter: true },
];

/** What one server has in one case. */
export interface Mark {
  readonly subject: SubjectName;
  readonly case: string;
  /** Lost, doubled or disordered something: what it has beside that is not comparable. */
  readonly isFaulty: boolean;
  /** Of a span only. */
  readonly lower?: Spread;
  readonly value: Spread;
}

/** One chart of a scenario. */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly isSpan: boolean;
  readonly isMoreBetter: boolean;
  readonly subjects: readonly SubjectName[];
  readonly cases: readonly string[];
  readonly marks: readonly Mark[];
}

function markOf(finding: Finding, { bar, span }: Shape): Mark | undefined {
  const value = finding.figures[bar ?? span?.[1] ?? ''];
  const lower = finding.figures[span?.[0] ?? ''];
  if (value === undefined || !Number.isFinite(value.median)) return undefined;
  return {
    subject: finding.subject,
    case: finding.case,
    isFaulty: !isExact(finding.exactness),
    ...(lower === undefined ? {} : { lower }),
    value,
  };
}

/** The charts of one scenario: those for which it has figures. */
export function panelsOf(all: readonly Finding[], scenario: string): Panel[] {
  const own = all.filter((finding) => finding.scenario === scenario);
  return SHAPES.flatMap((shape) => {
    const marks = own.flatMap((finding) => markOf(finding, shape) ?? []);
    if (marks.length === 0) return [];
    const subjects = SUBJECT_NAMES.filter((name) => marks.some(({ subject }) => subject === name));
    const cases = [...new Set(marks.map((mark) => mark.case))];
    return [
      {
        title: shape.title,
        unit: shape.unit,
        isSpan: shape.span !== undefined,
        isMoreBetter: shape.isMoreBetter ?? false,
        subjects,
        cases,
        marks,
      },
    ];
  });
}
