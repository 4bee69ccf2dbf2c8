import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Revocation } from '../../src/broker/ports.ts';
import { RevokedTokens } from '../../src/instances/revoked-tokens.ts';

const NOW_MS = 1_700_000_000_000;
const LIFE_MS = 1_000;
const at = (nowMs = NOW_MS) => {
  const clock = { nowMs };
  return { clock, revoked: new RevokedTokens({ now: () => clock.nowMs, maxTokenLifeMs: LIFE_MS }) };
};
const token = (user: string, issuedAtMs: number, session?: string) => ({
  user,
  issuedAtMs,
  ...(session !== undefined && { session }),
});

describe('revoked tokens', () => {
  test('are those of the user that were issued at or before it', () => {
    const { revoked } = at();
    revoked.add({ of: 'user', id: '5', atMs: NOW_MS });
    expect(revoked.has(token('5', NOW_MS - 1))).toBe(true);
    expect(revoked.has(token('5', NOW_MS))).toBe(true);
    expect(revoked.has(token('5', 0))).toBe(true);
    expect(revoked.has(token('5', NOW_MS + 1))).toBe(false);
    expect(revoked.has(token('6', NOW_MS))).toBe(false);
    expect(revoked.has(token('6', NOW_MS, '5'))).toBe(false);
  });

  test('are those of the session, whoever its user is', () => {
    const { revoked } = at();
    revoked.add({ of: 'session', id: 'x', atMs: NOW_MS });
    expect(revoked.has(token('5', NOW_MS, 'x'))).toBe(true);
    expect(revoked.has(token('5', NOW_MS))).toBe(false);
    expect(revoked.has(token('x', NOW_MS))).toBe(false);
  });

  test('are forgotten when no token can be left', () => {
    const { revoked, clock } = at();
    revoked.add({ of: 'user', id: '5', atMs: NOW_MS });
    clock.nowMs += LIFE_MS - 1;
    revoked.add({ of: 'user', id: '6', atMs: clock.nowMs });
    expect(revoked.has(token('5', NOW_MS))).toBe(true);
    clock.nowMs += 1;
    expect(revoked.all().map(({ id }) => id)).toEqual(['6']);
    expect(revoked.size).toBe(1);
  });

  test('in any order come to the latest of each', () => {
    const revocations = fc.array(
      fc.record({
        of: fc.constantFrom<Revocation['of']>('user', 'session'),
        id: fc.constantFrom('a', 'b'),
        atMs: fc.integer({ min: NOW_MS - LIFE_MS + 1, max: NOW_MS }),
      }),
    );
    fc.assert(
      fc.property(revocations, (added) => {
        const { revoked } = at();
        for (const revocation of added) revoked.add(revocation);
        for (const kind of ['user', 'session'] as const) {
          for (const id of ['a', 'b']) {
            const times = added.filter((one) => one.of === kind && one.id === id).map(({ atMs }) => atMs);
            const last = revoked.all().find((one) => one.of === kind && one.id === id)?.atMs;
            expect(last).toBe(times.length === 0 ? undefined : Math.max(...times));
          }
        }
        for (const revocation of added) expect(revoked.includes(revocation)).toBe(true);
      }),
    );
  });
});
