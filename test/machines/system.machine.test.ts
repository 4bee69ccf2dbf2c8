import { describe, expect, test } from '@jest/globals';
import { systemMachine } from '../../machines/system.machine.ts';
import { after, firstStep, isNothing, nextStep, type Step } from '../support/step.ts';

type SystemStep = Step<typeof systemMachine>;
type Happening = Parameters<typeof nextStep<typeof systemMachine>>[2];

const steps = (from: SystemStep, ...happenings: Happening[]) => nextStep(systemMachine, from, ...happenings);

const bug = new Error('a bug');
const stop: Happening = { type: 'system.stop' };
const crashed: Happening = { type: 'actor.crashed', error: bug };
const done = (state: string) => ({ type: `xstate.done.actor.0.system.${state}` }) as const;
const failed = (state: string) => ({ type: `xstate.error.actor.0.system.${state}`, error: bug }) as const;
const timeout = (state: string) => after('drainTimeout', `system.${state}`);

const starting = firstStep(systemMachine, { drainTimeoutMs: 8_000 });
const running = steps(starting, done('starting'));
const draining = steps(running, stop);
const stopping = steps(draining, done('draining'));
const stopped = steps(stopping, done('stopping'));

/** How it would end if everything went well from here. */
function outcome(step: SystemStep) {
  return steps(step, done('draining'), done('stopping')).snapshot.output;
}

describe('system machine', () => {
  test('starts its reader before it listens, runs, drains, stops', () => {
    expect([starting, running, draining, stopping, stopped].map(({ state }) => state)).toEqual([
      'starting',
      'running',
      'draining',
      'stopping',
      'stopped',
    ]);
    expect([starting, running, draining, stopping].flatMap(({ actions }) => actions)).toEqual([
      'startReader',
      'reportListening',
      'reportDraining',
    ]);
  });

  test('ends with 0 when it was asked to', () => {
    expect(stopped.snapshot.output).toEqual({ exitCode: 0, error: undefined });
  });

  describe('when starting', () => {
    test('ends with 1 and the error when the port cannot be bound, without draining anybody', () => {
      const step = steps(starting, failed('starting'));
      expect(step.state).toBe('stopping');
      expect(outcome(step)).toEqual({ exitCode: 1, error: bug });
    });

    test('stops when it is asked to', () => {
      expect(steps(starting, stop).state).toBe('stopping');
      expect(outcome(steps(starting, stop))).toEqual({ exitCode: 0, error: undefined });
    });

    test('ends with 1 when its reader crashes', () => {
      expect(steps(starting, crashed).state).toBe('stopping');
      expect(outcome(steps(starting, crashed))).toEqual({ exitCode: 1, error: bug });
    });
  });

  describe('when running', () => {
    test('drains, and ends with 1, when the reader or the router crashes', () => {
      const step = steps(running, crashed);
      expect([step.state, step.actions]).toEqual(['draining', ['reportDraining']]);
      expect(outcome(step)).toEqual({ exitCode: 1, error: bug });
    });
  });

  describe('when draining', () => {
    test('stops although the drain failed', () => {
      expect(steps(draining, failed('draining')).state).toBe('stopping');
    });

    test('stops although the drain does not end in time', () => {
      expect(draining.delaysMs).toEqual([8_000]);
      expect(steps(draining, timeout('draining')).state).toBe('stopping');
    });
  });

  describe('when stopping', () => {
    test.each([
      ['failed', failed('stopping')],
      ['does not end in time', timeout('stopping')],
    ])('ends although shutting down %s', (_, happening) => {
      expect(steps(stopping, happening).snapshot.output).toEqual({ exitCode: 0, error: undefined });
    });
  });

  test.each([
    ['draining', draining],
    ['stopping', stopping],
  ])('when %s, another request to stop changes nothing, and a crash only the exit code', (_, from) => {
    expect(isNothing(from, steps(from, stop))).toBe(true);
    const result = steps(from, crashed);
    expect([result.snapshot.value, result.snapshot.context.exitCode]).toEqual([from.snapshot.value, 1]);
  });
});
