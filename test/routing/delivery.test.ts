import { describe, expect, jest, test } from '@jest/globals';
import type { StreamId } from '../../src/event/stream-id.ts';
import { type EventCodec, MALFORMED } from '../../src/protocol/event-codec.ts';
import { supersetStreams } from '../../src/protocol/superset/streams.ts';
import type { SocketProtocol } from '../../src/routing/protocol.ts';
import { entryOf, idsOf } from '../support/events.ts';
import { settled } from '../support/heap-clock.ts';
import { createLane, type Lane, type Outlet } from '../support/lane.ts';

type Ids = [StreamId, StreamId, StreamId, StreamId, StreamId];
const ids = idsOf(1, 2, 3, 4, 5) as Ids;
const [one, two, three, four, five] = ids;
/** Of an event whose data is empty. */
const FRAME_BYTES = '{"id":"1-0","channel_id":"c","data":null}'.length;

/** A socket that takes three frames and is full then; it reads when the test says. */
function narrow(options: Parameters<typeof createLane>[0] = {}): { lane: Lane; outlet: Outlet } {
  const limits = { maxSocketBufferBytes: 3 * FRAME_BYTES, ...options.limits };
  const lane = createLane({ ...options, limits });
  return { lane, outlet: lane.outlet() };
}

/** As its machine would after `transport.drained`. */
function drain(lane: Lane, { transport, delivery }: Outlet, writes?: number): void {
  transport.flush(writes);
  lane.runLater();
  delivery.retry();
}

