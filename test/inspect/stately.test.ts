import { describe, expect, test } from '@jest/globals';
import { assign, setup } from 'xstate';
import { createRouterLogic } from '../../machines/router.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import type { StatelyFilter } from '../../src/inspect/questions.ts';
import { Stately } from '../../src/inspect/stately.ts';
import { Registry } from '../../src/routing/registry.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { HeapClock } from '../support/heap-clock.ts';

type Fact = Record<string, unknown> & {
  readonly type: string;
  readonly sessionId: string;
  readonly name?: string;
  readonly event?: unknown;
  readonly snapshot?: { readonly value?: unknown };
};

const machine = setup({
  types: { context: {} as { pings: number; token: string; socketId: string } },
}).createMachine({
  id: 'socket',
  initial: 'connecting',
  context: { pings: 0, token: 'hunter2', socketId: 's-1' },
  states: {
    connecting: { on: { 'socket.opened': 'live' } },
    live: {
      on: { ping: { actions: assign({ pings: ({ context }) => context.pings + 1 }) }, stop: 'closed' },
    },
    closed: { type: 'final' },
  },
});

describe("what is shown to Stately's inspector", () => {
  const create = () => {
    const clock = new HeapClock();
    const registry = new Registry({ clock });
    const metrics = new CountingMetrics();
    const users: Record<string, string> = { 'of-anna': 'anna', 'of-bert': 'bert' };
    const stately = new Stately({
      instance: () => 'host:1',
      registry,
      metrics,
      now: clock.now,
      journal: {
        socket: (id) =>
          users[id] === undefined
            ? undefined
            : ({ peer: { user: users[id] }, subscriptions: [{ channels: [`of-${users[id]}`] }] } as never),
      },
      onUnavailable: (error) => {
        throw error;
      },
    });
    const facts: Fact[] = [];
    const member = (id: string) => registry.startMember(machine, { id, input: undefined });
    const read = () => stately.read((fact) => void facts.push(fact as unknown as Fact));
    return { registry, metrics, stately, facts, member, read, clock };
  };
  /** Its package is loaded, and what waited for it converted. */
  const settled = async (): Promise<void> => {
    await import('@statelyai/inspect');
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const names = (facts: readonly Fact[]): unknown[] =>
    facts.filter(({ type }) => type === '@xstate.actor').map(({ name }) => name);

  test('are actors, events and states, without anything of theirs that is not known to be harmless', async () => {
    const { stately, facts, member, read } = create();
    const before = member('socket:before');
    stately.set({});
    read();
    const after = member('native/socket:after');
    for (const actor of [before, after]) {
      actor.send({ type: 'socket.opened', socketId: 's-1', cookie: 'hunter2', request: { url: 'hunter2' } });
    }
    await settled();
    expect(names(facts)).toEqual(['socket:before', 'native/socket:after']);
    for (const { sessionId } of [before, after]) {
      expect(facts).toContainEqual(
        expect.objectContaining({
          sessionId: `host:1/${sessionId}`,
          type: '@xstate.snapshot',
          event: { type: 'socket.opened', socketId: 's-1' },
          snapshot: { status: 'active', value: 'live', context: { pings: 0, socketId: 's-1' } },
        }),
      );
    }
    expect(JSON.stringify(facts.filter(({ type }) => type !== '@xstate.actor'))).not.toContain('hunter2');
  });

  test('is of a batch how many entries it has, and its first and last id', async () => {
    const { stately, facts, registry, read } = create();
    stately.set({});
    read();
    const router = registry.start(
      createRouterLogic(() => {}),
      { id: 'router', input: undefined },
    );
    const summary = { count: 2, firstId: '1-0' as StreamId, lastId: '2-0' as StreamId };
    router.send({
      type: 'batch.read',
      batch: { ...summary, toJSON: () => summary, entries: ['hunter2'] } as never,
    });
    await settled();
    expect(facts.at(-1)).toMatchObject({ event: { type: 'batch.read', batch: summary } });
    expect(JSON.stringify(facts)).not.toContain('hunter2');
  });

  test.each<[StatelyFilter, string[]]>([
    [{ socket: 'of-anna' }, ['native/socket:of-anna']],
    [{ user: 'anna' }, ['native/socket:of-anna']],
    [{ channel: 'of-bert' }, ['socket:of-bert', 'native/channel:of-bert']],
    [{ sample: 0 }, []],
    [{ sample: 1 }, ['native/socket:of-anna', 'socket:of-bert', 'socket:nobody']],
    [
      {},
      [
        'native/socket:of-anna',
        'socket:of-bert',
        'socket:nobody',
        'native/channel:of-bert',
        'native/channel:x:y',
      ],
    ],
  ])('is what %j chooses', async (filter, expected) => {
    const { stately, facts, member, read } = create();
    const ids = [
      'native/socket:of-anna',
      'socket:of-bert',
      'socket:nobody',
      'native/channel:of-bert',
      'native/channel:x:y',
    ];
    for (const id of ids.slice(0, 2)) member(id);
    stately.set(filter);
    read();
    for (const id of ids.slice(2)) member(id);
    await settled();
    expect(names(facts)).toEqual(expected);
  });

  test('is switched on and off while everything runs, and off nothing is observed', async () => {
    const { stately, facts, member, read, registry } = create();
    const actor = member('socket:a');
    const leave = read();
    actor.send({ type: 'socket.opened' });
    await settled();
    expect(facts).toEqual([]);
    stately.set({ socket: 'a' });
    actor.send({ type: 'ping' });
    await settled();
    expect(facts.map(({ type }) => type)).toContain('@xstate.snapshot');
    stately.set(undefined);
    const count = facts.length;
    actor.send({ type: 'ping' });
    await settled();
    expect(facts).toHaveLength(count);
    // Another may observe: nobody does.
    registry.observe(() => {})();
    stately.set({});
    leave();
    registry.observe(() => {})();
    expect(stately.status).toMatchObject({ filter: {}, dropped: 0 });
  });

  test('is told once however often it was switched on and off', async () => {
    const { stately, facts, member, read } = create();
    read();
    stately.set({});
    const born = member('socket:born-meanwhile');
    stately.set(undefined);
    stately.set({});
    await settled();
    facts.length = 0;
    born.send({ type: 'socket.opened' });
    await settled();
    expect(facts.filter(({ type }) => type === '@xstate.snapshot')).toHaveLength(1);
  });

  test('is dropped and counted where it comes too fast, and holds nothing up', async () => {
    const { stately, member, read, metrics } = create();
    stately.set({});
    read();
    const actor = member('socket:a');
    actor.send({ type: 'socket.opened' });
    for (let ping = 0; ping < 5000; ping++) actor.send({ type: 'ping' });
    expect(actor.getSnapshot().context.pings).toBe(5000);
    await settled();
    expect(metrics.of('signalbox.inspection_dropped')).toBeGreaterThan(5000);
    expect(stately.status.dropped).toBe(metrics.of('signalbox.inspection_dropped'));
  });
});
