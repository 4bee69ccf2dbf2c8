import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inLanes } from '../../panel/chart/lanes.ts';

const way = fc.record({ from: fc.nat(8), to: fc.nat(8) }).filter(({ from, to }) => from !== to);

describe('the lanes of a gutter', () => {
  test('ways to one place share theirs, and ways to different places never run over each other', () => {
    fc.assert(
      fc.property(fc.array(way), (ways) => {
        const placed = inLanes(ways);
        expect(placed.map(({ from, to }) => ({ from, to }))).toEqual(ways);
        for (const one of placed) {
          for (const other of placed) {
            if (one.to === other.to) expect(one.lane).toBe(other.lane);
            else if (one.lane === other.lane) {
              const [low, high] = [Math.min(one.from, one.to), Math.max(one.from, one.to)];
              expect(Math.min(other.from, other.to) > high || Math.max(other.from, other.to) < low).toBe(
                true,
              );
            }
          }
        }
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
