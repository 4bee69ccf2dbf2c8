import { describe, expect, test } from '@jest/globals';
import { Breaker, type BreakerState, type Pass } from '../../src/decider/hook-breaker.ts';

/** A breaker, what it became, and a time that a test sets. */
function breakerAt(nowMs = 1_000_000) {
  const states: BreakerState[] = [];
  const time = { nowMs };
  const breaker = new Breaker({ now: () => time.nowMs, onChange: (state) => void states.push(state) });
  const pass = (user: string): Pass => {
    const given = breaker.enter(user);
    if (given === undefined) throw new Error(`${user} was not let through`);
    return given;
  };
  const open = (): void => {
    for (const user of ['a', 'b', 'c']) pass(user).failed();
  };
  return { breaker, states, time, pass, open };
}

describe('a breaker', () => {
  describe('when closed', () => {
    test('opens when several principals have met a failure', () => {
      const { breaker, states, pass } = breakerAt();
      pass('a').failed();
      pass('b').failed();
      expect(breaker.isClosedTo('c')).toBe(false);
      pass('c').failed();
      expect(states).toEqual(['open']);
      expect(breaker.enter('d')).toBeUndefined();
    });

    test('does not open for one client, or two, however often they fail', () => {
      const { states, pass } = breakerAt();
      for (let n = 0; n < 1_000; n++) pass(n % 2 === 0 ? 'a' : 'b').failed();
      expect(states).toEqual([]);
    });

    test('does not open while more principals are answered than not', () => {
      const { states, pass } = breakerAt();
      for (const user of ['p', 'q', 'r', 's']) pass(user).answered();
      for (const user of ['a', 'b', 'c']) pass(user).failed();
      expect(states).toEqual([]);
      pass('p').failed();
      expect(states).toEqual(['open']);
    });

    test('forgets a failure when its principal is answered, and after ten seconds', () => {
      const { states, time, pass } = breakerAt();
      pass('a').failed();
      pass('a').answered();
      pass('b').failed();
      pass('c').failed();
      expect(states).toEqual([]);
      time.nowMs += 10_000;
      pass('d').failed();
      pass('e').failed();
      expect(states).toEqual([]);
      pass('f').failed();
      expect(states).toEqual(['open']);
    });

    test('does not count what was given up', () => {
      const { states, pass } = breakerAt();
      for (const user of ['a', 'b', 'c', 'd']) pass(user).abandoned();
      expect(states).toEqual([]);
    });
  });

  describe('when open', () => {
    test('lets nobody through for five seconds, then one', () => {
      const { breaker, states, time, open, pass } = breakerAt();
      open();
      time.nowMs += 4_999;
      expect(breaker.enter('a')).toBeUndefined();
      time.nowMs += 1;
      pass('a');
      expect(states).toEqual(['open', 'halfOpen']);
      expect(breaker.enter('b')).toBeUndefined();
    });

    test('is not changed by what was asked before it opened', () => {
      const { states, pass, open } = breakerAt();
      const [late, later] = [pass('x'), pass('y')];
      open();
      late.answered();
      later.failed();
      expect(states).toEqual(['open']);
    });
  });

  describe('when half open', () => {
    test('closes when the one is answered, and begins anew', () => {
      const { states, time, pass, open } = breakerAt();
      open();
      time.nowMs += 5_000;
      pass('a').answered();
      pass('b').failed();
      pass('c').failed();
      expect(states).toEqual(['open', 'halfOpen', 'closed']);
      pass('d').failed();
      expect(states.at(-1)).toBe('open');
    });

    test('opens again when the one fails, who then has to wait longer than others', () => {
      const { breaker, states, time, pass, open } = breakerAt();
      open();
      time.nowMs += 5_000;
      pass('a').failed();
      expect(states).toEqual(['open', 'halfOpen', 'open']);
      time.nowMs += 5_000;
      expect(breaker.enter('a')).toBeUndefined();
      pass('b').answered();
      expect(states.at(-1)).toBe('closed');
    });

    test('lets the one who failed try again when nobody else does', () => {
      const { time, pass, open } = breakerAt();
      open();
      time.nowMs += 5_000;
      pass('a').failed();
      time.nowMs += 10_000;
      pass('a').answered();
      expect(pass('b')).toBeDefined();
    });

    test('lets another through when the one gives up', () => {
      const { breaker, states, time, pass, open } = breakerAt();
      open();
      time.nowMs += 5_000;
      pass('a').abandoned();
      pass('b').answered();
      expect(states).toEqual(['open', 'halfOpen', 'closed']);
      expect(breaker.isClosedTo('c')).toBe(false);
    });
  });
});
