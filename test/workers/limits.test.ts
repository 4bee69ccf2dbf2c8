import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { shareOf } from '../../src/workers/limits.ts';
import { loaded, secret } from '../config/loading.ts';

const whole = (env: Readonly<Record<string, string>>) => loaded({ env: { JWT_SECRET: secret, ...env } });

const shares = (env: Readonly<Record<string, string>>, count: number) =>
  Array.from({ length: count }, (_, index) => shareOf(whole(env), index, count).config);

describe('the limits of several workers', () => {
  test.each(['maxTotalConnections', 'maxTotalBufferBytes'] as const)(
    '%s is divided: no worker has none, and all have the whole',
    (key) => {
      const [name, least] =
        key === 'maxTotalConnections'
          ? (['MAX_TOTAL_CONNECTIONS', 1] as const)
          : (['SIGNALBOX_MAX_TOTAL_BUFFER_BYTES', 65_536] as const);
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(1_000_000), (count, more) => {
          const total = Math.max(least, count) + more;
          const parts = shares({ [name]: String(total) }, count).map((config) => config[key]);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total);
          expect(Math.min(...parts)).toBeGreaterThanOrEqual(1);
          expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        }),
      );
    },
  );

  test('no limit stays no limit', () => {
    expect(shares({}, 3).map(({ maxTotalConnections }) => maxTotalConnections)).toEqual([0, 0, 0]);
  });

  test('what is a bound of each process stays as it is', () => {
    const { config } = whole({ MAX_CONNECTIONS_PER_CHANNEL: '5' });
    for (const share of shares({ MAX_CONNECTIONS_PER_CHANNEL: '5' }, 4)) {
      expect(share).toMatchObject({ maxConnectionsPerChannel: 5, window: config.window });
    }
  });
});
