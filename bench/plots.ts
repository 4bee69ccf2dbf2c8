import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { type DrawnElement, JSDOM } from 'jsdom';
import { type Mark, type Panel, panelsOf } from './panels.ts';
import { digits, type Result } from './report.ts';
import type { SubjectName } from './subject.ts';
import type { Spread } from './summary.ts';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 760;
const MARGIN = { left: 88, right: 150 } as const;
const ROW = 21;
const SPAN_ROW = 25;
const FACET_GAP = 26;
const PANEL_TITLE = 26;
const AXIS = 30;
const HEAD = 62;
const FOOT = 34;
const CAP_INSET = 5;
const SPAN_WHISKER = 7;
const MAX_TICKS = 8;
const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

// On a background of its own, so that it reads the same on a light page and on a dark one.
const COLOUR = {
  background: '#ffffff',
  text: '#1f2733',
  faint: '#5b6675',
  grid: '#e3e7ec',
  whisker: '#2f3947',
  signalbox: '#1668c7',
  peer: '#aab4c0',
} as const;

const TITLES: Readonly<Record<string, string>> = {
  broadcast: 'One channel that everybody listens to',
  sse: 'Streams beside WebSockets of the same server',
  unicast: 'Many channels with two sockets each',
  elsewhere: 'Events that nobody here listens to',
  connect: 'Clients that come at once, each with a token',
  storm: 'Everybody comes back at once, each some events behind',
  idle: 'Idle sockets, each on a channel of its own',
  'idle-shared': 'Idle sockets on one channel',
  slow: 'Some clients stop reading beside others that do not',
  jitter: 'Clients that drop and come back all the time',
  workers: 'Two workers against one',
};

const { window } = new JSDOM();
const { document } = window;

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  text?: string,
): DrawnElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

const words = (x: number, y: number, size: number, text: string, more: Record<string, string> = {}) =>
  element('text', { x, y, 'font-size': size, fill: COLOUR.text, ...more }, text);

const colourOf = ({ subject }: { subject: SubjectName }): string =>
  subject === 'signalbox' ? COLOUR.signalbox : COLOUR.peer;

const endOf = ({ value, lower }: Mark): number => Math.max(value.max, lower?.max ?? 0);

const labelOf = (mark: Mark, unit: string): string => {
  const numbers = [...(mark.lower === undefined ? [] : [mark.lower]), mark.value];
  const figures = numbers.map(({ median }) => digits(median)).join(' – ');
  return `${figures}${unit === '' ? '' : ` ${unit}`}${mark.isFaulty ? ' *' : ''}`;
};

/** From the lowest to the highest of all runs, at `dy` from the middle of a row. */
function whiskers(marks: readonly Mark[], of: (mark: Mark) => Spread | undefined, dy = 0) {
  const ranged = marks.filter((mark) => {
    const spread = of(mark);
    return spread !== undefined && spread.min < spread.max;
  });
  const min = (mark: Mark): number | undefined => of(mark)?.min;
  const max = (mark: Mark): number | undefined => of(mark)?.max;
  // With a light edge, to be seen on a bar too.
  return [
    { stroke: COLOUR.background, strokeWidth: 3 },
    { stroke: COLOUR.whisker, strokeWidth: 1.2 },
  ].flatMap((stroke) => {
    const place = { y: 'subject', fy: 'case', dy, ...stroke } as const;
    const cap = { ...place, insetTop: CAP_INSET, insetBottom: CAP_INSET } as const;
    return [
      Plot.ruleY(ranged, { ...place, x1: min, x2: max }),
      Plot.tickX(ranged, { ...cap, x: min }),
      Plot.tickX(ranged, { ...cap, x: max }),
    ];
  });
}

const labels = (marks: readonly Mark[], unit: string) =>
  [true, false].map((isOwn) =>
    Plot.text(
      marks.filter(({ subject }) => (subject === 'signalbox') === isOwn),
      {
        x: endOf,
        y: 'subject',
        fy: 'case',
        text: (mark) => labelOf(mark, unit),
        textAnchor: 'start',
        dx: 9,
        fill: COLOUR.text,
        fontWeight: isOwn ? 'bold' : 'normal',
      },
    ),
  );

const bars = (marks: readonly Mark[]) => [
  Plot.barX(marks, { x: (mark) => mark.value.median, y: 'subject', fy: 'case', fill: colourOf }),
  ...whiskers(marks, ({ value }) => value),
];

const spans = (marks: readonly Mark[]) => {
  const row = { y: 'subject', fy: 'case' } as const;
  const both = marks.filter(({ lower }) => lower !== undefined);
  const dot = { ...row, r: 4.5, stroke: colourOf, strokeWidth: 2 } as const;
  return [
    Plot.ruleY(both, {
      ...row,
      x1: (mark) => mark.lower?.median,
      x2: (mark) => mark.value.median,
      stroke: colourOf,
      strokeWidth: 4,
      strokeOpacity: 0.5,
    }),
    // The two ranges often overlap.
    ...whiskers(both, ({ lower }) => lower, -SPAN_WHISKER),
    ...whiskers(marks, ({ value }) => value, SPAN_WHISKER),
    Plot.dot(both, { ...dot, x: (mark) => mark.lower?.median, fill: COLOUR.background }),
    Plot.dot(marks, { ...dot, x: (mark) => mark.value.median, fill: colourOf }),
  ];
};

