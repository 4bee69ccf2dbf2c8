import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { inLanes } from '../../panel/chart/lanes.ts';

const way = fc.record({ from: fc.nat(8), to: fc.nat(8) }).filter(({ from, to }) => from !== to);

const doMeet = (a: Way, b: Way): boolean =>
  Math.min(a.from, a.to) <= Math.max(b.from, b.to) && Math.min(b.from, b.to) <= Math.max(a.from, a.to);
interface Way {
  readonly from: number;
  readonly to: number;
}

describe('the lanes of a gutter', () => {
  test('ways to one place share theirs, and ways to different places never run over each other', () => {
    fc.assert(
      fc.property(fc.array(way), (ways) => {
        const placed = inLanes(ways);
        expect(placed.map(({ from, to }) => ({ from, to }))).toEqual(ways);
        const laneOf = new Map(placed.map(({ to, lane }) => [to, lane]));
        expect(placed.filter(({ to, lane }) => laneOf.get(to) !== lane)).toEqual([]);
        const clashes = placed.flatMap((one) =>
          placed.filter((other) => one.to !== other.to && one.lane === other.lane && doMeet(one, other)),
        );
        expect(clashes).toEqual([]);
      }),
    );
  });

  test('a short way is nearer to the states than a long one around it', () => {
    const [long, short] = inLanes([
      { from: 0, to: 3 },
      { from: 1, to: 2 },
    ]);
    expect([long?.lane, short?.lane]).toEqual([1, 0]);
  });
});
