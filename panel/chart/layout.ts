import type { Chart, ChartEdge, ChartNode } from '../../src/inspect/api.ts';
import { inLanes } from './lanes.ts';

/**
 * Where the parts of a machine are drawn: states stand below each other in the box of their parent, regions that run
 * side by side stand side by side, and the way from one state to its neighbour runs in a gutter to the right of both.
 * A way that leaves its parent is only written, as a line of its state: drawn, it would cross everything.
 */
export interface ChartLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly tracks: readonly Track[];
}

export interface Box {
  readonly path: string;
  readonly title: string;
  readonly type: ChartNode['type'];
  readonly isInitial: boolean;
  /** A region of a parallel state. */
  readonly isRegion: boolean;
  readonly depth: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly Line[];
}

/** One transition, as text: in a second row where it goes to, if one is too short for it. */
export interface Line {
  readonly rows: readonly string[];
  /** With its guard and actions, which may be too long to be drawn. */
  readonly whole: string;
  /** Of its first row. */
  readonly y: number;
}

/** One drawn way: from a line of a state into the gutter, along it, and to another state. */
export interface Track {
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly x: number;
  readonly fromX: number;
  readonly fromY: number;
  readonly toX: number;
  readonly toY: number;
}

export interface ChartSizes {
  /** How many regions stand side by side at most. */
  readonly columns: number;
  readonly characterWidth: number;
  readonly maxCharacters: number;
}

const HEADER = 30;
/** Of one row of text, and below the last of a transition. */
export const ROW = 15;
const BELOW_LINE = 4;
const PADDING = 12;
const GAP = 14;
const LANE = 13;
const LEAST_WIDTH = 132;

interface Sized {
  readonly node: ChartNode;
  readonly lines: readonly Omit<Line, 'y'>[];
  /** Rows of children: a compound state has one in each. */
  readonly rows: readonly (readonly Sized[])[];
  /** Ways between its children, with the lane of each. */
  readonly ways: readonly Way[];
  readonly lanes: number;
  readonly width: number;
  readonly height: number;
}

interface Way {
  readonly from: number;
  readonly line: number;
  readonly to: number;
  readonly edge: ChartEdge;
  readonly lane: number;
}

/** The machine's own name is known from its heading; within a sibling's path only the last part tells something. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1) || path;

function lineOf(edge: ChartEdge, { maxCharacters }: ChartSizes): Omit<Line, 'y'> {
  const to = edge.targets.length === 0 ? '' : ` → ${edge.targets.map(nameOf).join(', ')}`;
  const guard = edge.guard === undefined ? '' : ` [${edge.guard}]`;
  const actions = edge.actions.length === 0 ? '' : ` / ${edge.actions.join(', ')}`;
  const what = `${edge.event}${guard}`;
  const rows = what.length + to.length <= maxCharacters || to === '' ? [what + to] : [what, ` ${to}`];
  return {
    rows: rows.map((row) => (row.length > maxCharacters ? `${row.slice(0, maxCharacters - 1)}…` : row)),
    whole: `${edge.event}${guard}${edge.targets.length === 0 ? '' : ` → ${edge.targets.join(', ')}`}${actions}`,
  };
}

/** The child of a state that a path is, or is inside of; -1: none. */
const childAt = (children: readonly ChartNode[], path: string): number =>
  children.findIndex((child) => path === child.path || path.startsWith(`${child.path}.`));

function waysBetween(children: readonly ChartNode[]): Omit<Way, 'lane'>[] {
  return children.flatMap(({ transitions }, from) =>
    transitions.flatMap((edge, line) => {
      const [target] = edge.targets;
      const to = target === undefined ? -1 : childAt(children, target);
      return to === -1 || to === from ? [] : [{ from, line, to, edge }];
    }),
  );
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const found: Item[][] = [];
  for (let at = 0; at < items.length; at += size) found.push(items.slice(at, at + size));
  return found;
}

const heightOf = (lines: readonly Pick<Line, 'rows'>[]): number =>
  lines.length === 0 ? 0 : 6 + sum(lines.map(({ rows }) => rows.length * ROW + BELOW_LINE));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const most = (values: readonly number[]): number => Math.max(0, ...values);

