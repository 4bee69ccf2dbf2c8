import { expect, test } from '@jest/globals';
import { watchEventLoop } from '../../src/telemetry/event-loop.ts';

/** Keeps the event loop from everything else. */
const block = (ms: number): void => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
};

test('the longest that the event loop was late is recorded each second', async () => {
  const late: number[] = [];
  const stop = await new Promise<() => void>((resolve) => {
    const end = watchEventLoop({
      record(name, value) {
        if (name === 'signalbox.event_loop_delay_ms') late.push(value);
        resolve(end);
      },
    });
    // From a turn of its own, once it is watched.
    setTimeout(() => block(300), 50);
  });
  stop();
  expect(late).toHaveLength(1);
  expect(late[0]).toBeGreaterThan(200);
  expect(late[0]).toBeLessThan(10_000);
});
