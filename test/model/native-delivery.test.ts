import { describe, expect, test } from '@jest/globals';
import {
  createDecidedWorld,
  createMovingWorld,
  createNativeWorld,
  createStreamWorld,
  runModel,
} from './run.ts';

describe('native delivery under random interleavings keeps I1 to I6 for every seed', () => {
  test.each([
    ['for each subscription, and says what was recovered', 90, createNativeWorld],
    ['where an application decides, slowly, and makes snapshots', 60, createDecidedWorld],
    ['on streams, whose channels share one cursor', 35, createStreamWorld],
    ['between two instances that lag and are killed, where no revoked token counts', 120, createMovingWorld],
  ] as const)(
    '%s',
    async (_where, seeds, create) => {
      expect(await runModel(1, Number(process.env['MODEL_SEEDS'] ?? seeds), create)).toBeGreaterThan(0);
    },
    600_000,
  );
});
