import { describe, expect, test } from '@jest/globals';
import {
  createDecidedWorld,
  createMovingWorld,
  createNativeWorld,
  createStreamWorld,
  type CreateWorld,
  runModel,
} from './run.ts';

const TIMEOUT_MS = 600_000;

async function keeps(seeds: number, create: CreateWorld): Promise<void> {
  expect(await runModel(1, Number(process.env['MODEL_SEEDS'] ?? seeds), create)).toBeGreaterThan(0);
}

describe('native delivery under random interleavings', () => {
  test(
    'keeps I1 to I6 for each subscription, and says what was recovered, for every seed',
    () => keeps(120, createNativeWorld),
    TIMEOUT_MS,
  );

  test(
    'also where an application decides, slowly, and makes snapshots',
    () => keeps(80, createDecidedWorld),
    TIMEOUT_MS,
  );

  test('also on streams, whose channels share one cursor', () => keeps(50, createStreamWorld), TIMEOUT_MS);

  test(
    'also between two instances that lag and are killed, where sockets come back as streams and no revoked token counts',
    () => keeps(150, createMovingWorld),
    TIMEOUT_MS,
  );
});
