import { expect, test } from '@jest/globals';
import { Silence } from '../../src/transport/silence.ts';
import { HeapClock } from '../support/heap-clock.ts';

test('silence falls a while after what was said last, again and again, and not after its end', async () => {
  const clock = new HeapClock();
  const began = clock.now();
  const fell: number[] = [];
  const silence = new Silence({ clock, afterMs: 10_000, fell: () => void fell.push(clock.now() - began) });
  await clock.advance(6_000);
  silence.break();
  await clock.advance(24_000);
  expect(fell).toEqual([16_000, 26_000]);
  silence.end();
  await clock.advance(60_000);
  expect(fell).toHaveLength(2);
});
