import { describe, expect, test } from '@jest/globals';
import type { AnyStateMachine } from 'xstate';
import { channelMachine } from '../../machines/channel.machine.ts';
import { readerMachine } from '../../machines/reader.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import { type Box, type ChartLayout, layoutChart, litPaths, ROW } from '../../panel/chart/layout.ts';
import type { ChartNode } from '../../src/inspect/api.ts';
import { chartOf } from '../../src/inspect/chart.ts';

const SIZES = { columns: 3, characterWidth: 6.7, maxCharacters: 27 };
const machines = [
  ['socket', socketMachine],
  ['channel', channelMachine],
  ['reader', readerMachine],
] as const;
const chart = (machine: unknown) => chartOf(machine as AnyStateMachine);

const boxAt = ({ boxes }: ChartLayout, path: string): Box => {
  const box = boxes.find((each) => each.path === path);
  if (box === undefined) throw new Error(`no box ${path}`);
  return box;
};
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));
const isInside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width + 0.001 &&
  inner.y + inner.height <= outer.y + outer.height;
const meet = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width - 0.001 && b.x < a.x + a.width - 0.001 && a.y < b.y + b.height && b.y < a.y + a.height;
const nodesOf = (node: ChartNode): ChartNode[] => [node, ...node.states.flatMap(nodesOf)];

describe.each(machines)('the %s machine, laid out', (_name, machine) => {
  describe.each([1, 3])('with %d regions side by side', (columns) => {
    const laid = layoutChart(chart(machine), { ...SIZES, columns });

    test('has a box for every state, inside of its parent, over none of its neighbours', () => {
      expect(laid.boxes.map(({ path }) => path).sort()).toEqual(
        nodesOf(chart(machine).root)
          .map(({ path }) => path)
          .sort(),
      );
      for (const box of laid.boxes) {
        if (box.path === '') continue;
        expect(isInside(box, boxAt(laid, parentOf(box.path)))).toBe(true);
        const others = laid.boxes.filter((other) => other !== box && other.depth === box.depth);
        expect(others.filter((other) => meet(box, other))).toEqual([]);
      }
      expect(isInside(boxAt(laid, ''), { ...boxAt(laid, ''), width: laid.width, height: laid.height })).toBe(
        true,
      );
    });

    test('writes every transition inside of its state, above what is in it', () => {
      for (const node of nodesOf(chart(machine).root)) {
        const box = boxAt(laid, node.path);
        expect(box.lines).toHaveLength(node.transitions.length);
        const children = laid.boxes.filter(
          ({ path }) => path !== '' && path !== node.path && parentOf(path) === node.path,
        );
        const end = Math.min(box.y + box.height, ...children.map(({ y }) => y));
        for (const { y, rows } of box.lines) {
          expect(y).toBeGreaterThan(box.y + 20);
          expect(y + (rows.length - 1) * ROW).toBeLessThan(end);
          for (const row of rows) expect(row.length * SIZES.characterWidth).toBeLessThanOrEqual(box.width);
        }
      }
    });

    test('leads every way between neighbours through the gutter of their parent', () => {
      for (const { from, x, toX, fromX } of laid.tracks) {
        const parent = boxAt(laid, parentOf(from));
        expect(x).toBeGreaterThan(Math.max(fromX, toX));
        expect(x).toBeLessThan(parent.x + parent.width);
      }
    });
  });
});

describe('the socket machine', () => {
  const laid = layoutChart(chart(socketMachine), SIZES);

  test('has its regions side by side, and below each other where there is no room', () => {
    const [delivery, heartbeat] = ['open.delivery', 'open.heartbeat'].map((path) => boxAt(laid, path));
    expect(delivery?.y).toBe(heartbeat?.y);
    expect(delivery?.isRegion).toBe(true);
    const narrow = layoutChart(chart(socketMachine), { ...SIZES, columns: 1 });
    expect(boxAt(narrow, 'open.delivery').x).toBe(boxAt(narrow, 'open.heartbeat').x);
    expect(narrow.width).toBeLessThan(laid.width);
  });

  test('begins where it says', () => {
    expect(laid.boxes.filter(({ isInitial }) => isInitial).map(({ path }) => path)).toEqual([
      'connecting',
      'open.delivery.replaying',
      'open.delivery.replaying.catchingUp',
      'open.heartbeat.idle',
      'open.heartbeat.unanswered.awaiting',
      'open.credential.lasting',
    ]);
  });

  test('draws the ways of a state to its neighbours, and only writes those that leave its parent', () => {
    const ways = laid.tracks.map(({ from, to, event }) => `${from} ${event} ${to}`);
    expect(ways).toContain('connecting socket.opened open');
    expect(ways).toContain('open.delivery.live transport.filled open.delivery.replaying.blocked');
    expect(ways.filter((way) => way.includes('slowConsumerTimeout'))).toEqual([]);
    expect(boxAt(laid, 'open.delivery.replaying.blocked').lines.map(({ rows }) => rows.join(''))).toContain(
      'after slowConsumerTimeout  → closing',
    );
  });
});

test('what is active is lit, and everything around it', () => {
  expect([...litPaths(['open.delivery.live', 'open.heartbeat.idle'])].sort()).toEqual([
    'open',
    'open.delivery',
    'open.delivery.live',
    'open.heartbeat',
    'open.heartbeat.idle',
  ]);
});
