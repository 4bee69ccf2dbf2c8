import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareIds, type StreamId, streamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { MALFORMED } from '../../src/protocol/event-codec.ts';
import { type RoutedEvent, sizeOf } from '../../src/routing/routed-event.ts';
import { Window, type WindowLimits } from '../../src/routing/window.ts';
import { eventOf, idsOf } from '../support/events.ts';
import { closeIds, increasingIds } from '../support/stream-ids.ts';

const UNBOUNDED: WindowLimits = { maxEvents: 1_000, maxBytes: 1_000_000, maxAgeMs: 1_000_000 };
const CHANNELS = ['a', 'b', '__proto__'];

/** Events of one channel or several, of different sizes and distances in time. */
const events = fc
  .tuple(
    increasingIds({ maxLength: 40 }),
    fc.infiniteStream(
      fc.record({
        channels: fc.oneof(fc.constantFrom(...CHANNELS), fc.subarray(CHANNELS)),
        bytes: fc.nat({ max: 900 }),
        laterMs: fc.nat({ max: 30 }),
      }),
    ),
  )
  .map(([ids, kinds]) => {
    let atMs = 0;
    return ids.map((id): RoutedEvent => {
      const { channels, bytes, laterMs } = kinds.next().value as {
        channels: string | string[];
        bytes: number;
        laterMs: number;
      };
      atMs += laterMs;
      return eventOf(id, { channels, payload: Buffer.alloc(bytes), atMs });
    });
  });

const limits: fc.Arbitrary<WindowLimits> = fc.record({
  maxEvents: fc.nat({ max: 20 }),
  maxBytes: fc.nat({ max: 8_000 }),
  maxAgeMs: fc.nat({ max: 200 }),
});

const sum = (all: readonly RoutedEvent[]): number => all.reduce((bytes, event) => bytes + sizeOf(event), 0);

/** The naive window: after each event, the oldest goes for as long as anything is beyond a limit. */
function kept(all: readonly RoutedEvent[], { maxEvents, maxBytes, maxAgeMs }: WindowLimits): RoutedEvent[] {
  let model: RoutedEvent[] = [];
  for (const event of all) {
    model = [...model, event];
    const isBeyond = (): boolean =>
      model.length > maxEvents ||
      sum(model) > maxBytes ||
      (model[0] !== undefined && event.arrival.atMs - model[0].arrival.atMs > maxAgeMs);
    while (model.length > 0 && isBeyond()) model = model.slice(1);
  }
  return model;
}

function windowOf(all: readonly RoutedEvent[], within: WindowLimits, floor: StreamId = ZERO_ID): Window {
  const window = new Window(within, floor);
  for (const event of all) window.add(event);
  return window;
}

const hears = (event: RoutedEvent, channel: string): boolean =>
  typeof event.channels === 'string' ? event.channels === channel : event.channels.includes(channel);

