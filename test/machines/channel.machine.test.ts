import { describe, expect, test } from '@jest/globals';
import { channelMachine } from '../../machines/channel.machine.ts';
import { after, firstStep, isNothing, nextStep, type Step } from '../support/step.ts';

type ChannelStep = Step<typeof machine>;
type Happening = Parameters<typeof nextStep<typeof machine>>[2];

const machine = channelMachine.provide({ delays: { attachRetry: 100 } });
const steps = (from: ChannelStep, ...happenings: Happening[]) => nextStep(machine, from, ...happenings);
const repeat = (happening: Happening, times: number) => Array.from({ length: times }, () => happening);

const attached: Happening = { type: 'feed.attached' };
const failed: Happening = { type: 'feed.failed' };
const lost: Happening = { type: 'feed.lost' };
const joined: Happening = { type: 'subscriber.joined' };
const left: Happening = { type: 'subscriber.left' };
const requested: Happening = { type: 'page.requested' };
const settled: Happening = { type: 'page.settled' };
const retry = after('attachRetry', 'channel.connecting.waiting');
const collect = after('gcInterval', 'channel.stale');

const attaching = firstStep(machine, { id: 'c', gcIntervalMs: 3_600_000 });
const waiting = steps(attaching, failed);
const live = steps(attaching, attached);
const replaying = steps(live, requested);
const stale = steps(live, left);

describe('channel machine', () => {
  describe('when connecting', () => {
    test('attaches to its feed, with the subscriber it began with', () => {
      expect([attaching.state, attaching.actions]).toEqual(['connecting.attaching', ['attach']]);
      expect(attaching.snapshot.context.subscribers).toBe(1);
    });

    test('is live once it is attached and has subscribers', () => expect(live.state).toBe('live'));

    test('is stale at once when everybody has left meanwhile', () => {
      expect(steps(attaching, left, attached).state).toBe('stale');
    });

    test('replays when pages are being read by the time it is attached', () => {
      expect(steps(attaching, requested, attached).state).toBe('replaying');
    });

    test('waits and tries again when it cannot attach', () => {
      expect([waiting.state, waiting.delaysMs]).toEqual(['connecting.waiting', [100]]);
      const again = steps(waiting, retry);
      expect([again.state, again.actions]).toEqual(['connecting.attaching', ['attach']]);
    });

    test('counts the attempts in a row, and forgets them once it is attached', () => {
      const twice = steps(waiting, retry, failed);
      expect(twice.snapshot.context.attempt).toBe(2);
      expect(steps(twice, retry, attached).snapshot.context.attempt).toBe(0);
    });
  });

  describe('when waiting to attach', () => {
    test('ends with its last subscriber: it does not try for ever for nobody', () => {
      const end = steps(waiting, left);
      expect([end.state, end.actions, end.snapshot.status]).toEqual(['collected', ['detach'], 'done']);
      expect(steps(waiting, joined, left).state).toBe('connecting.waiting');
    });

    test('ends at once when they had left before the attempt failed', () => {
      expect(steps(attaching, left).state).toBe('connecting.attaching');
      expect(steps(attaching, left, failed).state).toBe('collected');
    });

    test('is kept for a page that is being read, without subscribers', () => {
      const kept = steps(waiting, requested, left);
      expect(kept.state).toBe('connecting.waiting');
      expect(steps(kept, settled).state).toBe('collected');
    });
  });

  describe('when its feed is lost', () => {
    test('attaches anew, for those who are there', () => {
      const again = steps(live, joined, lost);
      expect([again.state, again.actions]).toEqual(['connecting.attaching', ['attach']]);
      expect(again.snapshot.context.subscribers).toBe(2);
      expect(steps(again, attached).state).toBe('live');
    });

    test('goes on replaying once it is attached again', () => {
      expect(steps(replaying, lost).state).toBe('connecting.attaching');
      expect(steps(replaying, lost, attached).state).toBe('replaying');
    });

    test('ends when nobody is there', () => expect(steps(stale, lost).state).toBe('collected'));
  });

  describe('when live', () => {
    test('counts its subscribers', () => {
      expect(steps(live, ...repeat(joined, 3), left).snapshot.context.subscribers).toBe(3);
    });

    test('replays while pages are being read, whoever asked for them', () => {
      expect(replaying.state).toBe('replaying');
      expect(steps(replaying, requested, settled).state).toBe('replaying');
      expect(steps(replaying, requested, settled, settled).state).toBe('live');
    });

    test('goes stale with the last subscriber', () => {
      expect(steps(live, joined, left).state).toBe('live');
      expect([stale.state, stale.delaysMs]).toEqual(['stale', [3_600_000]]);
    });
  });

  describe('when replaying', () => {
    test('goes stale by way of live when its last subscriber leaves before the page is there', () => {
      expect(steps(replaying, left).state).toBe('replaying');
      expect(steps(replaying, left, settled).state).toBe('stale');
    });
  });

  describe('when stale', () => {
    test('a join brings it back to live, without attaching again', () => {
      const again = steps(stale, joined);
      expect([again.state, again.actions]).toEqual(['live', []]);
    });

    test('detaches and ends after the interval', () => {
      const end = steps(stale, collect);
      expect([end.state, end.actions, end.snapshot.status]).toEqual(['collected', ['detach'], 'done']);
    });

    test('begins a new interval each time it goes stale', () => {
      expect(steps(stale, joined, left).delaysMs).toEqual([3_600_000]);
    });
  });

  const counts: Happening['type'][] = [
    'subscriber.joined',
    'subscriber.left',
    'page.requested',
    'page.settled',
  ];
  const table: Record<string, { from: ChannelStep; does: Happening['type'][] }> = {
    attaching: { from: attaching, does: ['feed.attached', 'feed.failed', ...counts] },
    'waiting to attach': { from: waiting, does: ['feed.attached', ...counts] },
    live: { from: live, does: ['feed.lost', ...counts] },
    replaying: { from: replaying, does: ['feed.lost', ...counts] },
    stale: { from: stale, does: ['feed.lost', ...counts] },
  };
  const happenings = [attached, failed, lost, joined, left, requested, settled] as const;

  describe.each(Object.entries(table))('when %s', (_, { from, does }) => {
    test.each(happenings.filter(({ type }) => does.includes(type)))('$type has its effect', (happening) => {
      expect(isNothing(from, steps(from, happening))).toBe(false);
    });

    test('everything else does nothing', () => {
      for (const happening of happenings.filter(({ type }) => !does.includes(type))) {
        expect([happening.type, isNothing(from, steps(from, happening))]).toEqual([happening.type, true]);
      }
    });
  });
});
