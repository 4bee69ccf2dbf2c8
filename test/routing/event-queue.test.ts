import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareIds, type StreamId } from '../../src/event/stream-id.ts';
import { EventQueue } from '../../src/routing/event-queue.ts';
import type { RoutedEvent } from '../../src/routing/routed-event.ts';
import { eventOf } from '../support/events.ts';
import { closeIds, increasingIds } from '../support/stream-ids.ts';

/** What was pushed, and how many of them were shifted since. */
const histories = fc.record({
  ids: increasingIds({ maxLength: 400 }),
  /** After each push: how often to shift. */
  shifts: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 50 }),
});

/** The queue and, beside it, the array that it behaves as. */
function build(ids: readonly StreamId[], shifts: readonly number[]): [EventQueue, RoutedEvent[]] {
  const queue = new EventQueue('c');
  const model: RoutedEvent[] = [];
  for (const [at, id] of ids.entries()) {
    const event = eventOf(id);
    queue.push(event);
    model.push(event);
    for (let count = shifts[at % shifts.length] ?? 0; count > 0; count -= 1) {
      expect(queue.shift()).toBe(model.shift());
    }
  }
  return [queue, model];
}

describe('an event queue', () => {
  test('gives back what was pushed, in order, whatever was shifted between', () => {
    fc.assert(
      fc.property(histories, ({ ids, shifts }) => {
        const [queue, model] = build(ids, shifts);
        expect([queue.length, queue.first()]).toEqual([model.length, model[0]]);
        while (model.length > 0) expect(queue.shift()).toBe(model.shift());
        expect([queue.length, queue.shift(), queue.first()]).toEqual([0, undefined, undefined]);
      }),
    );
  });

  test('finds by id what an array finds by looking at each', () => {
    fc.assert(
      fc.property(histories, closeIds, closeIds, ({ ids, shifts }, after, end) => {
        const [queue, model] = build(ids, shifts);
        const later = model.filter(({ id }) => compareIds(id, after) > 0);
        expect(queue.next(after)).toBe(later[0]);
        expect(queue.countAfter(after)).toBe(later.length);
        const between = later.filter(({ id }) => compareIds(id, end) <= 0);
        expect(queue.between(after, end)).toEqual(between);
      }),
    );
  });
});
