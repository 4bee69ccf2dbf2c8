import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StreamId } from '../../src/event/stream-id.ts';
import { createSeparateReplay } from '../../src/routing/separate-replay.ts';
import { Pages } from '../../src/routing/pages.ts';
import type { Subscription } from '../../src/routing/subscriptions.ts';
import { Window } from '../../src/routing/window.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { eventOf } from '../support/events.ts';

const id = (text: string): StreamId => text as StreamId;

describe('a position that a client of separate streams claims', () => {
  let window: Window;
  const begin = (lastId: string): Subscription => {
    const neverRead = () => Promise.reject(new Error('nothing is read when it begins'));
    const pages = new Pages({
      log: { range: neverRead },
      maxReads: 1,
      onRequested() {},
      onSettled() {},
    });
    const replay = createSeparateReplay({
      pages,
      window,
      log: { lastId: neverRead },
      position: () => id('1700000000900-0'),
      routed: neverRead,
      slackMs: 200,
      metrics: new CountingMetrics(),
    });
    const subscription = {
      channels: ['a'],
      cursor: id(lastId),
      replay: undefined,
    } as unknown as Subscription;
    replay.begin(subscription);
    return subscription;
  };

  beforeEach(() => {
    window = new Window({ maxEvents: 100, maxBytes: 1e6, maxAgeMs: 1e6 }, id('1700000000300-5'));
    for (const [text, channel] of [
      ['1700000000500-1', 'a'],
      ['1700000000500-2', 'b'],
      ['1700000000500-3', 'a'],
    ] as const) {
      window.add(eventOf(id(text), { channels: channel, payload: Buffer.alloc(1) }));
    }
  });

  test('is exact when the window has that event of that channel', () => {
    const { cursor, replay } = begin('1700000000500-1');
    expect({ cursor, replay }).toEqual({ cursor: '1700000000500-1', replay: undefined });
  });

  test('may be the id of the channel stream otherwise: nothing of its millisecond is taken for known', () => {
    const { cursor, replay } = begin('1700000000500-2');
    expect(replay).toBeUndefined();
    expect(window.next(['a'], cursor)?.id).toBe('1700000000500-1');
  });

  test.each(['1700000000300-9', '1700000000300-0', '1600000000000-0'])(
    'is looked for in the channel stream when it is not of a later millisecond than the floor: %s',
    (lastId) => {
      const { replay } = begin(lastId);
      expect(replay?.from).toBe(lastId);
      expect(Number(replay?.after.split('-')[0])).toBeLessThan(Number(lastId.split('-')[0]) - 200 + 1);
    },
  );
});
