import { describe, expect, test } from '@jest/globals';
import {
  createDecidedWorld,
  createMovingWorld,
  createNativeWorld,
  createStreamWorld,
  runModel,
} from './run.ts';

const seedsOr = (seeds: number): number => Number(process.env['MODEL_SEEDS'] ?? seeds);

describe('native delivery under random interleavings', () => {
  test('keeps I1 to I6 for each subscription, and says what was recovered, for every seed', async () => {
    expect(await runModel(1, seedsOr(40), createNativeWorld)).toBeGreaterThan(0);
  }, 600_000);

  test('also where an application decides, slowly, and makes snapshots', async () => {
    expect(await runModel(1, seedsOr(25), createDecidedWorld)).toBeGreaterThan(0);
  }, 600_000);

  test('also on streams, whose channels share one cursor', async () => {
    expect(await runModel(1, seedsOr(20), createStreamWorld)).toBeGreaterThan(0);
  }, 600_000);

  test('also between two instances that lag and are killed, where no revoked token counts', async () => {
    expect(await runModel(1, seedsOr(30), createMovingWorld)).toBeGreaterThan(0);
  }, 600_000);
});
