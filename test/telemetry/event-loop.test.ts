import { expect, test } from '@jest/globals';
import { type EventLoopWatch, watchEventLoop } from '../../src/telemetry/event-loop.ts';

/** Keeps the event loop from everything else. */
const block = (ms: number): void => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
};

test('the longest that the event loop was late is recorded each second', async () => {
  const late: number[] = [];
  const watch = await new Promise<EventLoopWatch>((resolve) => {
    const started = watchEventLoop({
      record(name, value) {
        if (name === 'signalbox.event_loop_delay_ms') late.push(value);
        resolve(started);
      },
    });
    // From a turn of its own, once it is watched.
    setTimeout(() => block(300), 50);
  });
  watch.close();
  expect(late).toHaveLength(1);
  expect(late[0]).toBeGreaterThan(200);
  expect(late[0]).toBeLessThan(10_000);
  expect(watch.lastMs).toBe(late[0]);
});
