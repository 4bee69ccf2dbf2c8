import { expect, test } from '@jest/globals';
import { type EventLoopWatch, watchEventLoop } from '../../src/telemetry/event-loop.ts';

/** Keeps the event loop from everything else. */
const block = (ms: number): void => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
};

test('the longest that the event loop was late is recorded each second', async () => {
  let blocked: ReturnType<typeof setInterval> | undefined;
  const [watch, late] = await new Promise<[EventLoopWatch, number]>((resolve) => {
    const started = watchEventLoop({
      record(name, value) {
        if (name === 'signalbox.event_loop_delay_ms' && value > 200) resolve([started, value]);
      },
    });
    // Again and again: on a busy machine the first one may come before the watch has ticked.
    blocked = setInterval(() => block(300), 400);
  });
  clearInterval(blocked);
  watch.close();
  expect(late).toBeLessThan(10_000);
  expect(watch.lastMs).toBe(late);
});