describe('a window', () => {
  test('keeps what a naive one keeps, bounded by count, bytes and age', () => {
    fc.assert(
      fc.property(events, limits, (all, within) => {
        const window = windowOf(all, within);
        const model = kept(all, within);
        expect([window.length, window.bytes]).toEqual([model.length, sum(model)]);
        for (const channel of CHANNELS) {
          const ofChannel = model.filter((event) => hears(event, channel));
          expect(window.between(channel, ZERO_ID, streamId(10_000, 0))).toEqual(ofChannel);
        }
      }),
    );
  });

  test('has its floor at the last event that was evicted, or where filling began', () => {
    fc.assert(
      fc.property(events, limits, (all, within) => {
        const evicted = all.length - kept(all, within).length;
        const floor = windowOf(all, within, streamId(1, 0)).floor;
        expect(floor).toBe(all[evicted - 1]?.id ?? '1-0');
      }),
    );
  });

  test('holds what is after a cursor exactly from its floor on', () => {
    fc.assert(
      fc.property(events, limits, closeIds, (all, within, cursor) => {
        const window = windowOf(all, within);
        const model = kept(all, within);
        const after = all.filter(({ id }) => compareIds(id, cursor) > 0);
        const isWhole = after.every((event) => model.includes(event));
        // At the floor or beyond nothing is missing; below it something is, or may be.
        expect(window.holds(cursor)).toBe(compareIds(cursor, window.floor) >= 0);
        expect(!window.holds(cursor) || isWhole).toBe(true);
      }),
    );
  });

  test('finds the next event of several channels, and counts what is after a cursor in each', () => {
    fc.assert(
      fc.property(events, limits, closeIds, fc.subarray(CHANNELS), (all, within, cursor, channels) => {
        const window = windowOf(all, within);
        const later = kept(all, within).filter(({ id }) => compareIds(id, cursor) > 0);
        expect(window.next(channels, cursor)).toBe(
          later.find((event) => channels.some((channel) => hears(event, channel))),
        );
        const counts = channels.map((channel) => later.filter((event) => hears(event, channel)).length);
        expect(window.countAfter(channels, cursor)).toBe(counts.reduce((total, count) => total + count, 0));
      }),
    );
  });

  test('is empty after it was cleared, with its floor where it is told', () => {
    fc.assert(
      fc.property(events, closeIds, (all, floor) => {
        const window = windowOf(all, UNBOUNDED);
        window.clear(floor);
        expect([window.length, window.bytes, window.floor]).toEqual([0, 0, floor]);
        expect(window.next(CHANNELS, ZERO_ID)).toBeUndefined();
        expect(window.countAfter(CHANNELS, ZERO_ID)).toBe(0);
      }),
    );
  });

  test('is evicted by age also without a new event', () => {
    const [first, second] = idsOf(1, 2) as [StreamId, StreamId];
    const window = windowOf([eventOf(first, { atMs: 0 }), eventOf(second, { atMs: 50 })], {
      ...UNBOUNDED,
      maxAgeMs: 100,
    });
    window.evict(101);
    expect([window.length, window.floor]).toEqual([1, first]);
    window.evict(151);
    expect([window.length, window.floor]).toEqual([0, second]);
  });

  test('takes an event larger than all of it, and does not keep it', () => {
    const [id] = idsOf(1) as [StreamId];
    const window = windowOf([eventOf(id, { payload: Buffer.alloc(5_000) })], {
      ...UNBOUNDED,
      maxBytes: 4_000,
    });
    expect([window.length, window.bytes, window.floor]).toEqual([0, 0, id]);
  });

  describe('that is given frames to keep', () => {
    test('accounts for each until its event is evicted, and for none that was evicted before', () => {
      fc.assert(
        fc.property(events, limits, fc.array(fc.nat()), (all, within, framed) => {
          const window = windowOf(all, within);
          for (const at of framed) {
            const event = all[at % Math.max(1, all.length)];
            if (event !== undefined && event.frame === undefined) window.keepFrame(event, Buffer.alloc(100));
          }
          const still = all.filter(({ id }) => compareIds(id, window.floor) > 0);
          expect(window.bytes).toBe(sum(still));
          window.evict(Number.POSITIVE_INFINITY);
          expect([window.length, window.bytes]).toEqual([0, 0]);
        }),
      );
    });

    test('is within its bytes with them too', () => {
      fc.assert(
        fc.property(events, limits, (all, within) => {
          const window = windowOf(all, within);
          for (const event of all) window.keepFrame(event, Buffer.alloc(300));
          expect(window.bytes).toBeLessThanOrEqual(within.maxBytes);
        }),
      );
    });

    test('keeps also that an event is none, which costs nothing', () => {
      const [id] = idsOf(1) as [StreamId];
      const event = eventOf(id);
      const window = windowOf([event], UNBOUNDED);
      const { bytes } = window;
      window.keepFrame(event, MALFORMED.notJson);
      expect([event.frame, window.bytes]).toEqual([MALFORMED.notJson, bytes]);
    });
  });
});
