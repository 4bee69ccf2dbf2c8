import type { Clock } from '../clock.ts';
import type { Metrics } from './metrics.ts';

/** How often it is asked: seldom enough to cost nothing, often enough for a figure a minute to mean something. */
export const ASK_INTERVAL_MS = 5_000;

export interface RoundTripDeps {
  /** Asks, and resolves with the answer. */
  readonly ask: () => Promise<unknown>;
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>;
  readonly metrics: Pick<Metrics, 'count' | 'record'>;
  /** Monotonic, in milliseconds; left out: the process's own. */
  readonly elapsedMs?: () => number;
}

export interface RoundTrip {
  /** Of the last question; undefined: none was answered, or the last one was not. */
  readonly lastMs: number | undefined;
  close(): void;
}

/** Asks the broker something again and again, one question at a time, and records how long the answers take. */
export function measureRoundTrip({
  ask,
  clock,
  metrics,
  elapsedMs = () => performance.now(),
}: RoundTripDeps): RoundTrip {
  let lastMs: number | undefined;
  let isClosed = false;
  let timer: unknown;

  async function askOnce(): Promise<void> {
    const startMs = elapsedMs();
    try {
      await ask();
      lastMs = elapsedMs() - startMs;
    } catch {
      // What is wrong the reader says, who needs the same connection's server and has the error.
      lastMs = undefined;
    }
    if (isClosed) return;
    if (lastMs === undefined) metrics.count('signalbox.redis_unanswered');
    else metrics.record('signalbox.redis_round_trip_ms', lastMs);
    timer = clock.setTimeout(() => void askOnce(), ASK_INTERVAL_MS);
  }

  void askOnce();
  return {
    get lastMs() {
      return lastMs;
    },
    close() {
      isClosed = true;
      clock.clearTimeout(timer);
    },
  };
}
