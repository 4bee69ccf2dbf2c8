import { describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { createRouterLogic, type RoutableBatch } from '../../machines/router.ts';
import { type StreamId, streamId } from '../../src/event/stream-id.ts';

function batchOf(...ids: StreamId[]): RoutableBatch {
  const facts = { count: ids.length, firstId: ids[0], lastId: ids.at(-1) };
  return { ...facts, toJSON: () => facts };
}

describe('router', () => {
  test('routes a batch for each message, in order, before the next', () => {
    const routed: RoutableBatch[] = [];
    const router = createActor(createRouterLogic((batch) => void routed.push(batch))).start();
    const batches = [batchOf(streamId(1, 0)), batchOf(streamId(2, 0), streamId(3, 0))];
    for (const [at, batch] of batches.entries()) {
      router.send({ type: 'batch.read', batch });
      expect(routed).toHaveLength(at + 1);
    }
    expect(routed).toEqual(batches);
  });

  test('keeps where it is and how much it has routed', () => {
    const router = createActor(createRouterLogic(() => {})).start();
    expect(router.getSnapshot().context).toEqual({ position: undefined, batches: 0, events: 0 });
    router.send({ type: 'batch.read', batch: batchOf(streamId(1, 0), streamId(2, 0)) });
    router.send({ type: 'batch.read', batch: batchOf() });
    expect(router.getSnapshot().context).toEqual({ position: '2-0', batches: 2, events: 2 });
  });

  test('a batch that is sent while one is being routed waits for its turn', () => {
    const order: string[] = [];
    const router = createActor(
      createRouterLogic((batch) => {
        order.push(`begin ${batch.lastId}`);
        if (batch.lastId === '1-0') router.send({ type: 'batch.read', batch: batchOf(streamId(2, 0)) });
        order.push(`end ${batch.lastId}`);
      }),
    ).start();
    router.send({ type: 'batch.read', batch: batchOf(streamId(1, 0)) });
    expect(order).toEqual(['begin 1-0', 'end 1-0', 'begin 2-0', 'end 2-0']);
  });

  test('an error is one of its actor: it ends it, and its supervisor hears of it', () => {
    const errors: unknown[] = [];
    const bug = new Error('a bug');
    const router = createActor(
      createRouterLogic(() => {
        throw bug;
      }),
    );
    router.subscribe({ error: (error) => errors.push(error) });
    router.start().send({ type: 'batch.read', batch: batchOf(streamId(1, 0)) });
    expect(errors).toEqual([bug]);
    expect(router.getSnapshot().status).toBe('error');
  });
});
