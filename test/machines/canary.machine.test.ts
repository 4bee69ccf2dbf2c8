import { describe, expect, test } from '@jest/globals';
import { createActor, fromPromise } from 'xstate';
import { canaryMachine, type Look, type Standing } from '../../machines/canary.machine.ts';
import { HeapClock } from '../support/heap-clock.ts';
import { after, firstStep, isNothing, nextStep, type Step } from '../support/step.ts';

type CanaryStep = Step<typeof machine>;
type Happening = Parameters<typeof nextStep<typeof machine>>[2];

const INTERVAL_MS = 15_000;
const TOLERANCE_MS = 10_000;
const BLOCK_MS = 5_000;

const machine = canaryMachine.provide({ delays: { interval: INTERVAL_MS } });
const input = { id: 'native', toleranceMs: TOLERANCE_MS, blockMs: BLOCK_MS };
const steps = (from: CanaryStep, ...happenings: Happening[]) => nextStep(machine, from, ...happenings);

const look = (standing: Standing, progress = '1-0'): Look => ({
  standing,
  progress,
  position: progress,
  end: '9-0',
});
const found = (state: string, output: Look) =>
  ({ type: `xstate.done.actor.0.canary.${state}.looking`, output }) as const;
const checked = (output: Look) => ({ type: 'xstate.done.actor.0.canary.deaf.checking', output }) as const;
const failed = (state: string) =>
  ({ type: `xstate.error.actor.0.canary.${state}.looking`, error: new Error('away') }) as const;
const stop: Happening = { type: 'canary.stop' };
const live: Happening = { type: 'reader.live' };

const hearing = firstStep(machine, input);
const looking = steps(hearing, after('interval', 'canary.hearing.resting'));
const doubting = (standing: Standing = 'behind') => steps(looking, found('hearing', look(standing)));
const lookingAgain = (standing: Standing = 'behind') =>
  steps(doubting(standing), after('tolerance', 'canary.doubting.waiting'));
const deaf = (standing: Standing = 'behind') =>
  steps(lookingAgain(standing), found('doubting', look(standing)));
const lookingWhileDeaf = steps(deaf(), after('interval', 'canary.deaf.resting'));
const checking = steps(deaf(), live);

const DOUBTS: readonly Standing[] = ['behind', 'beyond', 'silent', 'unheard'];

