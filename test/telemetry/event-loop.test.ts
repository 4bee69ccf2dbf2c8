import { expect, test } from '@jest/globals';
import { type EventLoopWatch, watchEventLoop } from '../../src/telemetry/event-loop.ts';

/** Keeps the event loop from everything else. */
const block = (ms: number): void => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
};

test('the longest that the event loop was late is recorded each second', async () => {
  const late: number[] = [];
  let blocking: ReturnType<typeof setInterval> | undefined;
  const watch = await new Promise<EventLoopWatch>((resolve) => {
    const started = watchEventLoop({
      record(name, value) {
        if (name === 'signalbox.event_loop_delay_ms' && value > 200) late.push(value);
        if (late.length > 0) resolve(started);
      },
    });
    // From a turn of its own. Again and again: on a busy machine the first one may come before it is watched.
    blocking = setInterval(() => block(300), 400);
  });
  clearInterval(blocking);
  watch.close();
  expect(late).toHaveLength(1);
  expect(late[0]).toBeGreaterThan(200);
  expect(late[0]).toBeLessThan(10_000);
  expect(watch.lastMs).toBe(late[0]);
});
