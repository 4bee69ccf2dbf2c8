import { describe, expect, test } from '@jest/globals';
import {
  createDecidedWorld,
  createMovingWorld,
  createNativeWorld,
  createStreamWorld,
  runModel,
} from './run.ts';

/** Other seeds at each run, and as many as MODEL_SEEDS says. */
const SEEDS = Number(process.env['MODEL_SEEDS'] ?? 20_000);

describe('delivery under random interleavings, for long', () => {
  test('keeps the invariants I1 to I6 for every seed', async () => {
    const first = 10_000 + Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`seeds from ${first}\n`);
    expect(await runModel(first, SEEDS)).toBeGreaterThan(0);
  }, 3_600_000);

  test('keeps them for each subscription of native sockets, for every seed', async () => {
    const first = 10_000 + Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`native seeds from ${first}\n`);
    expect(await runModel(first, SEEDS, createNativeWorld)).toBeGreaterThan(0);
  }, 3_600_000);

  test('keeps them beside an application that is slow, refuses and fails, for every seed', async () => {
    const first = 10_000 + Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`decided seeds from ${first}\n`);
    expect(await runModel(first, SEEDS, createDecidedWorld)).toBeGreaterThan(0);
  }, 3_600_000);

  test('keeps them on streams of several channels, for every seed', async () => {
    const first = 10_000 + Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`stream seeds from ${first}\n`);
    expect(await runModel(first, SEEDS, createStreamWorld)).toBeGreaterThan(0);
  }, 3_600_000);

  test('keeps them between two instances, for every seed', async () => {
    const first = 10_000 + Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`moving seeds from ${first}\n`);
    expect(await runModel(first, SEEDS, createMovingWorld)).toBeGreaterThan(0);
  }, 3_600_000);
});
