import { describe, expect, test } from '@jest/globals';
import { type Release, Turns } from '../../src/decider/hook-turns.ts';
import { settled } from '../support/heap-clock.ts';

const never = new AbortController().signal;

describe('turns', () => {
  test('are taken in order, so many at once', async () => {
    const turns = new Turns({ max: 2, maxWaiting: 10 });
    const entered: number[] = [];
    const releases: Release[] = [];
    for (let n = 0; n < 5; n++) {
      void turns.take(never).then((release) => {
        entered.push(n);
        releases.push(release as Release);
      });
    }
    await settled();
    expect(entered).toEqual([0, 1]);
    releases[1]?.();
    await settled();
    expect(entered).toEqual([0, 1, 2]);
    releases[0]?.();
    releases[2]?.();
    await settled();
    expect(entered).toEqual([0, 1, 2, 3, 4]);
    for (const release of releases.slice(3)) release();
    expect(await Promise.all([turns.take(never), turns.take(never)])).toEqual([
      expect.any(Function),
      expect.any(Function),
    ]);
  });

  test('are not waited for by more than may wait, nor by those who gave up', async () => {
    const turns = new Turns({ max: 1, maxWaiting: 2 });
    const release = (await turns.take(never)) as Release;
    const first = new AbortController();
    const gaveUp = turns.take(first.signal);
    const second = turns.take(never);
    expect(await turns.take(never)).toBe('full');
    first.abort();
    expect(await gaveUp).toBe('aborted');
    const third = turns.take(never);
    release();
    ((await second) as Release)();
    expect(await third).toEqual(expect.any(Function));
  });

  test('are not for those who gave up before', async () => {
    const turns = new Turns({ max: 1, maxWaiting: 1 });
    expect(await turns.take(AbortSignal.abort())).toBe('aborted');
    expect(await turns.take(never)).toEqual(expect.any(Function));
  });
});