describe('a delivery', () => {
  describe('whose protocol has a word for it', () => {
    const protocol = { pingText: (id?: StreamId) => JSON.stringify({ ping: id }) };
    const limits = { window: { maxEvents: 1, maxBytes: 100_000, maxAgeMs: 1_000 } };

    test('says once that a peer that was behind has everything, after what it lacked', async () => {
      const lane = createLane({ protocol, limits });
      lane.route(one, two, three);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], one);
      outlet.delivery.begin();
      await settled();
      outlet.delivery.begin();
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([two, three]);
      expect(outlet.texts.filter((text) => text.includes('ping'))).toEqual([outlet.texts.at(-1)]);
    });

    test('does not say so while a subscription ends: its peer would take it for that one, too', () => {
      const lane = createLane({ protocol, limits });
      const outlet = lane.outlet();
      outlet.delivery.join(['another']);
      lane.route(one, two, three);
      const behind = outlet.delivery.join(['c'], one);
      outlet.delivery.begin();
      outlet.delivery.leave(behind);
      outlet.transport.flush();
      expect(outlet.texts).toEqual([]);
    });
  });

  test('answers what became of a frame: queued, paused, or for nobody any more', () => {
    const { outlet } = narrow();
    const frame = Buffer.alloc(FRAME_BYTES);
    outlet.delivery.join(['c']);
    const answers = Array.from({ length: 5 }, () => outlet.delivery.offer(frame));
    expect(answers).toEqual(['ok', 'ok', 'ok', 'paused', 'paused']);
    outlet.delivery.close();
    expect(outlet.delivery.offer(frame)).toBe('closed');
  });

  test('of compressed frames takes no more of a replay in one turn than of plain ones', () => {
    const compress = jest.fn((frame: Buffer) => frame.subarray(0, 1));
    const framing = { headroom: 0, frame: (text: Buffer) => text, compress };
    const limits = { maxSocketBufferBytes: 3 * FRAME_BYTES };
    const lane = createLane({ framing, limits });
    lane.route(...idsOf(...Array.from({ length: 50 }, (_, at) => at + 1)));
    const outlet = lane.outlet();
    const subscription = outlet.delivery.join(['c'], one);
    outlet.delivery.begin();
    expect(compress.mock.calls.length).toBeLessThan(6);
    for (let turn = 0; turn < 30 && !subscription.live; turn += 1) drain(lane, outlet);
    outlet.transport.flush();
    expect([subscription.live, outlet.texts.length, compress.mock.calls.length]).toEqual([true, 49, 49]);
  });

  describe('that is joined without a position', () => {
    test('is live at once, from the last event that was routed', () => {
      const lane = createLane();
      lane.route(one, two);
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c']);
      expect([subscription.live, subscription.cursor]).toEqual([true, two]);
      lane.route(three);
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([three]);
    });
  });

  describe('that is joined to another channel', () => {
    test('while it is full or suspended, is sent what came there meanwhile', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.suspend('stale');
      const subscription = outlet.delivery.join(['c']);
      expect(subscription.live).toBe(false);
      lane.route(one, two);
      outlet.delivery.resume();
      outlet.delivery.pump();
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([one, two]);
    });
  });

  describe('that is joined with a position', () => {
    test('sends what came after it in the window, then says that it is caught up', () => {
      const lane = createLane();
      lane.route(one, two, three);
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      expect([outlet.told, subscription.live]).toEqual([['delivery.caughtUp'], true]);
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([two, three]);
      expect([lane.log.ranges, lane.metrics.of('signalbox.events_replayed')]).toEqual([0, 2]);
    });

    test('reads from the broker what the window no longer has, and the rest from there', async () => {
      const lane = createLane({ limits: { window: { maxEvents: 2, maxBytes: 100_000, maxAgeMs: 1_000 } } });
      lane.route(...ids);
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      expect([subscription.fetching, outlet.told]).toEqual([true, []]);
      await settled();
      expect([lane.log.ranges, outlet.told]).toEqual([1, ['delivery.caughtUp']]);
      lane.route(...idsOf(6));
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([two, three, four, five, '6-0']);
    });

    test('is sent what is routed while its page is being read once, after the page', async () => {
      const lane = createLane({ limits: { window: { maxEvents: 2, maxBytes: 100_000, maxAgeMs: 1_000 } } });
      lane.route(one, two, three, four);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      lane.route(five);
      await settled();
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([two, three, four, five]);
    });

    test('asks for page after page until it has everything', async () => {
      const many = idsOf(...Array.from({ length: 450 }, (_, at) => at + 1));
      const lane = createLane({
        limits: {
          window: { maxEvents: 5, maxBytes: 100_000, maxAgeMs: 1_000 },
          maxSocketBufferBytes: 1_000_000,
        },
      });
      lane.route(...many);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      await settled();
      outlet.transport.flush();
      expect(outlet.ids()).toEqual(many.slice(1));
      expect([lane.log.ranges, lane.metrics.of('signalbox.replay_pages')]).toEqual([3, 3]);
    });

    test('of before what was trimmed is told what it cannot have, then sent the rest', async () => {
      const lane = createLane({ limits: { window: { maxEvents: 1, maxBytes: 100_000, maxAgeMs: 1_000 } } });
      lane.route(...ids);
      lane.log.trimmedUpTo = two;
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      await settled();
      outlet.transport.flush();
      const gap = { after: one, to: '2-18446744073709551615', reason: 'trimmed' };
      expect(JSON.parse(outlet.texts[0] ?? '')).toEqual({ gap });
      expect(outlet.ids()).toEqual([three, four, five]);
      expect(lane.metrics.of('signalbox.gaps trimmed')).toBe(1);
    });
  });

  describe('that is joined with a position beyond the last event that was routed', () => {
    test('is live when the log has it: this process lags, and what it routes until then is dropped', async () => {
      const lane = createLane();
      lane.route(one);
      lane.entries.push(entryOf(two), entryOf(three));
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], three);
      outlet.delivery.pump();
      await settled();
      expect(outlet.told).toEqual(['delivery.caughtUp']);
      for (const id of [two, three, four]) lane.routeEntries([entryOf(id)]);
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([four]);
    });

    test('stays there when it is suspended before this process has come so far', async () => {
      const lane = createLane();
      lane.route(one);
      lane.entries.push(entryOf(two), entryOf(three));
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c'], three);
      outlet.delivery.pump();
      await settled();
      outlet.delivery.suspend('stale');
      expect(subscription.cursor).toBe(three);
    });

    test('is told of a gap when the log does not have it', async () => {
      const lane = createLane();
      lane.route(one);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], five);
      outlet.delivery.pump();
      await settled();
      lane.route(two);
      outlet.transport.flush();
      expect(JSON.parse(outlet.texts[0] ?? '')).toEqual({
        gap: { after: five, to: one, reason: 'epoch', epoch: '' },
      });
      expect(outlet.ids()).toEqual([two]);
      expect(lane.metrics.of('signalbox.last_id_ignored beyond')).toBe(1);
    });

    test('is ignored where a protocol does not trust positions', async () => {
      const lane = createLane({ protocol: { onGap: 'goOn' } });
      lane.route(one);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], five);
      outlet.delivery.pump();
      await settled();
      lane.route(two);
      outlet.transport.flush();
      expect([outlet.texts.length, outlet.ids()]).toEqual([1, [two]]);
    });

    test('asks again, when told to, if the broker is away', async () => {
      const lane = createLane();
      lane.log.isAway = true;
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], five);
      outlet.delivery.pump();
      await settled();
      expect(outlet.told).toEqual(['page.failed']);
      lane.log.isAway = false;
      lane.entries.push(entryOf(five));
      outlet.delivery.retry();
      await settled();
      expect(outlet.told).toEqual(['page.failed', 'delivery.caughtUp']);
    });
  });

  describe('that is live', () => {
    test('writes what one batch brings it in one go', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      const write = jest.spyOn(outlet.transport, 'write');
      lane.route(one, two, three);
      lane.route(four);
      expect(write.mock.calls.map(([frames, events]) => [frames.length, events])).toEqual([
        [3, 3],
        [1, 1],
      ]);
      expect(lane.metrics.of('signalbox.events_delivered')).toBe(4);
    });

    test('ends its socket, and nothing else, when its transport cannot even be asked', () => {
      const lane = createLane({ limits: { maxSocketBufferBytes: 3 * FRAME_BYTES } });
      const [broken, healthy] = [lane.outlet(), lane.outlet()];
      for (const { delivery } of [broken, healthy]) delivery.join(['c']);
      jest.spyOn(broken.transport, 'pauseInput').mockImplementation(() => {
        throw new Error('a bug');
      });
      for (const id of ids) {
        lane.route(id);
        healthy.transport.flush();
      }
      expect([broken.told, broken.bugs]).toEqual([['end failed'], [new Error('a bug')]]);
      expect([healthy.ids(), lane.errors]).toEqual([ids, []]);
    });

    test('ends its socket when its transport is broken, and counts what it took for lost', () => {
      const lane = createLane();
      const [broken, healthy] = [lane.outlet(), lane.outlet()];
      for (const { delivery } of [broken, healthy]) delivery.join(['c']);
      jest.spyOn(broken.transport, 'write').mockImplementation(() => {
        throw new Error('EPIPE');
      });
      lane.route(one, two);
      expect(broken.told).toEqual(['end failed']);
      expect(lane.metrics.of('ws_client_send_error')).toBe(2);
      expect(lane.metrics.of('signalbox.events_not_delivered failed')).toBe(2);
      healthy.transport.flush();
      expect([healthy.told, healthy.ids()]).toEqual([[], [one, two]]);
    });
  });

  describe('whose transport is full', () => {
    test('says so once, and takes nothing more, however much is routed', () => {
      const { lane, outlet } = narrow();
      outlet.delivery.join(['c']);
      lane.route(...ids);
      lane.route(...idsOf(6, 7));
      expect(outlet.told).toEqual(['transport.filled']);
      expect(outlet.transport.bufferedBytes).toBe(3 * FRAME_BYTES);
    });

    test('does not read what its client sends until it has drained', () => {
      const { lane, outlet } = narrow();
      const pause = jest.spyOn(outlet.transport, 'pauseInput');
      outlet.delivery.join(['c']);
      lane.route(...ids);
      expect(pause.mock.calls).toEqual([[true]]);
      outlet.transport.flush();
      expect(pause.mock.calls).toEqual([[true], [false]]);
    });

    test('goes on after the last event that was routed to it', () => {
      const { lane, outlet } = narrow();
      const subscription = outlet.delivery.join(['c']);
      lane.route(...ids);
      expect([subscription.live, subscription.cursor]).toEqual([false, three]);
      drain(lane, outlet);
      outlet.transport.flush();
      expect([outlet.ids(), outlet.told]).toEqual([
        ids,
        ['transport.filled', 'transport.drained', 'delivery.caughtUp'],
      ]);
    });

    test('has drained when a quarter is left, and says so in a later turn', () => {
      const { lane, outlet } = narrow({ limits: { maxSocketBufferBytes: 8 * FRAME_BYTES } });
      outlet.delivery.join(['c']);
      for (let ms = 1; ms < 12; ms += 1) lane.route(...idsOf(ms));
      outlet.transport.flush(5);
      lane.runLater();
      expect(outlet.told).toEqual(['transport.filled']);
      outlet.transport.flush(1);
      expect(outlet.told).toEqual(['transport.filled']);
      lane.runLater();
      expect(outlet.told).toEqual(['transport.filled', 'transport.drained']);
    });

    test('does not say that it has drained when it is full again by then', async () => {
      const { lane, outlet } = narrow({
        limits: { window: { maxEvents: 1, maxBytes: 100_000, maxAgeMs: 1_000 } },
      });
      lane.route(...ids);
      outlet.delivery.join(['d']);
      outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      // Filled by its other channel, while the page of the first is on its way.
      lane.routeEntries(idsOf(6, 7, 8, 9).map((id) => entryOf(id, 'd')));
      expect(outlet.told).toEqual(['transport.filled']);
      outlet.transport.flush();
      await settled();
      expect(outlet.told).toEqual(['transport.filled', 'transport.filled']);
      lane.runLater();
      expect(outlet.told).toEqual(['transport.filled', 'transport.filled']);
      outlet.transport.flush();
      lane.runLater();
      expect(outlet.told.at(-1)).toBe('transport.drained');
    });

    test('lets one frame of any size into an empty buffer, and nothing after it', () => {
      const lane = createLane({ limits: { maxSocketBufferBytes: 100 } });
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.routeEntries([entryOf(one, 'c', 'x'.repeat(5_000)), entryOf(two)]);
      expect(outlet.told).toEqual(['transport.filled']);
      drain(lane, outlet);
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([one, two]);
    });

    test('is full earlier while all sockets together hold too much', () => {
      const lane = createLane({ limits: { maxSocketBufferBytes: 1_000_000, maxTotalBufferBytes: 200_000 } });
      const outlets = [lane.outlet(), lane.outlet(), lane.outlet()];
      for (const { delivery } of outlets) delivery.join(['c']);
      for (let ms = 1; ms <= 20; ms += 1)
        lane.routeEntries([entryOf(idsOf(ms)[0] as StreamId, 'c', 'x'.repeat(9_000))]);
      for (const { told, transport } of outlets) {
        expect(told).toEqual(['transport.filled']);
        expect(transport.peakBufferedBytes).toBeLessThan(100_000);
      }
    });
  });

  describe('that is pumped', () => {
    test('fills the transport and no more, wherever the frames come from', async () => {
      const { lane, outlet } = narrow();
      lane.route(...ids);
      outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      expect([outlet.told, outlet.transport.bufferedBytes]).toEqual([['transport.filled'], 3 * FRAME_BYTES]);
      const old = narrow({ limits: { window: { maxEvents: 0, maxBytes: 0, maxAgeMs: 0 } } });
      old.lane.route(...ids);
      old.outlet.delivery.join(['c'], one);
      old.outlet.delivery.pump();
      await settled();
      expect([old.outlet.told, old.outlet.transport.bufferedBytes]).toEqual([
        ['transport.filled'],
        3 * FRAME_BYTES,
      ]);
      for (const { lane: each, outlet: full } of [{ lane, outlet }, old]) {
        drain(each, full);
        await settled();
        full.transport.flush();
        expect(full.ids()).toEqual([two, three, four, five]);
      }
    });

    test('gives its subscriptions their turns, an event each', () => {
      const lane = createLane();
      lane.routeEntries([entryOf(one, 'a'), entryOf(two, 'a'), entryOf(three, 'b'), entryOf(four, 'b')]);
      const outlet = lane.outlet();
      const zero = idsOf(0)[0] as StreamId;
      for (const channel of ['a', 'b']) outlet.delivery.join([channel], zero);
      outlet.delivery.pump();
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([one, three, two, four]);
    });

    test('is caught up only when each of its subscriptions is', async () => {
      const lane = createLane({ limits: { window: { maxEvents: 2, maxBytes: 100_000, maxAgeMs: 1_000 } } });
      lane.route(...ids);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], four);
      outlet.delivery.join(['c'], one);
      outlet.delivery.pump();
      expect(outlet.told).toEqual([]);
      await settled();
      expect(outlet.told).toEqual(['delivery.caughtUp']);
    });

    test('skips what turns out to be no event', () => {
      const lane = createLane({
        protocol: {
          codec: {
            ...supersetStreams,
            encode: (id, ...rest) => (id === two ? MALFORMED.notJson : supersetStreams.encode(id, ...rest)),
          },
        },
      });
      lane.route(one, two, three);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], idsOf(0)[0]);
      outlet.delivery.pump();
      outlet.transport.flush();
      expect([outlet.ids(), lane.malformed]).toEqual([[one, three], ['not_json']]);
    });

    test('of several channels sends what each of them had, in one order and none twice', () => {
      const lane = createLane();
      lane.routeEntries([entryOf(one, 'a'), entryOf(two, 'b'), entryOf(three, 'c'), entryOf(four, 'a')]);
      const outlet = lane.outlet();
      outlet.delivery.join(['a', 'b'], idsOf(0)[0]);
      outlet.delivery.pump();
      lane.routeEntries([entryOf(five, 'b')]);
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([one, two, four, five]);
    });
  });

  describe('whose page cannot be read', () => {
    const farBehind = (protocol: Partial<SocketProtocol> = {}) => {
      const window = { maxEvents: 1, maxBytes: 100_000, maxAgeMs: 1_000 };
      const lane = createLane({ protocol, limits: { window } });
      lane.route(...ids);
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], one);
      return { lane, outlet };
    };

    test('says so, and reads again only when it is told to', async () => {
      const { lane, outlet } = farBehind();
      lane.log.isAway = true;
      outlet.delivery.pump();
      await settled();
      outlet.delivery.pump();
      await settled();
      expect([outlet.told, lane.log.ranges]).toEqual([['page.failed'], 1]);
      lane.log.isAway = false;
      outlet.delivery.retry();
      await settled();
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([two, three, four, five]);
    });

    test('ends its socket, and not the process, when what was read cannot be sent', async () => {
      const encode: EventCodec['encode'] = () => {
        throw new Error('a bug');
      };
      const { lane, outlet } = farBehind({ codec: { ...supersetStreams, encode } });
      outlet.delivery.pump();
      await settled();
      expect(outlet.told).toEqual(['end failed']);
      expect(outlet.bugs).toEqual([new Error('a bug')]);
      lane.route(...idsOf(6));
      expect(outlet.transport.bufferedBytes).toBe(0);
    });

    test('drops what was read when it was closed, suspended or put elsewhere meanwhile', async () => {
      const happenings: ((of: ReturnType<typeof farBehind>) => void)[] = [
        ({ outlet }) => outlet.delivery.close(),
        ({ outlet }) => outlet.delivery.suspend('stale'),
        ({ lane }) => lane.fanOut.reset(one, 'epoch'),
      ];
      for (const happens of happenings) {
        const started = farBehind();
        started.outlet.delivery.pump();
        happens(started);
        await settled();
        started.outlet.transport.flush();
        expect(started.outlet.ids()).toEqual([]);
      }
    });
  });

  describe('that is suspended', () => {
    test('is written nothing; resumed and pumped, it is sent all that came meanwhile', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.route(one);
      outlet.delivery.suspend('stale');
      lane.route(two, three);
      outlet.delivery.pump();
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([one]);
      outlet.delivery.resume();
      outlet.delivery.pump();
      lane.route(four);
      outlet.transport.flush();
      expect(outlet.ids()).toEqual([one, two, three, four]);
    });
  });

  describe('that is rewound', () => {
    test('announces the gap before anything else, and one gap for several', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c']);
      lane.route(one);
      outlet.delivery.rewind(subscription, two, { after: one, to: two, reason: 'epoch' });
      outlet.delivery.rewind(subscription, three, { after: two, to: three, reason: 'epoch' });
      lane.route(four);
      outlet.delivery.pump();
      outlet.transport.flush();
      expect(outlet.texts.slice(1).map((text) => JSON.parse(text) as unknown)).toEqual([
        { gap: { after: one, to: three, reason: 'epoch' } },
        expect.objectContaining({ id: four }),
      ]);
    });

    test('ends its socket as lossy where the protocol lets clients catch up by themselves', () => {
      const lane = createLane({ protocol: { onGap: 'close' } });
      const outlet = lane.outlet();
      const subscription = outlet.delivery.join(['c']);
      outlet.delivery.rewind(subscription, one, { after: one, to: two, reason: 'lossy' });
      lane.route(three);
      outlet.delivery.pump();
      expect([outlet.told, outlet.transport.bufferedBytes]).toEqual([['end lossy'], 0]);
    });
  });

  describe('that is closed', () => {
    test('leaves everything, once', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      for (const channel of ['a', 'b']) outlet.delivery.join([channel]);
      outlet.delivery.close();
      outlet.delivery.close();
      expect(lane.subscriptions.size).toBe(0);
      expect(lane.subscriptions.of('a')).toBeUndefined();
    });

    test('counts what was never flushed, and what was never sent', () => {
      const { lane, outlet } = narrow();
      outlet.delivery.join(['c']);
      lane.route(...ids);
      outlet.transport.isReading = false;
      outlet.delivery.close();
      expect(lane.metrics.of('signalbox.events_not_delivered unflushed')).toBe(3);
      expect(lane.metrics.of('signalbox.events_not_delivered closed')).toBe(2);
    });

    test('has nothing to count when everything has arrived', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.join(['c']);
      lane.route(...ids);
      outlet.transport.flush();
      outlet.transport.cut();
      for (const reason of ['unflushed', 'closed', 'failed']) {
        expect(lane.metrics.of(`signalbox.events_not_delivered ${reason}`)).toBe(0);
      }
    });

    test('takes nothing more, and says nothing more', () => {
      const lane = createLane();
      const outlet = lane.outlet();
      outlet.delivery.join(['c'], one);
      outlet.delivery.close();
      lane.route(...ids);
      outlet.delivery.pump();
      outlet.delivery.retry();
      outlet.delivery.flushed();
      lane.runLater();
      expect([outlet.told, outlet.transport.acceptedEvents]).toEqual([[], 0]);
    });
  });
});

