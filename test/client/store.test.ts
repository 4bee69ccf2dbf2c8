import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { connect, type Gap } from '../../client/src/index.ts';
import { Channel } from '../../client/src/subscription.ts';
import { settled } from '../support/heap-clock.ts';
import { A_MOMENT_MS, setup } from './support/setup.ts';
import { type Logged, TestServer } from './support/server.ts';

const append = (list: readonly unknown[], { data }: { readonly data: unknown }) => [...list, data];
const snapshot = (events: readonly Logged[]) => events.map(({ data }) => JSON.parse(data) as unknown);
const step = fc.oneof(
  fc.constant('publish' as const),
  fc.constant('publish' as const),
  fc.constant('cut' as const),
  fc.constant('trim' as const),
  fc.integer({ min: 0, max: 1500 }),
  // Within what a frame takes: between one and the next.
  fc.integer({ min: 0, max: 60 }),
  fc.integer({ min: 0, max: 60 }),
);

describe('a store', () => {
  test.each(['a', 'user:u'])(
    'of %s ends up with everything, from a snapshot and events, whatever happens to its connections',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 40, size: 'max' }), async (seed, steps) => {
          const server = new TestServer({ seed, snapshot, user: 'u' });
          for (let at = 0; at < 3; at++) server.append(name, `before ${at}`);
          const connection = connect('ws://server/', server.options);
          const subscription = name === 'a' ? connection.subscribe(name) : connection.user;
          const store = subscription.store<readonly unknown[]>(append, []);
          for (const [at, next] of steps.entries()) {
            if (next === 'publish') server.append(name, at);
            else if (next === 'cut') server.wire.cut(true);
            else if (next === 'trim') server.trim(name);
            else await server.clock.advance(next);
          }
          await server.clock.advance(200_000);
          expect(store.getSnapshot()).toEqual(server.log.map(({ data }) => JSON.parse(data)));
          expect(store.gap.getSnapshot()).toBeUndefined();
          connection.close();
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each(['a', 'user:u'])('of %s is filled by a snapshot whose first way was cut off', async (name) => {
    const { server, connection, advance } = setup({ snapshot, user: 'u' });
    server.append(name, 'before');
    const subscription = name === 'a' ? connection.subscribe(name) : connection.user;
    const store = subscription.store<readonly unknown[]>(append, []);
    const stop = subscription.onState(() => {
      // It has joined, and nothing else was heard yet.
      stop();
      server.wire.cut(true);
      server.append(name, 'meanwhile');
    });
    await advance(5_000);
    expect(store.getSnapshot()).toEqual(['before', 'meanwhile']);
    expect(store.gap.getSnapshot()).toBeUndefined();
  });

  test('tells what it skipped when it joined afresh for a snapshot that nobody makes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 30, size: 'max' }), async (seed, steps) => {
        const server = new TestServer({ seed });
        const connection = connect('ws://server/', server.options);
        const subscription = connection.subscribe('a');
        const store = subscription.store<readonly unknown[]>(append, []);
        const gaps: Gap[] = [];
        let from: string | undefined;
        subscription.onState((state) => {
          if (state === 'live') from ??= subscription.position?.lastId;
        });
        subscription.on('gap', (gap) => gaps.push(gap));
        for (const [at, next] of steps.entries()) {
          if (next === 'publish') server.append('a', at);
          else if (next === 'cut') server.wire.cut(true);
          else if (typeof next === 'number') await server.clock.advance(next);
        }
        await server.clock.advance(200_000);
        const number = (id: string) => id.split('-').map(Number) as [number, number];
        const isAfter = (a: string, b: string) =>
          number(a)[0] > number(b)[0] || (number(a)[0] === number(b)[0] && number(a)[1] > number(b)[1]);
        const wanted = server.log.filter(
          ({ id }) =>
            isAfter(id, from ?? '0-0') && !gaps.some((gap) => isAfter(id, gap.after) && !isAfter(id, gap.id)),
        );
        expect(store.getSnapshot()).toEqual(wanted.map(({ data }) => JSON.parse(data)));
        connection.close();
      }),
      { numRuns: 200 },
    );
  });

  test("keeps Svelte's contract: calls at once and on each change, until it is told to stop", async () => {
    const { server, connection, advance } = setup();
    const store = connection.subscribe('a').store((sum, { data }) => sum + (data as number), 0);
    const seen: number[] = [];
    const stop = store.subscribe((value) => seen.push(value));
    expect(seen).toEqual([0]);
    await advance(A_MOMENT_MS);
    server.append('a', 2);
    await advance(A_MOMENT_MS);
    server.append('a', 0);
    await advance(A_MOMENT_MS);
    stop();
    server.append('a', 3);
    await advance(A_MOMENT_MS);
    expect(seen).toEqual([0, 2]);
    expect(store.getSnapshot()).toBe(5);
  });

  test("keeps React's: the snapshot is the same until it changes, and both work without their object", async () => {
    const { server, connection, advance } = setup();
    const { subscribe, getSnapshot } = connection.subscribe('a').store(append, [] as readonly unknown[]);
    let changes = 0;
    const run = () => {
      changes += 1;
    };
    // The same function twice is two subscribers.
    const stops = [subscribe(run), subscribe(run)];
    await advance(A_MOMENT_MS);
    const before = getSnapshot();
    expect(getSnapshot()).toBe(before);
    server.append('a', 1);
    await advance(A_MOMENT_MS);
    expect(getSnapshot()).not.toBe(before);
    expect(changes).toBe(4);
    stops[0]?.();
    server.append('a', 2);
    await advance(A_MOMENT_MS);
    expect(changes).toBe(5);
  });

  test('is marked by a gap, and filled by what is fetched and what came meanwhile', async () => {
    const { server, connection, advance } = setup();
    let answer: (found: { data: readonly unknown[]; id?: string }) => void = () => {};
    const gaps: unknown[] = [];
    const store = connection.subscribe('a').store(append, [] as readonly unknown[], {
      refetch: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    store.gap.subscribe((gap) => gaps.push(gap?.reason));
    await advance(A_MOMENT_MS);
    server.append('a', 1);
    await advance(A_MOMENT_MS);
    server.wire.cut(true);
    server.append('a', 2);
    server.trim('a');
    await advance(5000);
    expect(gaps).toEqual([undefined, 'trimmed']);
    const inThere = server.append('a', 3);
    server.append('a', 4);
    await advance(A_MOMENT_MS);
    expect(store.getSnapshot()).toEqual([1, 3, 4]);
    answer({ data: ['fetched, with 3'], id: inThere });
    await settled();
    expect(store.getSnapshot()).toEqual(['fetched, with 3', 4]);
    expect(gaps).toEqual([undefined, 'trimmed', undefined]);
  });

  test('stays marked when nothing can be fetched, and says so', async () => {
    const { server, connection, advance } = setup();
    const errors: unknown[] = [];
    const store = connection.subscribe('a').store(append, [] as readonly unknown[], {
      refetch: () => Promise.reject(new Error('offline')),
      onError: (error) => errors.push(error),
    });
    await advance(A_MOMENT_MS);
    server.append('a', 1);
    await advance(A_MOMENT_MS);
    server.wire.cut(true);
    server.append('a', 2);
    server.trim('a');
    await advance(5000);
    expect(errors).toEqual([new Error('offline')]);
    expect(store.gap.getSnapshot()).toMatchObject({ reason: 'trimmed' });
  });

  describe('that fetches its state again', () => {
    const GAP: Gap = { type: 'gap', channel: 'a', after: '5-0', id: '6-0', reason: 'trimmed' };
    type Asked = { resolve(found: { data: readonly unknown[] }): void; reject(error: Error): void };

    function begin() {
      const channel = new Channel(
        'a',
        {},
        () => {},
        () => {},
      );
      const asked: Asked[] = [];
      const errors: unknown[] = [];
      const store = channel.store<readonly unknown[]>(append, [], {
        refetch: () =>
          new Promise((resolve, reject) => {
            asked.push({ resolve, reject });
          }),
        onError: (error) => errors.push(error),
      });
      channel.joined({ channel: 'a', id: '5-0', epoch: 'e1', recovered: true }, true);
      channel.gap(GAP);
      return { channel, asked, errors, store };
    }

    test('takes neither an answer nor a failure once a snapshot has filled it', async () => {
      const { channel, asked, errors, store } = begin();
      channel.snapshot({ type: 'snapshot', channel: 'a', id: '7-0', data: ['of the snapshot'] });
      asked[0]?.resolve({ data: ['too late'] });
      await settled();
      expect(store.getSnapshot()).toEqual(['of the snapshot']);

      channel.gap({ ...GAP, after: '7-0', id: '8-0' });
      channel.snapshot({ type: 'snapshot', channel: 'a', id: '9-0', data: ['of the next'] });
      asked[1]?.reject(new Error('too late'));
      await settled();
      expect([store.getSnapshot(), errors]).toEqual([['of the next'], []]);
    });

    test('takes the answer to what it asked last', async () => {
      const { channel, asked, store } = begin();
      channel.gap({ ...GAP, after: '6-0', id: '8-0' });
      asked[1]?.resolve({ data: ['of the second'] });
      await settled();
      asked[0]?.resolve({ data: ['of the first'] });
      await settled();
      expect(store.getSnapshot()).toEqual(['of the second']);
      expect(store.gap.getSnapshot()).toBeUndefined();
    });

    test('takes none after it has ended', async () => {
      const { channel, asked, store } = begin();
      channel.unsubscribe();
      asked[0]?.resolve({ data: ['too late'] });
      await settled();
      expect(store.getSnapshot()).toEqual([]);
    });
  });
});
