import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { asked, drawn, LIMIT, moved, scrolledTo, type View } from '../../panel/rows/range.ts';

const view = (part: Partial<View> = {}): View => ({
  scrollTop: 0,
  height: 400,
  rowHeight: 40,
  matched: 10_000,
  ...part,
});
const views = fc.record({
  scrollTop: fc.nat(500_000),
  height: fc.nat(1500),
  rowHeight: fc.integer({ min: 20, max: 120 }),
  matched: fc.nat(20_000),
});

describe('the rows of a long list', () => {
  test('all that can be seen are drawn, and few more, however it is scrolled', () => {
    fc.assert(
      fc.property(views, ({ scrollTop, ...rest }) => {
        // A browser scrolls no further than the end.
        const end = Math.max(0, rest.matched * rest.rowHeight - rest.height);
        const seen = { ...rest, scrollTop: Math.min(scrollTop, end) };
        const { offset, limit } = drawn(seen);
        const first = Math.floor(seen.scrollTop / seen.rowHeight);
        const last = Math.min(seen.matched, Math.ceil((seen.scrollTop + seen.height) / seen.rowHeight));
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset + limit).toBeLessThanOrEqual(seen.matched);
        const isSeen = (row: number): boolean => row >= offset && row < offset + limit;
        expect(last <= first || (isSeen(first) && isSeen(last - 1))).toBe(true);
        expect(limit).toBeLessThanOrEqual(seen.height / seen.rowHeight + 27);
      }),
    );
  });

  test('all that are drawn are asked for, in a question that the server takes', () => {
    fc.assert(
      fc.property(views, (seen) => {
        const wanted = drawn(seen);
        const { offset, limit } = asked(wanted);
        expect(offset).toBeLessThanOrEqual(wanted.offset);
        expect(offset + limit).toBeGreaterThanOrEqual(wanted.offset + wanted.limit);
        expect(limit).toBeGreaterThanOrEqual(1);
        expect(limit).toBeLessThanOrEqual(LIMIT);
      }),
    );
  });

  test('a little scrolling asks nothing new', () => {
    expect(asked(drawn(view({ scrollTop: 4600 })))).toEqual(asked(drawn(view({ scrollTop: 4800 }))));
  });

  test('one that became shorter than where it was scrolled to shows its end', () => {
    const { offset, limit } = drawn(view({ scrollTop: 400_000, matched: 30 }));
    expect([offset + limit, limit > 10]).toEqual([30, true]);
  });

  test.each([
    ['ArrowDown', 5, 6],
    ['ArrowUp', 0, 0],
    ['ArrowDown', 9999, 9999],
    ['PageDown', 5, 14],
    ['PageUp', 20, 11],
    ['Home', 700, 0],
    ['End', 3, 9999],
    ['ArrowDown', -1, 0],
  ])('%s leads from row %d to row %d', (key, from, to) => {
    expect(moved(key, from, view())).toBe(to);
  });

  test('other keys, and keys in an empty list, move nothing', () => {
    expect(moved('a', 3, view())).toBeUndefined();
    expect(moved('ArrowDown', -1, view({ matched: 0 }))).toBeUndefined();
  });

  test('it scrolls to a row no further than needed, and not at all to one that is seen', () => {
    expect(scrolledTo(3, view())).toBe(0);
    expect(scrolledTo(10, view())).toBe(40);
    expect(scrolledTo(3, view({ scrollTop: 4000 }))).toBe(120);
  });
});
