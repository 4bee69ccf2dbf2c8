import { describe, expect, test } from '@jest/globals';
import { type Counts, ExplainedWorld } from './explained-world.ts';

const SEEDS = Number(process.env['MODEL_SEEDS'] ?? 30);
const STEPS = 80;

describe('explain under random interleavings', () => {
  test('never says delivered of what was not sent, nor the reverse, and replays every machine, for every seed', async () => {
    const counts: Counts = new Map();
    const only = process.env['MODEL_SEED'];
    const first = only === undefined ? 1 : Number(only);
    for (let seed = first; seed < first + (only === undefined ? SEEDS : 1); seed += 1) {
      const world = new ExplainedWorld(seed, counts);
      try {
        await world.start();
        for (let step = 0; step < STEPS; step += 1) await world.step();
        await world.checkAll();
        world.checkRecordings();
      } catch (error) {
        const at = `step ${world.history.length} (${world.history.at(-1)})`;
        throw new Error(`MODEL_SEED=${seed} fails at ${at}: ${String(error)}`, { cause: error });
      }
    }
    // Otherwise the test would have met nothing of it.
    for (const kind of [
      'delivered',
      'closed',
      'in_gap',
      'before_cursor',
      'not_subscribed',
      'stale',
    ] as const) {
      expect([kind, (counts.get(kind) ?? 0) > 0]).toEqual([kind, true]);
    }
  }, 300_000);
});
