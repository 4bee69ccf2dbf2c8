import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

const INTERVAL_MS = 1_000;
const RESOLUTION_MS = 20;
const NS_PER_MS = 1_000_000;

export interface EventLoopWatch {
  /** The longest that the event loop was late, in the last second. */
  readonly lastMs: number;
  close(): void;
}

/**
 * Records, once a second, the longest that the event loop was late since the last time.
 *
 * The longest and no percentile: whoever asks every quarter of a minute hears of each second, and of a pause that was
 * one of a thousand turns, too.
 */
export function watchEventLoop(metrics: Pick<Metrics, 'record'>): EventLoopWatch {
  let lastMs = 0;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const timer = setInterval(() => {
    // What it measures is from one tick of its own to the next.
    lastMs = Math.max(0, delay.max / NS_PER_MS - RESOLUTION_MS);
    delay.reset();
    metrics.record('signalbox.event_loop_delay_ms', lastMs);
  }, INTERVAL_MS);
  timer.unref();
  return {
    get lastMs() {
      return lastMs;
    },
    close() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
