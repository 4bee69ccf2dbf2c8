import { describe, expect, test } from '@jest/globals';
import { type AnyActorRef, assign, type InspectionEvent, setup } from 'xstate';
import { Registry } from '../../src/routing/registry.ts';
import { HeapClock } from '../support/heap-clock.ts';

type CounterEvent = { type: 'count' } | { type: 'end' } | { type: 'fail' };

const counter = setup({
  types: { context: {} as { count: number }, events: {} as CounterEvent, input: {} as { from: number } },
  actions: {
    count: assign({ count: ({ context }) => context.count + 1 }),
    fail: () => {
      throw new Error('a bug');
    },
  },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ count: input.from }),
  initial: 'counting',
  states: {
    counting: {
      on: { count: { actions: 'count' }, end: 'ended', fail: { actions: 'fail' } },
      after: { 1_000: 'ended' },
    },
    ended: { type: 'final' },
  },
});

function create(inspect?: (event: InspectionEvent) => void) {
  const clock = new HeapClock();
  const registry = new Registry({ clock, inspect });
  const ends: [string, unknown][] = [];
  const start = (id: string, from = 0) =>
    registry.start(counter, { id, input: { from }, onEnd: (error) => ends.push([id, error]) });
  return { clock, registry, ends, start };
}

describe('the registry', () => {
  test('starts actors with their input, on its clock', () => {
    const { clock, registry, start } = create();
    const actor = start('a', 7);
    actor.send({ type: 'count' });
    expect([registry.size, actor.getSnapshot().context.count]).toEqual([1, 8]);
    clock.increment(1_000);
    expect([registry.size, actor.getSnapshot().status]).toEqual([0, 'done']);
  });

  test('says once that an actor is done, and forgets it', () => {
    const { registry, ends, start } = create();
    start('a').send({ type: 'end' });
    expect([ends, registry.size]).toEqual([[['a', undefined]], 0]);
  });

  test('says that one has failed, with its error, and nothing happens to the others', () => {
    const { registry, ends, start } = create();
    const [broken, healthy] = [start('broken'), start('healthy')];
    broken.send({ type: 'fail' });
    expect(ends).toEqual([['broken', new Error('a bug')]]);
    healthy.send({ type: 'count' });
    expect([registry.size, healthy.getSnapshot().context.count]).toEqual([1, 1]);
  });

  test('a crash that it has heard of does not reach the process', async () => {
    const uncaught: unknown[] = [];
    const onError = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', onError);
    create().start('a').send({ type: 'fail' });
    await new Promise((resolve) => setTimeout(resolve));
    process.off('uncaughtException', onError);
    expect(uncaught).toEqual([]);
  });

  test('hears of one that fails at its start', () => {
    const { registry, ends } = create();
    const broken = setup({}).createMachine({
      entry: () => {
        throw new Error('a bug');
      },
    });
    registry.start(broken, { id: 'a', input: undefined, onEnd: (error) => ends.push(['a', error]) });
    expect([ends, registry.size]).toEqual([[['a', new Error('a bug')]], 0]);
  });

  describe('starts members of a group', () => {
    function createMembers(inspect?: (event: InspectionEvent) => void) {
      const created = create(inspect);
      const { registry, ends } = created;
      const join = (id: string, from = 0) =>
        registry.startMember(counter, { id, input: { from }, onEnd: (error) => ends.push([id, error]) });
      return { ...created, join };
    }

    test('which run and end each for itself, whatever becomes of the others', () => {
      const { clock, registry, ends, join } = createMembers();
      const [ended, broken, healthy] = [join('ended'), join('broken'), join('healthy', 7)];
      ended.send({ type: 'end' });
      broken.send({ type: 'fail' });
      healthy.send({ type: 'count' });
      expect([registry.size, healthy.getSnapshot().context.count]).toEqual([1, 8]);
      clock.increment(1_000);
      expect(ends).toEqual([
        ['ended', undefined],
        ['broken', new Error('a bug')],
        ['healthy', undefined],
      ]);
    });

    test('from a state for which nothing needs to be entered', () => {
      const { clock, registry } = createMembers();
      const snapshot = counter.resolveState({ value: 'counting', context: { count: 3 } });
      const actor = registry.startMember(counter, { id: 'a', snapshot });
      actor.send({ type: 'count' });
      clock.increment(10_000);
      expect([actor.getSnapshot().value, actor.getSnapshot().context.count]).toEqual(['counting', 4]);
    });

    test('a few in one system, so that what ends does not look through the timers of all', () => {
      const { join } = createMembers();
      const systems = new Map<unknown, number>();
      for (let at = 0; at < 100; at += 1) {
        const { system } = join(`a${at}`);
        systems.set(system, (systems.get(system) ?? 0) + 1);
      }
      expect(systems.size).toBeGreaterThan(1);
      expect(Math.max(...systems.values())).toBeLessThanOrEqual(32);
    });

    test('and lets them be inspected', () => {
      const seen = new Set<string>();
      const { join } = createMembers(({ actorRef }) => void seen.add((actorRef as AnyActorRef).id));
      join('a').send({ type: 'count' });
      expect(seen).toContain('a');
    });
  });

  test('lets every actor be inspected', () => {
    const seen = new Set<string>();
    const { start } = create(({ type }) => void seen.add(type));
    start('a').send({ type: 'count' });
    expect(seen).toContain('@xstate.snapshot');
  });
});
