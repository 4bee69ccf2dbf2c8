import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Config } from '../../src/config/schema.ts';
import { shareOf } from '../../src/workers/limits.ts';
import { loaded, secret } from '../config/loading.ts';

const defaults = loaded({ env: { JWT_SECRET: secret } });

const shares = (limits: Partial<Config>, count: number): Config[] =>
  Array.from(
    { length: count },
    (_, index) => shareOf({ ...defaults, config: { ...defaults.config, ...limits } }, index, count).config,
  );

describe('the limits of several workers', () => {
  test.each(['maxTotalConnections', 'maxTotalBufferBytes'] as const)(
    '%s is divided: no worker has none, and all have the whole',
    (key) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(1_000_000), (count, more) => {
          const total = count + more;
          const parts = shares({ [key]: total }, count).map((config) => config[key]);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total);
          expect(Math.min(...parts)).toBeGreaterThanOrEqual(1);
          expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        }),
      );
    },
  );

  test('no limit stays no limit', () => {
    const parts = shares({ maxTotalConnections: 0 }, 3);
    expect(parts.map(({ maxTotalConnections }) => maxTotalConnections)).toEqual([0, 0, 0]);
  });

  test('what is a bound of each process stays as it is', () => {
    const { window } = defaults.config;
    for (const share of shares({ maxConnectionsPerChannel: 5 }, 4)) {
      expect(share).toMatchObject({ maxConnectionsPerChannel: 5, window });
    }
  });
});
