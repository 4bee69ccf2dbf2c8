import { expect, test } from '@jest/globals';
import { PerSecond } from '../../src/inspect/per-second.ts';

test('there may be so many in a second, and as many in the next', () => {
  let nowMs = 5_000;
  const rate = new PerSecond(2, () => nowMs);
  const taken = (): boolean[] => [rate.take(), rate.take(), rate.take()];
  expect(taken()).toEqual([true, true, false]);
  nowMs += 999;
  expect(taken()).toEqual([false, false, false]);
  nowMs += 1;
  expect(taken()).toEqual([true, true, false]);
});