function sized(node: ChartNode, sizes: ChartSizes): Sized {
  const lines = node.transitions.map((edge) => lineOf(edge, sizes));
  const children = node.states.map((child) => sized(child, sizes));
  const isParallel = node.type === 'parallel';
  const rows = isParallel ? chunks(children, Math.max(1, sizes.columns)) : children.map((child) => [child]);
  const ways = isParallel ? [] : inLanes(waysBetween(node.states));
  const lanes = ways.length === 0 ? 0 : most(ways.map(({ lane }) => lane)) + 1;
  const text =
    most([node.key.length + 8, ...lines.flatMap(({ rows: texts }) => texts.map((each) => each.length))]) *
    sizes.characterWidth;
  const inner = most(rows.map((row) => sum(row.map(({ width }) => width)) + GAP * (row.length - 1)));
  const gutter = lanes === 0 ? 0 : GAP + lanes * LANE;
  const below = sum(rows.map((row) => most(row.map(({ height }) => height)) + GAP));
  return {
    node,
    lines,
    rows,
    ways,
    lanes,
    width: Math.max(LEAST_WIDTH, text + 2 * PADDING, inner + gutter + 2 * PADDING),
    height: HEADER + heightOf(lines) + below,
  };
}

interface Parent {
  readonly type: ChartNode['type'];
  readonly initial: string | undefined;
  readonly depth: number;
}

function place(
  part: Sized,
  x: number,
  y: number,
  width: number,
  height: number,
  parent: Parent,
): ChartLayout {
  const { node } = part;
  const boxes: Box[] = [
    {
      path: node.path,
      title: node.key,
      type: node.type,
      isInitial: parent.type !== 'parallel' && parent.initial === node.path,
      isRegion: parent.type === 'parallel',
      depth: parent.depth,
      x,
      y,
      width,
      height,
      lines: part.lines.map((line, at) => ({
        ...line,
        y: y + HEADER + 9 + heightOf(part.lines.slice(0, at)) - (at > 0 ? 6 : 0),
      })),
    },
  ];
  const tracks: Track[] = [];
  const gutter = part.lanes === 0 ? 0 : GAP + part.lanes * LANE;
  const room = width - 2 * PADDING - gutter;
  const firsts: Box[] = [];
  let top = y + HEADER + heightOf(part.lines);
  for (const row of part.rows) {
    const rowHeight = most(row.map((child) => child.height));
    // What is left over goes to all alike, so that regions fill their row.
    const spare = (room - sum(row.map((child) => child.width)) - GAP * (row.length - 1)) / row.length;
    let left = x + PADDING;
    for (const child of row) {
      const isAlone = node.type !== 'parallel';
      const inner = place(child, left, top, child.width + spare, isAlone ? child.height : rowHeight, {
        type: node.type,
        initial: node.initial,
        depth: parent.depth + 1,
      });
      const [own] = inner.boxes;
      if (own !== undefined) firsts.push(own);
      boxes.push(...inner.boxes);
      tracks.push(...inner.tracks);
      left += child.width + spare + GAP;
    }
    top += rowHeight + GAP;
  }
  for (const { from, line, to, edge, lane } of part.ways) {
    const source = firsts[from];
    const target = firsts[to];
    if (source === undefined || target === undefined) continue;
    tracks.push({
      from: source.path,
      to: edge.targets[0] ?? target.path,
      event: edge.event,
      x: x + width - PADDING - (part.lanes - lane - 0.5) * LANE,
      fromX: source.x + source.width,
      fromY: (source.lines[line]?.y ?? source.y + HEADER / 2) - 4,
      toX: target.x + target.width,
      toY: target.y + HEADER / 2,
    });
  }
  return { width, height, boxes, tracks };
}

/** Lays a machine out; the root is the box around everything. */
export function layoutChart({ root }: Chart, sizes: ChartSizes): ChartLayout {
  const part = sized(root, sizes);
  return place(part, 0, 0, part.width, part.height, { type: 'compound', initial: undefined, depth: 0 });
}

/** The paths that are lit: active leaves, and everything around them. */
export function litPaths(active: readonly string[]): ReadonlySet<string> {
  const lit = new Set<string>();
  for (const leaf of active) {
    const parts = leaf.split('.');
    for (let length = 1; length <= parts.length; length += 1) lit.add(parts.slice(0, length).join('.'));
  }
  return lit;
}
