import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { SOCKET_STATES, type SocketFilter, type SocketRow } from '../../src/inspect/api.ts';
import { firstRows, matchesSocket, mergeRows } from '../../src/inspect/rows.ts';

const row = (more: Partial<SocketRow>): SocketRow => ({
  instance: 'host:1',
  id: 'a',
  transport: 'websocket',
  protocol: 'native',
  state: 'live',
  channels: [],
  channelCount: 0,
  openedAtMs: 0,
  lagMs: 0,
  bufferedBytes: 0,
  ...more,
});
const idOf = ({ id }: SocketRow): string => id;

describe('a filter of sockets', () => {
  const matches = (filter: SocketFilter, more: Partial<SocketRow>, channels: string[] = []): boolean =>
    matchesSocket(row({ ...more, channels }), filter);

  test('finds a text in whatever names a socket, in any case', () => {
    for (const more of [{ id: 'xAnNa' }, { user: 'Anna' }, { session: 'ANNA' }, { address: 'anna' }]) {
      expect(matches({ text: 'anna' }, more)).toBe(true);
    }
    expect(matches({ text: 'anna' }, {}, ['b', 'user:anna'])).toBe(true);
    expect(matches({ text: 'anna' }, { user: 'ann' }, ['b'])).toBe(false);
  });

  test('wants all that it names', () => {
    const filter: SocketFilter = {
      user: 'ann',
      state: ['stale', 'replaying'],
      minLagMs: 5,
      minBufferedBytes: 7,
    };
    const fitting = { user: 'anna', state: 'stale', lagMs: 5, bufferedBytes: 7 } as const;
    expect(matches(filter, fitting)).toBe(true);
    expect(matches(filter, { ...fitting, state: 'live' })).toBe(false);
    expect(matches(filter, { ...fitting, lagMs: 4 })).toBe(false);
    expect(matches(filter, { ...fitting, bufferedBytes: 6 })).toBe(false);
    expect(matches(filter, { ...fitting, user: undefined })).toBe(false);
    expect(matches({ channel: 'x', address: '1' }, { address: '10.1' }, ['x1'])).toBe(true);
    expect(matches({ channel: 'y', address: '1' }, { address: '10.1' }, ['x1'])).toBe(false);
  });
});

describe('a list over several processes', () => {
  const rows = fc.array(
    fc.record({
      id: fc.uuid(),
      user: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
      lagMs: fc.nat(5),
      state: fc.constantFrom(...SOCKET_STATES),
      process: fc.nat(3),
    }),
    { maxLength: 60 },
  );
  const order = fc.record({
    sort: fc.constantFrom('user', 'lagMs', 'state', 'id', undefined),
    isDescending: fc.boolean(),
    offset: fc.nat(30),
    limit: fc.integer({ min: 1, max: 30 }),
  });

  test('is the list that one process would give that had all of them', () => {
    fc.assert(
      fc.property(rows, order, (all, wanted) => {
        const of = (some: typeof all) =>
          some.map(({ id, user, lagMs, state }) => row({ id, user, lagMs, state }));
        const parts = [0, 1, 2, 3].map((at) => {
          const own = of(all.filter(({ process }) => process === at));
          return firstRows(own, own.length + 1, wanted, idOf);
        });
        const whole = of(all);
        expect(mergeRows(parts, wanted, idOf)).toEqual(
          mergeRows([firstRows(whole, whole.length + 4, wanted, idOf)], wanted, idOf),
        );
      }),
    );
  });

  test('is read whole, page by page, with nobody twice', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom('user', 'lagMs', undefined), (all, sort) => {
        const whole = all.map(({ id, user, lagMs, state }) => row({ id, user, lagMs, state }));
        const seen: string[] = [];
        for (let offset = 0; offset < whole.length; offset += 7) {
          const wanted = { sort, offset, limit: 7 };
          const page = mergeRows([firstRows(whole, whole.length, wanted, idOf)], wanted, idOf);
          expect(page.matched).toBe(whole.length);
          seen.push(...page.rows.map(idOf));
        }
        expect(seen.toSorted()).toEqual(whole.map(idOf).toSorted());
      }),
    );
  });
});
