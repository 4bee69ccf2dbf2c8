import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Gap } from '../../client/src/index.ts';
import type { BroadcastChannelConstructor } from '../../client/src/host.ts';
import { compareIds } from '../../client/src/position.ts';
import { connect } from '../../client/src/tabs.ts';
import { settled } from '../support/heap-clock.ts';
import { Browser, type OpenedTab } from './support/browser.ts';
import { CountingClock } from './support/counting-clock.ts';
import { type Logged, TestServer } from './support/server.ts';

interface Opened extends OpenedTab {
  isFrozen: boolean;
  readonly ears: Map<string, Ear>;
  isOpen: boolean;
}

interface Ear {
  readonly ids: string[];
  readonly gaps: Gap[];
  /** Where it joined first, which is where its snapshot is. */
  from?: string;
  readonly list: () => readonly unknown[];
}

const CHANNELS = ['a', 'b'];
const tab = fc.nat({ max: 2 });
const channel = fc.constantFrom(...CHANNELS);
const step = fc.oneof(
  fc.record({ do: fc.constant('publish' as const), channel: fc.constantFrom(...CHANNELS, 'user:u') }),
  fc.record({ do: fc.constant('publish' as const), channel: fc.constantFrom(...CHANNELS, 'user:u') }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 2000 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 50 }) }),
  fc.record({ do: fc.constant('open' as const), tab }),
  fc.record({ do: fc.constant('open' as const), tab }),
  fc.record({ do: fc.constant('crash' as const), tab }),
  fc.record({ do: fc.constant('close' as const), tab }),
  fc.record({ do: fc.constant('freeze' as const), tab }),
  fc.record({ do: fc.constant('thaw' as const), tab }),
  fc.record({ do: fc.constant('cut' as const) }),
  fc.record({ do: fc.constant('subscribe' as const), tab, channel }),
  fc.record({ do: fc.constant('subscribe' as const), tab, channel }),
  fc.record({ do: fc.constant('send' as const), tab, channel }),
);

const trim = fc.record({ do: fc.constant('trim' as const), channel });
type Step = ReturnType<typeof step.generate>['value'] | ReturnType<typeof trim.generate>['value'];

const snapshot = (events: readonly Logged[]) => events.map(({ data }) => JSON.parse(data) as unknown);

function listen(opened: Opened, name: string, withStore: boolean): void {
  if (opened.ears.has(name)) return;
  const { connection } = opened;
  const subscription = name.startsWith('user:') ? connection.user : connection.subscribe(name);
  const store = withStore
    ? subscription.store<readonly unknown[]>((list, { data }) => [...list, data], [])
    : undefined;
  const ear: Ear = { ids: [], gaps: [], list: () => store?.getSnapshot() ?? [] };
  subscription.onState((state) => {
    if (state === 'live' && subscription.position) ear.from ??= subscription.position.lastId;
  });
  subscription.on('*', (_, { id }) => ear.ids.push(id));
  subscription.on('gap', (gap) => ear.gaps.push(gap));
  opened.ears.set(name, ear);
}

/** Many steps over three tabs; at the end those that are open, after a time in which nothing happens. */
async function run(server: TestServer, steps: readonly Step[], withStore: boolean) {
  const browser = new Browser(server);
  const tabs: Opened[] = [];
  const published: Promise<string>[] = [];
  const open = (at: number) => {
    if (tabs[at]?.isOpen) return;
    const opened = { ...browser.open(), ears: new Map<string, Ear>(), isOpen: true, isFrozen: false };
    tabs[at] = opened;
    if (!withStore) listen(opened, 'user:u', false);
  };
  for (let at = 0; at < 3; at++) open(at);
  let count = 0;
  for (const next of steps) {
    count += 1;
    if (next.do === 'publish') server.append(next.channel, count);
    else if (next.do === 'trim') server.trim(next.channel);
    else if (next.do === 'wait') await server.clock.advance(next.ms);
    else if (next.do === 'cut') server.wire.cut(true);
    else if (next.do === 'open') open(next.tab);
    else {
      const opened = tabs[next.tab];
      if (!opened?.isOpen) continue;
      if (next.do === 'thaw') {
        opened.isFrozen = false;
        await opened.thaw();
      } else if (opened.isFrozen && next.do !== 'crash') continue;
      else if (next.do === 'freeze') {
        opened.isFrozen = true;
        opened.freeze();
      } else if (next.do === 'subscribe') listen(opened, next.channel, withStore);
      else if (next.do === 'send')
        published.push(opened.connection.publish(next.channel, 'x', count).catch(() => 'rejected'));
      else {
        opened.isOpen = false;
        if (next.do === 'crash') opened.crash();
        else opened.connection.close();
      }
    }
  }
  for (const { isOpen, thaw } of tabs) if (isOpen) await thaw();
  await server.clock.advance(100_000);
  return { tabs: tabs.filter(({ isOpen }) => isOpen), published };
}

