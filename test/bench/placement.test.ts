import { describe, expect, test } from '@jest/globals';
import { placementFor } from '../../bench/placement.ts';

describe('where server and load run', () => {
  test.each([
    [2, 1, '0', '1'],
    [3, 1, '0', '1-2'],
    [4, 1, '0', '2-3'],
    [4, 2, '0-1', '2-3'],
    [16, 2, '0-1', '8-15'],
  ])('of %i processors with %i for the server', (processors, wanted, server, load) => {
    expect(placementFor(processors, wanted)).toEqual({ server, load });
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
  ])('is left to the system with %i processors and %i wanted', (processors, wanted) => {
    expect(placementFor(processors, wanted)).toBeUndefined();
  });
});
