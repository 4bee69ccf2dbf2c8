import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { fullJitterMs, systemClock, within } from '../src/clock.ts';
import { HeapClock } from './support/heap-clock.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;
const YEAR_MS = 365 * 86_400_000;

describe('system clock', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test.each([1, 1_000, MAX_DELAY_MS - 1, MAX_DELAY_MS, MAX_DELAY_MS + 1, 2 * MAX_DELAY_MS, YEAR_MS])(
    'runs once %d ms from now, and not before',
    (delayMs) => {
      const run = jest.fn();
      systemClock.setTimeout(run, delayMs);
      jest.advanceTimersByTime(delayMs - 1);
      expect(run).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(run).toHaveBeenCalledTimes(1);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  test('asks Node for no delay that it would cut to 1 ms', () => {
    const asked = jest.spyOn(globalThis, 'setTimeout');
    systemClock.setTimeout(() => {}, YEAR_MS);
    jest.advanceTimersByTime(YEAR_MS);
    expect(asked.mock.calls.length).toBeGreaterThan(YEAR_MS / MAX_DELAY_MS);
    for (const [, delayMs] of asked.mock.calls) expect(delayMs).toBeLessThanOrEqual(MAX_DELAY_MS);
  });

  test.each([1_000, YEAR_MS])('a timer of %d ms that was cleared never runs', (delayMs) => {
    const run = jest.fn();
    systemClock.clearTimeout(systemClock.setTimeout(run, delayMs));
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(delayMs);
    expect(run).not.toHaveBeenCalled();
  });

  test('a long timer can be cleared in each of its parts', () => {
    const run = jest.fn();
    const timer = systemClock.setTimeout(run, YEAR_MS);
    jest.advanceTimersByTime(3 * MAX_DELAY_MS);
    systemClock.clearTimeout(timer);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(YEAR_MS);
    expect(run).not.toHaveBeenCalled();
  });

  test('clears what is no timer', () => {
    for (const none of [undefined, null]) expect(() => systemClock.clearTimeout(none)).not.toThrow();
  });
});

describe('full jitter', () => {
  const options = { baseMs: 100, capMs: 5_000 };
  const attempts = fc.nat({ max: 2_000 });
  const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test('is between a tenth of the base and the cap, whatever the attempt', () => {
    fc.assert(
      fc.property(attempts, randoms, (attempt, random) => {
        const delayMs = fullJitterMs(attempt, { ...options, random: () => random });
        expect(delayMs).toBeGreaterThanOrEqual(10);
        expect(delayMs).toBeLessThanOrEqual(5_000);
      }),
    );
  });

  test('doubles what it may be with each attempt', () => {
    const most = (attempt: number) => fullJitterMs(attempt, { ...options, random: () => 1 });
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(most)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });
});

describe('heap clock', () => {
  test('runs what is due in the order of time, and in the order of asking at the same time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), fc.array(fc.nat()), (delays, cleared) => {
        const clock = new HeapClock(0);
        const ran: number[] = [];
        const timers = delays.map((delayMs, at) => clock.setTimeout(() => ran.push(at), delayMs));
        const gone = new Set(cleared.map((at) => at % Math.max(1, timers.length)));
        for (const at of gone) clock.clearTimeout(timers[at]);
        clock.increment(20);
        const due = [...delays.keys()].filter((at) => !gone.has(at));
        expect(ran).toEqual(due.toSorted((a, b) => (delays[a] ?? 0) - (delays[b] ?? 0) || a - b));
      }),
    );
  });

  test('runs what is asked for meanwhile, if it is due, at its own time', () => {
    const clock = new HeapClock(0);
    const ran: number[] = [];
    const again = (): void => {
      ran.push(clock.now());
      clock.setTimeout(again, 3);
    };
    clock.setTimeout(again, 3);
    clock.increment(10);
    expect([ran, clock.now()]).toEqual([[3, 6, 9], 10]);
  });
});

describe('what is waited for so long and no longer', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('resolves with what came in time, and leaves no timer', async () => {
    expect(await within(systemClock, 1_000, Promise.resolve('here'))).toBe('here');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('rejects as that does, and leaves no timer', async () => {
    await expect(within(systemClock, 1_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('resolves with nothing when it takes longer', async () => {
    const waited = within(systemClock, 1_000, new Promise<never>(() => {}));
    jest.advanceTimersByTime(1_000);
    expect(await waited).toBeUndefined();
  });
});
