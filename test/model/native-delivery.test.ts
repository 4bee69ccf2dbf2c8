import { describe, expect, test } from '@jest/globals';
import { createDecidedWorld, createMovingWorld, createNativeWorld, createStreamWorld, runModel } from './run.ts';

describe('native delivery under random interleavings', () => {
  test('keeps I1 to I6 for each subscription, and says what was recovered, for every seed', async () => {
    expect(await runModel(1, Number(process.env['MODEL_SEEDS'] ?? 500), createNativeWorld)).toBeGreaterThan(
      0,
    );
  }, 600_000);

  test('also where an application decides, slowly, and makes snapshots', async () => {
    const seeds = Number(process.env['MODEL_SEEDS'] ?? 250);
    expect(await runModel(1, seeds, createDecidedWorld)).toBeGreaterThan(0);
  }, 600_000);

  test('also on streams, whose channels share one cursor', async () => {
    const seeds = Number(process.env['MODEL_SEEDS'] ?? 200);
    expect(await runModel(1, seeds, createStreamWorld)).toBeGreaterThan(0);
  }, 600_000);

  test('also where clients go from one instance to another, as sockets and as streams', async () => {
    const seeds = Number(process.env['MODEL_SEEDS'] ?? 150);
    expect(await runModel(1, seeds, createMovingWorld)).toBeGreaterThan(0);
  }, 600_000);
});
