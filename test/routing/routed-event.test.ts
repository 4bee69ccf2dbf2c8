import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { streamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { keptPayload, type RoutedEvent, Slabs } from '../../src/routing/routed-event.ts';
import { Window } from '../../src/routing/window.ts';

const arrival = { atMs: 0 };

/** The memory that these events keep alive: whole buffers, however little of them is used. */
const heldBytes = (events: readonly RoutedEvent[]): number => {
  const buffers = new Set(events.map(({ slab }) => slab.buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
};

describe('kept payloads', () => {
  test('are what was given, whatever their sizes and however many there are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 100_000 }), { maxLength: 40 }), (sizes) => {
        const slabs = new Slabs();
        const payloads = sizes.map((size, at) => Buffer.alloc(size, at));
        const events = payloads.map((payload, at) => slabs.keep(streamId(1, at), 'c', payload, arrival));
        for (const payload of payloads) payload.fill(0xff);
        for (const [at, event] of events.entries()) {
          expect(keptPayload(event).equals(Buffer.alloc(sizes[at] as number, at))).toBe(true);
        }
      }),
    );
  });

  test('hold little more memory than the window counts, also when most of a batch did not fit', () => {
    const slabs = new Slabs();
    const maxBytes = 1_000_000;
    const window = new Window({ maxEvents: 1e9, maxBytes, maxAgeMs: 1e9 }, ZERO_ID);
    for (let at = 0; at < 500; at += 1) {
      window.add(slabs.keep(streamId(1, at), 'c', Buffer.alloc(20_000), arrival));
    }
    expect(window.bytes).toBeLessThanOrEqual(maxBytes);
    expect(heldBytes(window.between('c', ZERO_ID, streamId(2, 0)))).toBeLessThan(maxBytes + 2 * 262_144);
  });

  test('share nothing with the pool that everything else in the process is cut from', () => {
    const slabs = new Slabs();
    const events = Array.from({ length: 1_000 }, (_, at) => {
      Buffer.from('x'.repeat(3_000));
      return slabs.keep(streamId(1, at), 'c', Buffer.alloc(100), arrival);
    });
    expect(heldBytes(events)).toBe(262_144);
  });
});