describe('canary machine', () => {
  test('looks once an interval, and goes on resting as long as all is well', () => {
    expect([hearing.state, hearing.delaysMs]).toEqual(['hearing.resting', [INTERVAL_MS]]);
    expect(looking.state).toBe('hearing.looking');
    for (const standing of ['abreast', 'away'] as const) {
      const step = steps(looking, found('hearing', look(standing)));
      expect([step.state, step.actions]).toEqual(['hearing.resting', []]);
    }
  });

  test('learns nothing of a broker that does not answer', () => {
    expect(steps(looking, failed('hearing')).state).toBe('hearing.resting');
    expect(steps(lookingAgain(), failed('doubting')).state).toBe('hearing.resting');
    expect(steps(lookingWhileDeaf, failed('deaf')).state).toBe('deaf.resting');
  });

  test.each(DOUBTS)('doubts a reader that is %s, and says nothing yet', (standing) => {
    expect([doubting(standing).state, doubting(standing).actions]).toEqual(['doubting.waiting', []]);
  });

  test('waits as long as is tolerated; where only a read that has waited would tell, as long as that longer', () => {
    expect(doubting('behind').delaysMs).toEqual([TOLERANCE_MS]);
    for (const standing of ['beyond', 'silent', 'unheard'] as const) {
      expect(doubting(standing).delaysMs).toEqual([TOLERANCE_MS + BLOCK_MS]);
    }
  });

  describe('when it looks again', () => {
    test.each(DOUBTS)(
      'calls it deaf when it is still %s and has not moved: says so, and reconnects',
      (standing) => {
        const step = deaf(standing);
        expect([step.state, step.actions]).toEqual(['deaf.resting', ['reportDeaf', 'reconnectReader']]);
      },
    );

    test.each(DOUBTS)(
      'trusts it when it was %s and has moved, however far it still has to go',
      (standing) => {
        const step = steps(lookingAgain(standing), found('doubting', look(standing, '2-0')));
        expect([step.state, step.actions]).toEqual(['hearing.resting', []]);
        expect(step.snapshot.context.doubt).toBeUndefined();
      },
    );

    test('trusts it when it has caught up', () => {
      expect(steps(lookingAgain(), found('doubting', look('abreast'))).state).toBe('hearing.resting');
    });

    test('raises no alarm for one that is away, which says so itself', () => {
      const step = steps(lookingAgain(), found('doubting', look('away')));
      expect([step.state, step.actions]).toEqual(['hearing.resting', []]);
    });

    test('begins anew when the doubt is another one', () => {
      expect(steps(lookingAgain('behind'), found('doubting', look('silent'))).state).toBe('hearing.resting');
    });
  });

  describe('when deaf', () => {
    test('looks as soon as the reader is live again, and else after an interval', () => {
      expect(deaf().delaysMs).toEqual([INTERVAL_MS]);
      expect([checking.state, checking.actions]).toEqual(['deaf.checking', []]);
      expect([lookingWhileDeaf.state, lookingWhileDeaf.actions]).toEqual(['deaf.looking', []]);
    });

    test.each([
      ['has all that there is', look('abreast')],
      ['has moved', look('behind', '2-0')],
    ])('says that it hears once it %s', (_, it) => {
      for (const step of [steps(lookingWhileDeaf, found('deaf', it)), steps(checking, checked(it))]) {
        expect([step.state, step.actions]).toEqual(['hearing.resting', ['reportHearing']]);
      }
    });

    test('leaves a reader that has just connected alone for an interval when that did not help', () => {
      const ends = [
        checked(look('behind')),
        { type: 'xstate.error.actor.0.canary.deaf.checking', error: new Error('away') },
      ] as const;
      for (const end of ends) {
        const step = steps(checking, end);
        expect([step.state, step.actions, step.delaysMs]).toEqual(['deaf.resting', [], [INTERVAL_MS]]);
      }
    });

    test('has it reconnect again when that did not help, without another word', () => {
      const step = steps(lookingWhileDeaf, found('deaf', look('behind')));
      expect([step.state, step.actions, step.delaysMs]).toEqual([
        'deaf.resting',
        ['reconnectReader'],
        [INTERVAL_MS],
      ]);
    });

    test('waits for one that is connecting', () => {
      const step = steps(lookingWhileDeaf, found('deaf', look('away', '')));
      expect([step.state, step.actions]).toEqual(['deaf.resting', []]);
    });
  });

  test.each([
    ['hearing', hearing],
    ['looking', looking],
    ['doubting', doubting()],
    ['deaf', deaf()],
  ])('ends when it is stopped while %s, and reports nothing', (_, from) => {
    const step = steps(from, stop);
    expect([step.state, step.actions, step.snapshot.status]).toEqual(['stopped', [], 'done']);
  });

  test.each([
    ['hearing', hearing],
    ['doubting', doubting()],
  ])('a reader that becomes live means nothing while it is %s', (_, from) => {
    expect(isNothing(from, steps(from, live))).toBe(true);
  });

  test('takes an interval and a tolerance to find a deaf reader, by the clock', async () => {
    const clock = new HeapClock();
    const startMs = clock.now();
    const heard: [string, number][] = [];
    const note = (what: string) => () => void heard.push([what, clock.now() - startMs]);
    let now = look('abreast');
    const actor = createActor(
      machine.provide({
        actors: { look: fromPromise(async () => now) },
        actions: {
          reportDeaf: note('deaf'),
          reportHearing: note('hearing'),
          reconnectReader: note('reconnect'),
        },
      }),
      { clock, input },
    ).start();
    await clock.advance(4 * INTERVAL_MS - 1);
    expect(heard).toEqual([]);
    now = look('behind');
    await clock.advance(TOLERANCE_MS + INTERVAL_MS);
    const deafMs = 4 * INTERVAL_MS + TOLERANCE_MS;
    expect(heard).toEqual([
      ['deaf', deafMs],
      ['reconnect', deafMs],
    ]);
    now = look('abreast', '9-0');
    actor.send({ type: 'reader.live' });
    await clock.advance(0);
    expect(heard.at(-1)).toEqual(['hearing', clock.now() - startMs]);
    actor.send({ type: 'canary.stop' });
  });
});
