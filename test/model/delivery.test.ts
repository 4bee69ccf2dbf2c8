import { describe, expect, test } from '@jest/globals';
import { World } from './world.ts';

/** More of them in `npm run test:soak`; one of them again with MODEL_SEED. */
const SEEDS = Number(process.env['MODEL_SEEDS'] ?? 1_500);
const FIRST = Number(process.env['MODEL_SEED'] ?? 1);
const STEPS = 120;

describe('delivery under random interleavings', () => {
  test('keeps the invariants I1 to I6 for every seed', async () => {
    const seeds = process.env['MODEL_SEED'] === undefined ? SEEDS : 1;
    for (let seed = FIRST; seed < FIRST + seeds; seed += 1) await run(seed);
    expect(seeds).toBeGreaterThan(0);
  }, 600_000);
});

async function run(seed: number): Promise<void> {
  const world = new World(seed);
  try {
    await world.start();
    for (let step = 0; step < STEPS; step += 1) await world.step();
    await world.finish();
  } catch (error) {
    const steps = world.history.length;
    throw new Error(`MODEL_SEED=${seed} fails at step ${steps} (${world.history.at(-1)}): ${String(error)}`, {
      cause: error,
    });
  }
}