describe('tabs', () => {
  test('hear every event once, in order, over one connection, whoever leads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 50, size: 'max' }), async (seed, steps) => {
        const server = new TestServer({ seed, user: 'u' });
        const { tabs } = await run(server, steps, false);
        for (const { connection, ears } of tabs) {
          expect(connection.state).toBe('live');
          for (const [name, { ids, gaps, from }] of ears) {
            const wanted = server.log.filter(
              (event) => event.channel === name && compareIds(event.id, from ?? '') > 0,
            );
            expect(ids).toEqual(wanted.map(({ id }) => id));
            expect(gaps).toEqual([]);
          }
        }
        expect(server.wire.ends.length).toBe(tabs.length > 0 ? 1 : 0);
        expect(server.faults).toEqual([]);
        expect(new Set(server.log.map(({ data }) => data)).size).toBe(server.log.length);
        for (const { connection } of tabs) connection.close();
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['of now', false],
    ['kept some events ago', true],
  ])('fill their stores from snapshots %s, each from one of its own', async (_, isSnapshotKept) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(fc.oneof({ weight: 12, arbitrary: step }, trim), { maxLength: 40, size: 'max' }),
        async (seed, steps) => {
          const server = new TestServer({ seed, snapshot, isSnapshotKept });
          const { tabs } = await run(server, steps, true);
          for (const { ears } of tabs) {
            for (const [name, { list }] of ears) {
              const wanted = server.log.filter((event) => event.channel === name);
              expect(list()).toEqual(wanted.map(({ data }) => JSON.parse(data)));
            }
          }
          for (const { connection } of tabs) connection.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  test('get the snapshot after a gap, also when another tab wants one of its own at that moment', async () => {
    const server = new TestServer({ seed: 242_006_749, snapshot, isSnapshotKept: true });
    const { tabs } = await run(
      server,
      [
        { do: 'subscribe', tab: 0, channel: 'b' },
        { do: 'wait', ms: 92 },
        { do: 'publish', channel: 'b' },
        { do: 'trim', channel: 'b' },
        { do: 'subscribe', tab: 1, channel: 'b' },
      ],
      true,
    );
    const lists = tabs.flatMap(({ ears }) => [...ears.values()].map(({ list }) => list()));
    expect(lists).toEqual([[3], [3]]);
  });

  test('are not kept waiting by a leader that answered last of all, and is gone', async () => {
    const server = new TestServer({ seed: 396_191_431, user: 'u' });
    const { tabs } = await run(
      server,
      [
        { do: 'wait', ms: 106 },
        { do: 'publish', channel: 'user:u' },
        { do: 'wait', ms: 37 },
        { do: 'subscribe', tab: 0, channel: 'a' },
        { do: 'subscribe', tab: 1, channel: 'a' },
        { do: 'crash', tab: 2 },
        { do: 'close', tab: 1 },
        { do: 'wait', ms: 75 },
        { do: 'open', tab: 2 },
        { do: 'open', tab: 1 },
        { do: 'publish', channel: 'a' },
        { do: 'wait', ms: 3 },
        { do: 'crash', tab: 0 },
        { do: 'cut' },
      ],
      false,
    );
    expect(tabs.map(({ connection }) => connection.state)).toEqual(['live', 'live']);
  });

  test('ask, tell and publish', async () => {
    const server = new TestServer();
    const browser = new Browser(server);
    const [first, second] = [browser.open(), browser.open()];
    const answers = [first, second].flatMap(({ connection }) => [
      connection.ask('echo', { of: 'tea' }),
      connection.tell('liked', 1),
      connection.publish('a', 'b', 1),
    ]);
    await server.clock.advance(1000);
    const ids = server.log.map(({ id }) => id);
    expect(await Promise.all(answers)).toEqual([
      { of: 'tea' },
      undefined,
      ids[0],
      { of: 'tea' },
      undefined,
      ids[1],
    ]);
    expect(server.wire.ends).toHaveLength(1);
  });

  test('are closed all together when the server is done with them', async () => {
    const server = new TestServer();
    const browser = new Browser(server);
    const tabs = [browser.open(), browser.open()];
    await server.clock.advance(1000);
    server.end(4410, 'ended');
    await server.clock.advance(60_000);
    expect(tabs.map(({ connection }) => connection.state)).toEqual(['closed', 'closed']);
  });

  test('go on without a leader that does not run any more, which follows when it runs again', async () => {
    const server = new TestServer({ pingInterval: 5_000 });
    const browser = new Browser(server);
    const tabs = Array.from({ length: 4 }, () => browser.open());
    const heard = tabs.map(({ connection }) => {
      const data: unknown[] = [];
      connection.subscribe('a').on('*', (one) => data.push(one));
      return data;
    });
    await server.clock.advance(1_000);
    server.append('a', 1);
    await server.clock.advance(1_000);
    tabs[0]?.freeze();
    server.append('a', 2);
    await server.clock.advance(60_000);
    server.append('a', 3);
    const published = tabs[1]?.connection.publish('a', 'b', 4);
    await server.clock.advance(1_000);
    expect(heard).toEqual([[1], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]]);
    await published;
    await tabs[0]?.thaw();
    await server.clock.advance(20_000);
    server.append('a', 5);
    await server.clock.advance(1_000);
    expect(heard).toEqual(tabs.map(() => [1, 2, 3, 4, 5]));
    expect(server.wire.ends).toHaveLength(1);
    expect(tabs.map(({ connection }) => connection.state)).toEqual(tabs.map(() => 'live'));

    for (const { connection } of tabs.slice(1)) connection.close();
    server.append('a', 6);
    await server.clock.advance(5_000);
    expect(heard[0]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(server.wire.ends).toHaveLength(1);
  });

  test('ask for the lead no more once they are closed', async () => {
    const server = new TestServer();
    const signals: AbortSignal[] = [];
    const connection = connect('ws://server/', {
      ...server.options,
      locks: {
        request(_, { signal }) {
          if (signal !== undefined) signals.push(signal);
          return new Promise(() => {});
        },
      },
    });
    connection.close();
    await settled();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('that did not run for so long that they were forgotten come back at once', async () => {
    const server = new TestServer({ pingInterval: 20_000 });
    const browser = new Browser(server);
    const [leader, other] = [browser.open(), browser.open()];
    const heard: unknown[] = [];
    other.connection.subscribe('a').on('*', (data) => heard.push(data));
    await server.clock.advance(1_000);
    expect(leader.connection.state).toBe('live');
    other.freeze();
    server.append('a', 1);
    await server.clock.advance(100_000);
    server.append('a', 2);
    await server.clock.advance(1_000);
    await other.thaw();
    await server.clock.advance(1_000);
    expect(heard).toEqual([1, 2]);
  });

  test('that are closed at the very moment when they lead take the lead from nobody later', async () => {
    const server = new TestServer();
    const clock = new CountingClock(server.clock);
    const asked: unknown[] = [];
    const connection = connect('ws://server/', {
      ...server.options,
      clock,
      locks: {
        request(_, options, hold) {
          asked.push(options.steal);
          return hold();
        },
      },
    });
    connection.close();
    await settled();
    expect(clock.running).toBe(0);
    await server.clock.advance(60_000);
    expect(asked).toEqual([undefined]);
  });

  test('that want a channel with another query are told', async () => {
    const server = new TestServer();
    const browser = new Browser(server);
    const [first, second] = [browser.open().connection, browser.open().connection];
    const [one, other] = [first.subscribe('a', { query: 1 }), second.subscribe('a', { query: 2 })];
    await server.clock.advance(1000);
    expect([one.state, other.state].sort()).toEqual(['closed', 'live']);
    const refused = one.state === 'closed' ? one : other;
    expect(refused.error?.code).toBe('already_subscribed');
  });

  test('have a connection each where the browser has no locks', async () => {
    const server = new TestServer();
    const browser = globalThis as { navigator?: unknown };
    const saved = Object.getOwnPropertyDescriptor(browser, 'navigator');
    Object.defineProperty(browser, 'navigator', { value: {}, configurable: true });
    const tabs = [connect('ws://server/', server.options), connect('ws://server/', server.options)];
    await server.clock.advance(1000);
    expect(tabs.map(({ state }) => state)).toEqual(['live', 'live']);
    if (saved === undefined) delete browser.navigator;
    else Object.defineProperty(browser, 'navigator', saved);
    expect(server.wire.ends).toHaveLength(2);
  });

  test('have a connection each where the browser refuses locks, or a BroadcastChannel', async () => {
    const server = new TestServer();
    const browser = new Browser(server);
    const refuse = () => new Error('a page may keep nothing here');
    const BroadcastChannel = function refused() {
      throw refuse();
    } as unknown as BroadcastChannelConstructor;
    const tabs = [
      browser.open({ locks: { request: () => Promise.reject(refuse()) } }),
      browser.open({ locks: { request: () => Promise.reject(refuse()) } }),
      browser.open({ BroadcastChannel }),
    ].map(({ connection }) => connection);
    await server.clock.advance(1000);
    expect(tabs.map(({ state }) => state)).toEqual(['live', 'live', 'live']);
    expect(server.wire.ends).toHaveLength(3);
    for (const connection of tabs) connection.close();
    await server.clock.advance(1000);
    expect(server.wire.ends).toHaveLength(0);
  });
});
