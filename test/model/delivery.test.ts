import { describe, expect, test } from '@jest/globals';
import { runModel } from './run.ts';

describe('delivery under random interleavings', () => {
  test('keeps the invariants I1 to I6 for every seed', async () => {
    expect(await runModel(1, Number(process.env['MODEL_SEEDS'] ?? 120))).toBeGreaterThan(0);
  }, 600_000);
});