describe('a delivery that greets', () => {
  const greeting = (outlet: Outlet, name: string) => ({
    epoch: undefined,
    greet: (recovered: boolean) => {
      outlet.delivery.say(JSON.stringify({ hello: name, recovered }));
      return true;
    },
  });
  const texts = (outlet: Outlet): string[] => {
    outlet.transport.flush();
    return outlet.texts.map((text) => {
      const read = JSON.parse(text) as { id?: string; hello?: string; recovered?: boolean };
      return `${read.id ?? read.hello ?? text}${read.recovered === false ? '!' : ''}`;
    });
  };

  test('says so before anything of the subscription, whatever it was that was missed', async () => {
    const lane = createLane({
      limits: { window: { maxEvents: 1, maxBytes: 1_000_000, maxAgeMs: 1_000_000 } },
    });
    lane.route(one, two, three);
    const outlet = lane.outlet();
    outlet.delivery.join(['c'], one, greeting(outlet, 'c'));
    outlet.delivery.begin();
    lane.route(four);
    await settled();
    lane.route(five);
    expect(texts(outlet)).toEqual(['c', two, three, four, five]);
  });

  test('says that not everything can be had, and then what', async () => {
    const lane = createLane({
      limits: { window: { maxEvents: 1, maxBytes: 1_000_000, maxAgeMs: 1_000_000 } },
    });
    lane.route(one, two, three);
    lane.log.trimmedUpTo = two;
    const outlet = lane.outlet();
    outlet.delivery.join(['c'], one, greeting(outlet, 'c'));
    outlet.delivery.begin();
    await settled();
    expect(texts(outlet)[0]).toBe('c!');
    expect(texts(outlet)[1]).toContain('"reason":"trimmed"');
    expect(texts(outlet).slice(2)).toEqual([three]);
  });

  test('takes a position of another life of the broker for a gap', () => {
    const lane = createLane();
    lane.fanOut.epoch = 'e2';
    lane.route(one, two);
    const outlet = lane.outlet();
    outlet.delivery.join(['c'], one, { ...greeting(outlet, 'c'), epoch: 'e1' });
    outlet.delivery.begin();
    lane.route(three);
    expect(texts(outlet)).toEqual([
      'c!',
      JSON.stringify({ gap: { after: one, to: two, reason: 'epoch', epoch: 'e2' } }),
      three,
    ]);
  });

  test('sends nothing until its greeting was taken, and reads no page twice meanwhile', async () => {
    const lane = createLane({
      limits: { window: { maxEvents: 1, maxBytes: 1_000_000, maxAgeMs: 1_000_000 } },
    });
    lane.route(one, two, three);
    const outlet = lane.outlet();
    let isTaken = false;
    outlet.delivery.join(['c'], one, { epoch: undefined, greet: () => isTaken });
    outlet.delivery.begin();
    await settled();
    outlet.delivery.begin();
    await settled();
    expect([texts(outlet), lane.log.ranges]).toEqual([[], 1]);
    isTaken = true;
    outlet.delivery.begin();
    await settled();
    expect(texts(outlet)).toEqual([two, three]);
  });

  test('announces what it said is missing also when the log has lost its data before it may', async () => {
    const lane = createLane({
      limits: { window: { maxEvents: 1, maxBytes: 1_000_000, maxAgeMs: 1_000_000 } },
    });
    lane.route(one, two, three);
    lane.log.trimmedUpTo = two;
    const outlet = lane.outlet();
    const said: boolean[] = [];
    let isTaken = false;
    outlet.delivery.join(['c'], one, {
      epoch: undefined,
      greet: (recovered) => {
        said.push(recovered);
        return isTaken;
      },
    });
    outlet.delivery.begin();
    await settled();
    lane.log.trimmedUpTo = one;
    isTaken = true;
    outlet.delivery.begin();
    await settled();
    expect(new Set(said)).toEqual(new Set([false]));
    expect(texts(outlet)[0]).toContain('"reason":"trimmed"');
    expect(texts(outlet).slice(1)).toEqual([three]);
  });

  test('holds one subscription back, and leaves out what is not for it', () => {
    const lane = createLane();
    const outlet = lane.outlet();
    const subscription = outlet.delivery.join(['c'], undefined, greeting(outlet, 'c'));
    outlet.delivery.begin();
    outlet.delivery.hold(subscription);
    lane.route(one, two);
    expect(texts(outlet)).toEqual(['c']);
    outlet.delivery.release(subscription, two);
    lane.route(three);
    outlet.delivery.hold(subscription);
    outlet.delivery.release(subscription, four);
    lane.route(four, five);
    expect(texts(outlet)).toEqual(['c', one, three, five]);
  });

  test('says what is to be said also while it is full, and ends one that never reads', () => {
    const { lane, outlet } = narrow();
    outlet.delivery.join(['c'], undefined, greeting(outlet, 'c'));
    outlet.delivery.begin();
    lane.route(one, two, three, four);
    outlet.delivery.say('{"hello":"said"}');
    expect(texts(outlet)).toContain('said');
    const { lane: other, outlet: deaf } = narrow();
    deaf.delivery.join(['c']);
    other.route(one, two, three, four);
    deaf.delivery.say(`"${'x'.repeat(200_000)}"`);
    expect(deaf.told).not.toContain('end too_slow');
    deaf.delivery.say(`"${'x'.repeat(200_000)}"`);
    expect(deaf.told).toContain('end too_slow');
  });

  test('ends one subscription and keeps the others', () => {
    const lane = createLane();
    const outlet = lane.outlet();
    const left = outlet.delivery.join(['c'], undefined, greeting(outlet, 'c'));
    outlet.delivery.join(['d'], undefined, greeting(outlet, 'd'));
    outlet.delivery.begin();
    lane.route(one);
    outlet.delivery.leave(left);
    lane.route(two);
    lane.routeEntries([entryOf(three, 'd')]);
    expect(texts(outlet)).toEqual(['c', 'd', one, three]);
    expect(lane.subscriptions.size).toBe(1);
  });
});

test('a socket whose second subscription is refused is not sent the first one’s copy again', () => {
  const codec = { ...supersetStreams, channelsOf: () => ['a', 'b'], encode: () => Buffer.from('{"id":"x"}') };
  const lane = createLane({ protocol: { codec }, limits: { maxSocketBufferBytes: 10 } });
  const outlet = lane.outlet();
  const [first, second] = [outlet.delivery.join(['a']), outlet.delivery.join(['b'])];
  lane.route(one);
  expect([first.cursor, second.live, second.cursor]).toEqual([one, false, '0-0']);
});
