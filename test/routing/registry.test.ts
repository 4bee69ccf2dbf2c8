import { describe, expect, test } from '@jest/globals';
import { type AnyActorRef, assign, setup } from 'xstate';
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

function create() {
  const clock = new HeapClock();
  const registry = new Registry({ clock });
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
    function createMembers() {
      const created = create();
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
  });

  describe('tells an observer', () => {
    const observed = () => {
      const created = create();
      const seen: [string, string][] = [];
      const observe = () =>
        created.registry.observe(({ type, actorRef }) => seen.push([(actorRef as AnyActorRef).id, type]));
      const join = (id: string) => created.registry.startMember(counter, { id, input: { from: 0 } });
      return { ...created, seen, observe, join };
    };
    const count = { type: 'count' } as const;

    test('what those do that were there before, and those that come', () => {
      const { seen, observe, start, join } = observed();
      const before = [start('root'), join('member')];
      observe();
      const after = [start('later root'), join('later member')];
      for (const actor of [...before, ...after]) actor.send(count);
      const ids = seen.filter(([, type]) => type === '@xstate.snapshot').map(([id]) => id);
      for (const id of ['root', 'member', 'later root', 'later member']) expect(ids).toContain(id);
    });

    test('nothing any more once it has ended, and everything once when another begins', () => {
      const { seen, observe, start, join } = observed();
      const actors = [start('root'), join('member')];
      const end = observe();
      actors.push(start('later root'), join('later member'));
      end();
      seen.length = 0;
      for (const actor of actors) actor.send(count);
      expect(seen).toEqual([]);
      observe();
      for (const actor of actors) actor.send(count);
      for (const { id } of actors) {
        expect(seen.filter(([of, type]) => of === id && type === '@xstate.snapshot')).toHaveLength(1);
      }
    });

    test('one at a time', () => {
      const { observe } = observed();
      observe();
      expect(observe).toThrow('there is an observer already');
    });
  });
});
