import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Entry } from '../../src/event/entry.ts';
import { compareIds, type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { supersetStreams } from '../../src/protocol/superset/streams.ts';
import { supersetRealtimeProtocol } from '../../src/protocol/superset/socket-protocol.ts';
import { type FanOut, RoutedBatch } from '../../src/routing/fan-out.ts';
import { entryOf, idsOf } from '../support/events.ts';
import { settled as promisesSettled } from '../support/heap-clock.ts';
import { createLane } from '../support/lane.ts';
import { payloads } from '../support/payloads.ts';
import { increasingIds } from '../support/stream-ids.ts';

const [one, two, three, four, five] = idsOf(1, 2, 3, 4, 5) as [
  StreamId,
  StreamId,
  StreamId,
  StreamId,
  StreamId,
];

const raw = (id: StreamId, payload: string | Buffer): Entry => ({
  id,
  fields: [Buffer.from('data'), Buffer.from(payload)],
});
const realtime = supersetRealtimeProtocol({ onRepaired() {} });
const routedTo = (id: StreamId, ...routes: string[]): Entry =>
  raw(id, JSON.stringify({ topic: 't', scope: 'user', routes, payload: { n: 1 } }));

const fill = ({ fanOut }: { readonly fanOut: FanOut }, ...held: Parameters<FanOut['fill']>): void =>
  fanOut.fill(...held);

describe('a routed batch', () => {
  test('is shown to inspection as a count and two ids, without its payloads', () => {
    const batch = new RoutedBatch([entryOf(one), entryOf(two), entryOf(three)], false);
    expect(JSON.parse(JSON.stringify(batch))).toEqual({ count: 3, firstId: one, lastId: three });
  });
});

describe('the fan-out', () => {
  test('brings each event to everybody on its channel and to nobody else, in order', () => {
    const lane = createLane();
    const [first, second, other] = [lane.outlet(), lane.outlet(), lane.outlet()];
    for (const { delivery } of [first, second]) delivery.join(['a']);
    other.delivery.join(['b']);
    lane.routeEntries([entryOf(one, 'a'), entryOf(two, 'b'), entryOf(three, 'a'), entryOf(four, 'nobody')]);
    for (const { transport } of [first, second, other]) transport.flush();
    expect([first.ids(), second.ids(), other.ids()]).toEqual([[one, three], [one, three], [two]]);
  });

  test('encodes an event once, whoever hears it, and shares the frame', () => {
    const encode = jest.fn(supersetStreams.encode);
    const lane = createLane({ protocol: { codec: { ...supersetStreams, encode } } });
    const outlets = [lane.outlet(), lane.outlet(), lane.outlet()];
    const frames: unknown[] = [];
    for (const { delivery, transport } of outlets) {
      delivery.join(['c']);
      jest.spyOn(transport, 'write').mockImplementation((written) => void frames.push(...written));
    }
    lane.route(one);
    expect([encode.mock.calls.length, frames.length, new Set(frames).size]).toEqual([1, 3, 1]);
  });

  test('does not encode what nobody hears, and keeps it for those who come back', () => {
    const encode = jest.fn(supersetStreams.encode);
    const lane = createLane({ protocol: { codec: { ...supersetStreams, encode } } });
    lane.route(one, two);
    expect([encode.mock.calls.length, lane.window.length]).toEqual([0, 2]);
  });

  test('brings an event of several channels once to a subscription of several of them', () => {
    const lane = createLane({ protocol: realtime });
    const [both, one_] = [lane.outlet(), lane.outlet()];
    both.delivery.join(['a', 'b']);
    one_.delivery.join(['b']);
    lane.routeEntries([routedTo(one, 'a', 'b'), routedTo(two, 'b'), routedTo(three, 'c')]);
    for (const { transport } of [both, one_]) transport.flush();
    expect([both.texts.length, one_.texts.length]).toEqual([2, 2]);
  });

  describe('its position', () => {
    test('is the id of the last entry that was routed, heard or not, event or not', () => {
      const lane = createLane();
      expect(lane.fanOut.position).toBe(ZERO_ID);
      lane.routeEntries([entryOf(one), raw(two, 'no event')]);
      expect(lane.fanOut.position).toBe(two);
    });

    test('never goes back, and what it has passed is not routed again, whatever comes', () => {
      const batches = fc.array(fc.record({ ids: increasingIds({ maxLength: 6 }), trimmed: fc.boolean() }), {
        maxLength: 8,
      });
      fc.assert(
        fc.property(batches, (all) => {
          const lane = createLane({ limits: { maxSocketBufferBytes: 1_000_000 } });
          const outlet = lane.outlet();
          outlet.delivery.join(['c']);
          let position = lane.fanOut.position;
          for (const { ids, trimmed } of all) {
            lane.routeEntries(
              ids.map((id) => entryOf(id)),
              trimmed,
            );
            outlet.delivery.retry();
            expect(compareIds(lane.fanOut.position, position)).toBeGreaterThanOrEqual(0);
            position = lane.fanOut.position;
          }
          outlet.transport.flush();
          const ids = outlet.ids();
          expect(ids).toEqual([...new Set(ids)].toSorted(compareIds));
        }),
      );
    });
  });

  describe('an entry that comes after one that never came', () => {
    const afterOf = new Map([[three, two]]);
    const codec = { ...supersetStreams, previousOf: ({ id }: { id: StreamId }) => afterOf.get(id) };

    test('sends those who are live to the channel’s own stream', async () => {
      const lane = createLane({ protocol: { codec } });
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.route(one);
      lane.entries.push(entryOf(two));
      lane.routeEntries([entryOf(three)]);
      outlet.delivery.pump();
      await promisesSettled();
      outlet.transport.flush();
      expect(outlet.told).toContain('delivery.fellBehind');
      expect(outlet.ids()).toEqual([one, two, three]);
    });

    test('is a gap for them where that does not have it either', async () => {
      const lane = createLane({ protocol: { codec } });
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.route(one);
      lane.log.trimmedUpTo = two;
      lane.routeEntries([entryOf(three)]);
      outlet.delivery.pump();
      await promisesSettled();
      outlet.transport.flush();
      expect(outlet.texts.join()).toContain('"reason":"trimmed"');
      expect(outlet.ids()).toEqual([one, three]);
    });

    test('changes nothing when what it names is later than itself', () => {
      const strange = { ...codec, previousOf: () => three };
      const lane = createLane({ protocol: { codec: strange } });
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.route(one, two);
      outlet.transport.flush();
      expect([outlet.ids(), outlet.told]).toEqual([[one, two], []]);
    });
  });

  describe('never throws', () => {
    test('whatever the payloads are', () => {
      fc.assert(
        fc.property(fc.array(payloads), (all) => {
          const lane = createLane();
          const outlet = lane.outlet();
          outlet.delivery.join(['c']);
          const entries = all.map((payload, at) => raw(idsOf(at + 1)[0] as StreamId, payload));
          lane.routeEntries(entries);
          expect(lane.fanOut.position).toBe(entries.at(-1)?.id ?? ZERO_ID);
          expect(lane.errors).toEqual([]);
        }),
      );
    });

    test.each(['encode', 'channelsOf'] as const)(
      'when %s does: that entry is skipped and reported',
      (broken) => {
        const bug = new Error('a bug');
        const failing = (payload: Buffer): void => {
          if (payload.includes('break')) throw bug;
        };
        const lane = createLane({
          protocol: {
            codec: {
              ...supersetStreams,
              channelsOf(payload) {
                if (broken === 'channelsOf') failing(payload);
                return supersetStreams.channelsOf(payload);
              },
              encode(id, channels, payload, headroom) {
                if (broken === 'encode') failing(payload);
                return supersetStreams.encode(id, channels, payload, headroom);
              },
            },
          },
        });
        const outlet = lane.outlet();
        outlet.delivery.join(['c']);
        lane.routeEntries([entryOf(one), entryOf(two, 'c', 'break'), entryOf(three)]);
        outlet.transport.flush();
        expect([outlet.ids(), lane.errors]).toEqual([[one, three], [{ error: bug, id: two }]]);
        expect(lane.fanOut.position).toBe(three);
      },
    );

    test('when an entry is no event: it is counted and skipped', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.routeEntries([raw(one, 'not JSON'), raw(two, '[]'), raw(three, '{}'), entryOf(four)]);
      outlet.transport.flush();
      expect([outlet.ids(), lane.malformed]).toEqual([[four], ['not_json', 'not_object', 'no_channel']]);
    });
  });

  test('counts the events that it routed', () => {
    const lane = createLane();
    lane.route(one, two);
    lane.route(three);
    lane.routeEntries([raw(four, 'not JSON')]);
    lane.route(two);
    expect(lane.metrics.of('signalbox.events_routed')).toBe(3);
  });

  test('drops what has grown too old also when nothing comes', () => {
    let nowMs = 0;
    const window = { maxEvents: 10, maxBytes: 100_000, maxAgeMs: 1_000 };
    const lane = createLane({ now: () => nowMs, limits: { window } });
    lane.route(one);
    nowMs = 1_001;
    lane.fanOut.expire();
    expect([lane.window.length, lane.window.floor]).toEqual([0, one]);
  });

  describe('that is filled at start', () => {
    test('takes what the log held into the window, for those who come back, and is at the end of the log', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      const held = [entryOf(two), entryOf(three)];
      fill(lane, held, one, four, () => 0);
      expect([lane.fanOut.position, lane.window.floor, lane.window.length]).toEqual([four, one, 2]);
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([]);
      const back = lane.outlet();
      back.delivery.join(['c'], two);
      back.delivery.pump();
      back.transport.flush();
      expect(back.ids()).toEqual([three]);
    });

    test('gives what it fills in the age that the broker says, so that it leaves the window in time', () => {
      const window = { maxEvents: 10, maxBytes: 100_000, maxAgeMs: 1_000 };
      const lane = createLane({ now: () => 50_000, limits: { window } });
      const held = [entryOf(one), entryOf(two)];
      fill(lane, held, ZERO_ID, two, (id) => (id === one ? 900 : 100));
      lane.window.evict(50_101);
      expect([lane.window.length, lane.window.floor]).toEqual([1, one]);
    });

    test('skips what is no event', () => {
      const lane = createLane();
      const held = [raw(one, 'not JSON'), entryOf(two)];
      fill(lane, held, ZERO_ID, two, () => 0);
      expect([lane.window.length, lane.malformed]).toEqual([1, ['not_json']]);
    });
  });

  describe('when the log lost its data', () => {
    test('tells everybody of a gap from where they were, forgets the window and goes on from there', () => {
      const lane = createLane();
      const [live, behind] = [lane.outlet(), lane.outlet()];
      live.delivery.join(['c']);
      lane.route(two, three);
      behind.delivery.join(['c'], two);
      lane.fanOut.reset(one, 'epoch');
      expect([lane.fanOut.position, lane.window.floor, lane.window.length]).toEqual([one, one, 0]);
      for (const outlet of [live, behind]) {
        expect(outlet.told).toEqual(['delivery.fellBehind']);
        outlet.delivery.pump();
      }
      lane.route(two);
      for (const { transport } of [live, behind]) transport.flush();
      const gapOf = ({ texts }: typeof live) =>
        texts.map((text) => (JSON.parse(text) as { gap?: unknown }).gap).find((gap) => gap !== undefined);
      expect(gapOf(live)).toEqual({ after: three, to: one, reason: 'epoch', epoch: '' });
      expect(gapOf(behind)).toEqual({ after: two, to: one, reason: 'epoch', epoch: '' });
      expect([live.ids(), behind.ids()]).toEqual([[two, three, two], [two]]);
    });

    test('lets a client that cannot be told of a gap go on from where it is, as far as the log has it', async () => {
      const lane = createLane({ protocol: { onGap: 'goOn' } });
      lane.route(one, two, three);
      const behind = lane.outlet();
      const subscription = behind.delivery.join(['c'], one);
      lane.fanOut.reset(three, 'epoch');
      expect(subscription.cursor).toBe(one);
      behind.delivery.pump();
      await promisesSettled();
      behind.transport.flush();
      expect(behind.ids()).toEqual([two, three]);
    });

    test('lets everybody pump only when all have been changed', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      const subscriptions = [outlet.delivery.join(['a']), outlet.delivery.join(['b'])];
      const tell = jest.spyOn(outlet.delivery, 'fallBehind').mockImplementation(() => {
        expect(subscriptions.map(({ gap }) => gap?.to)).toEqual([five, five]);
      });
      lane.fanOut.reset(five, 'epoch');
      expect(tell).toHaveBeenCalledTimes(1);
    });
  });

  describe('when events of one channel were lost', () => {
    const gapsOf = (texts: readonly string[]) =>
      texts.flatMap((text) => (JSON.parse(text) as { gap?: unknown }).gap ?? []);

    test('tells those who hear it, live or behind, and goes on from the position', () => {
      const lane = createLane({ isLossy: true, limits: { maxSocketBufferBytes: 1 } });
      const [live, behind, other] = [lane.outlet(), lane.outlet(), lane.outlet()];
      for (const { delivery } of [live, behind]) delivery.join(['a']);
      other.delivery.join(['b']);
      for (const id of [one, two]) {
        lane.routeEntries([entryOf(id, 'a'), entryOf(id, 'b')]);
        live.transport.flush();
      }
      lane.fanOut.lose('a');
      lane.fanOut.lose('nobody');
      for (const { delivery, transport } of [live, behind]) {
        transport.flush();
        delivery.pump();
        transport.flush();
      }
      lane.routeEntries([entryOf(three, 'a')]);
      for (const { transport } of [live, behind, other]) transport.flush();
      expect([gapsOf(live.texts), gapsOf(behind.texts), gapsOf(other.texts)]).toEqual([
        [{ after: two, to: two, reason: 'lossy' }],
        [{ after: one, to: two, reason: 'lossy' }],
        [],
      ]);
      expect([live.ids(), behind.ids()]).toEqual([
        [one, two, three],
        [one, three],
      ]);
    });
  });

  describe('when the log was trimmed unread', () => {
    test('sends everybody who was live to its channel, from the last event that was routed', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c']);
      lane.route(one);
      lane.routeEntries([entryOf(four), entryOf(five)], true);
      expect(outlet.told).toEqual(['delivery.fellBehind']);
      expect([subscription.live, subscription.cursor]).toEqual([false, one]);
      expect([lane.window.floor, lane.window.length]).toEqual(['3-18446744073709551615', 2]);
    });

    test('forgets nothing when the trim ends where it is', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.route(one);
      lane.routeEntries([entryOf('1-1' as StreamId)], true);
      outlet.transport.flush();
      expect([lane.window.length, outlet.told, outlet.ids()]).toEqual([2, [], [one, '1-1']]);
    });

    test('leaves those who were behind already where they were', () => {
      const lane = createLane();
      lane.route(one, two);
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c'], one);
      lane.fanOut.skipTo(four);
      expect([subscription.cursor, subscription.gap, lane.fanOut.position]).toEqual([one, undefined, four]);
    });
  });

  describe('asked to wait until an id was routed', () => {
    const isSettled = async (promise: Promise<void>): Promise<boolean> => {
      let settled = false;
      void promise.then(() => {
        settled = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      return settled;
    };

    test('answers at once where it has been', async () => {
      const lane = createLane();
      lane.route(two);
      expect(await isSettled(lane.fanOut.routed(one))).toBe(true);
      expect(await isSettled(lane.fanOut.routed(two))).toBe(true);
    });

    test.each<[string, (lane: ReturnType<typeof createLane>) => void]>([
      ['it has been routed', (lane) => lane.route(three)],
      ['it was trimmed', (lane) => lane.fanOut.skipTo(four)],
      ['the log lost its data', (lane) => lane.fanOut.reset(one, 'epoch')],
    ])('answers once %s', async (_, happens) => {
      const lane = createLane();
      lane.route(one);
      const routed = lane.fanOut.routed(three);
      lane.route(two);
      expect(await isSettled(routed)).toBe(false);
      happens(lane);
      expect(await isSettled(routed)).toBe(true);
    });
  });
});
