import { describe, expect, test } from '@jest/globals';
import type { StreamId } from '../../src/event/stream-id.ts';
import { idsOf } from '../support/events.ts';
import { settled } from '../support/heap-clock.ts';
import { createLane } from '../support/lane.ts';

const [one, two, three, four] = idsOf(1, 2, 3, 4) as [StreamId, StreamId, StreamId, StreamId];
const window = { maxEvents: 2, maxBytes: 100_000, maxAgeMs: 1_000 };

describe('a lossy replay', () => {
  test('serves what the window has', () => {
    const lane = createLane({ isLossy: true, limits: { window } });
    lane.route(one, two, three);
    const outlet = lane.outlet();
    outlet.delivery.join(['c'], one);
    outlet.delivery.pump();
    outlet.transport.flush();
    expect([outlet.ids(), lane.log.ranges]).toEqual([[two, three], 0]);
  });

  test('says that what fell out of it is lost, asks nobody for it, and goes on with the rest', async () => {
    const lane = createLane({ isLossy: true, limits: { window } });
    lane.route(one, two, three, four);
    const outlet = lane.outlet();
    outlet.delivery.join(['c'], one);
    outlet.delivery.pump();
    await settled();
    outlet.transport.flush();
    expect(JSON.parse(outlet.texts[0] ?? '')).toEqual({ gap: { after: one, to: two, reason: 'lossy' } });
    expect([outlet.ids(), lane.log.ranges, lane.metrics.of('signalbox.gaps lossy')]).toEqual([
      [three, four],
      0,
      1,
    ]);
  });

  test('ends the sockets of a protocol whose clients catch up by themselves', async () => {
    const lane = createLane({ isLossy: true, limits: { window }, protocol: { onGap: 'close' } });
    lane.route(one, two, three, four);
    const outlet = lane.outlet();
    outlet.delivery.join(['c'], one);
    outlet.delivery.pump();
    await settled();
    expect([outlet.told, outlet.transport.acceptedEvents]).toEqual([['end lossy'], 0]);
  });
});
