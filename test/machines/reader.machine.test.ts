import { describe, expect, test } from '@jest/globals';
import { readerMachine } from '../../machines/reader.machine.ts';
import { after, firstStep, isNothing, nextStep, type Step } from '../support/step.ts';

type ReaderStep = Step<typeof machine>;
type Happening = Parameters<typeof nextStep<typeof machine>>[2];

const machine = readerMachine.provide({ delays: { backoff: ({ context }) => context.attempt } });
const steps = (from: ReaderStep, ...happenings: Happening[]) => nextStep(machine, from, ...happenings);

const stop: Happening = { type: 'reader.stop' };
const done = (state: string) => ({ type: `xstate.done.actor.0.reader.${state}` }) as const;
const failed = (state: string, error: unknown = new Error('connection lost')) =>
  ({ type: `xstate.error.actor.0.reader.${state}`, error }) as const;
const backedOff = after('backoff', 'reader.stale');
const settled = after('settle', 'reader.live');

const connecting = firstStep(machine, { id: 'firehose', settleMs: 5_000 });
const replaying = steps(connecting, done('connecting'));
const live = steps(replaying, done('replaying'));
const stale = steps(live, failed('live'));

describe('reader machine', () => {
  test('connects, catches up, and only then is live', () => {
    expect([connecting, replaying, live].map(({ state }) => state)).toEqual([
      'connecting',
      'replaying',
      'live',
    ]);
    expect([connecting, replaying, live].map(({ actions }) => actions)).toEqual([[], [], ['reportLive']]);
  });

  describe.each([
    ['connecting', connecting],
    ['replaying', replaying],
    ['live', live],
  ])('when %s', (state, from) => {
    test('goes stale when it fails: disconnects, says so, and waits', () => {
      const step = steps(from, failed(state));
      expect([step.state, step.actions]).toEqual(['stale', ['disconnect', 'reportStale']]);
      expect(step.snapshot.context).toMatchObject({ attempt: 1, lastError: 'connection lost' });
      expect(step.delaysMs).toEqual([1]);
    });

    test('keeps what failed as text, also when it was no error', () => {
      expect(steps(from, failed(state, 'a word')).snapshot.context.lastError).toBe('a word');
    });

    test('ends, disconnected, when it is stopped', () => {
      const step = steps(from, stop);
      expect([step.state, step.actions, step.snapshot.status]).toEqual(['stopped', ['disconnect'], 'done']);
    });
  });

  describe('when live', () => {
    test('goes stale also when following ends without an error: a loop never dies unseen', () => {
      expect(steps(live, done('live')).state).toBe('stale');
    });

    test('begins to settle', () => expect(live.delaysMs).toEqual([5_000]));
  });

  describe.each([
    ['replaying', replaying],
    ['live', live],
  ])('when %s and found deaf', (_, from) => {
    test('gives up what it has and goes stale, to connect anew', () => {
      const step = steps(from, { type: 'reader.reconnect', error: 'deaf' });
      expect([step.state, step.actions]).toEqual(['stale', ['giveUp', 'disconnect', 'reportStale']]);
      expect(step.snapshot.context).toMatchObject({ attempt: 1, lastError: 'deaf' });
      expect(steps(step, backedOff).state).toBe('connecting');
    });
  });

  test.each([
    ['connecting', connecting],
    ['stale', stale],
  ])('when %s it connects anew already, whoever tells it to', (_, from) => {
    expect(isNothing(from, steps(from, { type: 'reader.reconnect', error: 'deaf' }))).toBe(true);
  });

  describe('when stale', () => {
    test('connects again after a backoff', () => expect(steps(stale, backedOff).state).toBe('connecting'));

    test('ends when it is stopped', () => expect(steps(stale, stop).state).toBe('stopped'));

    test('what it had under way means nothing any more', () => {
      for (const late of [done('connecting'), failed('connecting'), done('replaying'), failed('live')]) {
        expect(isNothing(stale, steps(stale, late))).toBe(true);
      }
    });
  });

  describe('failures in a row', () => {
    test('are counted over every phase of an attempt', () => {
      const second = steps(stale, backedOff, failed('connecting'));
      const third = steps(second, backedOff, done('connecting'), failed('replaying'));
      expect([second, third].map(({ snapshot }) => snapshot.context.attempt)).toEqual([2, 3]);
      expect(third.delaysMs).toEqual([3]);
    });

    test('are not forgotten by being live, only by having been live for a while', () => {
      const again = steps(stale, backedOff, done('connecting'), done('replaying'));
      expect(again.snapshot.context.attempt).toBe(1);
      expect(steps(again, failed('live')).snapshot.context.attempt).toBe(2);
      expect(steps(again, settled).snapshot.context).toMatchObject({ attempt: 0, lastError: undefined });
      expect(steps(again, settled, failed('live')).snapshot.context.attempt).toBe(1);
    });
  });
});
