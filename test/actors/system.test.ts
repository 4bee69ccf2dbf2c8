import { describe, expect, test } from '@jest/globals';
import { createSystemLogic, type SystemActor } from '../../src/actors/system.ts';
import { Registry } from '../../src/routing/registry.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';

type Part = 'listen' | 'drain' | 'shutDown';

/** A system whose parts settle when the test says. */
function createSystem() {
  const clock = new HeapClock();
  const registry = new Registry({ clock });
  const happened: string[] = [];
  const settle = new Map<Part, { done: () => void; failed: (error: Error) => void }>();
  const begin = (part: Part) => () => {
    happened.push(part);
    return new Promise<void>((done, failed) => settle.set(part, { done, failed }));
  };
  const logic = createSystemLogic({
    startReader: () => void happened.push('startReader'),
    listen: begin('listen'),
    drain: begin('drain'),
    shutDown: begin('shutDown'),
    onListening: () => void happened.push('listening'),
    onDraining: () => void happened.push('draining'),
  });
  const actor: SystemActor = registry.start(logic, {
    id: 'system',
    input: { drainTimeoutMs: 8_000 },
    onEnd: (error) => happened.push(error === undefined ? 'ended' : 'crashed'),
  });
  return {
    clock,
    happened,
    actor,
    output: () => actor.getSnapshot().output,
    async done(part: Part) {
      settle.get(part)?.done();
      await settled();
    },
    async failed(part: Part, error: Error) {
      settle.get(part)?.failed(error);
      await settled();
    },
  };
}

describe('a system', () => {
  test('reads and listens, then drains, shuts down and ends with 0', async () => {
    const { happened, actor, done, output } = createSystem();
    await done('listen');
    actor.send({ type: 'system.stop' });
    await done('drain');
    await done('shutDown');
    expect(happened.slice(0, 2).toSorted()).toEqual(['listen', 'startReader']);
    expect(happened.slice(2)).toEqual(['listening', 'draining', 'drain', 'shutDown', 'ended']);
    expect(output()).toEqual({ exitCode: 0, error: undefined });
  });

  test('whose port cannot be bound shuts down without a drain, and ends with 1 and the error', async () => {
    const { happened, failed, done, output } = createSystem();
    const error = new Error('EADDRINUSE');
    await failed('listen', error);
    await done('shutDown');
    expect(happened.slice(2)).toEqual(['shutDown', 'ended']);
    expect(output()).toEqual({ exitCode: 1, error });
  });

  test('whose reader crashes drains its sockets, and ends with 1', async () => {
    const { happened, actor, done, output } = createSystem();
    await done('listen');
    const error = new Error('a bug');
    actor.send({ type: 'actor.crashed', error });
    await done('drain');
    await done('shutDown');
    expect(happened.slice(3)).toEqual(['draining', 'drain', 'shutDown', 'ended']);
    expect(output()).toEqual({ exitCode: 1, error });
  });

  test('goes on when the drain or the shut-down does not end in time', async () => {
    const { happened, actor, done, clock, output } = createSystem();
    await done('listen');
    actor.send({ type: 'system.stop' });
    await clock.advance(7_999);
    expect(happened.at(-1)).toBe('drain');
    await clock.advance(1);
    expect(happened.at(-1)).toBe('shutDown');
    await clock.advance(8_000);
    expect(happened.at(-1)).toBe('ended');
    expect(output()).toEqual({ exitCode: 0, error: undefined });
  });
});