/** 1, 2, 5, 10, 20, …; only powers of ten where those would be too many. */
function logarithmicTicks(from: number, to: number): number[] {
  const first = Math.floor(Math.log10(from));
  const powers = Array.from({ length: Math.ceil(Math.log10(to)) - first + 1 }, (_, at) => 10 ** (first + at));
  const all = powers.flatMap((power) => [power, 2 * power, 5 * power]).filter((at) => at >= from && at <= to);
  return all.length <= MAX_TICKS ? all : all.filter((at) => powers.includes(at));
}

/** Latencies differ by orders of magnitude; all else is compared by its length. */
function scaleOf({ isSpan, marks }: Panel): { scale: object; ticks: number[] | number } {
  const highest = Math.max(...marks.map(endOf));
  if (!isSpan) return { scale: { domain: [0, highest === 0 ? 1 : highest] }, ticks: 6 };
  const lows = marks.map(({ lower, value }) => lower?.min ?? value.min).filter((low) => low > 0);
  const [from, to] = [Math.min(...lows.map((low) => low / 1.6), highest / 10), Math.max(highest, 0.01)];
  return { scale: { type: 'log', domain: [from, to] }, ticks: logarithmicTicks(from, to) };
}

const plotHeight = ({ cases, subjects, isSpan }: Panel): number =>
  cases.length * (subjects.length * (isSpan ? SPAN_ROW : ROW) + FACET_GAP) + AXIS;

function plotOf(panel: Panel): DrawnElement {
  const { marks, cases, subjects, unit, isSpan } = panel;
  const height = plotHeight(panel);
  const { scale, ticks } = scaleOf(panel);
  const options: unknown = {
    document,
    width: WIDTH,
    height,
    marginTop: 0,
    marginBottom: AXIS,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    style: { fontFamily: FONT, fontSize: '12px', color: COLOUR.text },
    className: 'plot',
    x: { ...scale, label: null },
    y: { domain: subjects, label: null, padding: 0.24, insetTop: FACET_GAP - 4 },
    fy: { domain: cases, label: null, axis: null, padding: 0 },
    marks: [
      Plot.gridX({ ticks, stroke: COLOUR.grid, strokeOpacity: 1, insetTop: FACET_GAP }),
      // As `text`, since d3 leaves labels out of logarithmic axes otherwise.
      Plot.axisX({ ticks, text: digits, tickSize: 0, color: COLOUR.faint }),
      Plot.axisY({ tickSize: 0 }),
      ...(isSpan ? spans(marks) : bars(marks)),
      ...labels(marks, unit),
      Plot.text(cases, {
        fy: (name) => name,
        text: (name) => name,
        frameAnchor: 'top-left',
        dy: 8,
        fill: COLOUR.faint,
        fontWeight: 'bold',
      }),
    ],
  };
  const drawn: unknown = Plot.plot(options as Plot.PlotOptions);
  return drawn as DrawnElement;
}

const titleOf = ({ title, unit, isSpan, isMoreBetter, marks }: Panel): string => {
  const isPair = marks.some(({ lower }) => lower !== undefined);
  const what = isSpan ? (isPair ? ', p50 (ring) to p99 (dot)' : ', p99') : '';
  return `${title}${what}${unit === '' ? '' : `, ${unit}`}${isSpan ? ', logarithmic' : ''}: ${isMoreBetter ? 'more' : 'less'} is better`;
};

/** All charts of one scenario below each other, as the text of an SVG. The same figures give the same text. */
export function svgOf({ findings, at, machine }: Result, scenario: string): string {
  const panels = panelsOf(findings, scenario);
  const height = HEAD + FOOT + panels.reduce((sum, panel) => sum + PANEL_TITLE + plotHeight(panel), 0);
  const title = `${scenario}: ${TITLES[scenario] ?? ''}`;
  const svg = element('svg', {
    xmlns: SVG,
    width: WIDTH,
    height,
    viewBox: `0 0 ${WIDTH} ${height}`,
    'font-family': FONT,
    role: 'img',
  });
  const runs = Math.max(...findings.filter((f) => f.scenario === scenario).map((f) => f.runs));
  const isFaulty = panels.some(({ marks }) => marks.some((mark) => mark.isFaulty));
  const how = runs === 1 ? 'One run' : `Median of ${runs} runs; whiskers from the lowest to the highest`;
  const note = isFaulty ? '. * lost, doubled or disordered events' : '';
  svg.append(
    element('title', {}, title),
    element('rect', { width: WIDTH, height, fill: COLOUR.background }),
    words(16, 28, 17, title, { 'font-weight': 'bold' }),
    words(16, 48, 12, `${how}${note}`, { fill: COLOUR.faint }),
  );
  let y = HEAD;
  for (const panel of panels) {
    svg.append(words(16, y + 18, 13, titleOf(panel), { 'font-weight': 'bold' }));
    const plot = plotOf(panel);
    plot.setAttribute('y', String(y + PANEL_TITLE));
    svg.append(plot);
    y += PANEL_TITLE + plotHeight(panel);
  }
  const where = `${at.slice(0, 10)} · Node ${machine.node.slice(1)} · Redis ${machine.redis} · ${machine.processors} × ${machine.processor}`;
  svg.append(words(16, y + 18, 11, where, { fill: COLOUR.faint }));
  return `${new window.XMLSerializer().serializeToString(svg)}\n`;
}

/** An SVG for each scenario of a run of which there is something to draw; the files. */
export async function drawPlots(result: Result, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const { findings } = result;
  const scenarios = [...new Set(findings.map(({ scenario }) => scenario))].filter(
    (scenario) => panelsOf(findings, scenario).length > 0,
  );
  return Promise.all(
    scenarios.map(async (scenario) => {
      const file = join(folder, `${scenario}.svg`);
      await writeFile(file, svgOf(result, scenario));
      return file;
    }),
  );
}
