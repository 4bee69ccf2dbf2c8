import type { Actors } from '../actors/actors.ts';
import type { Metrics } from './metrics.ts';

const INTERVAL_MS = 1_000;

/** Measures the levels of things once a second. Returns what ends it. */
export function startGauges(
  metrics: Metrics,
  feeds: readonly Pick<Actors, 'sockets' | 'streams' | 'channels' | 'routing'>[],
): () => void {
  const sum = (of: (feed: (typeof feeds)[number]) => number): number =>
    feeds.reduce((total, feed) => total + of(feed), 0);
  const timer = setInterval(() => {
    metrics.gauge(
      'signalbox.sockets',
      sum(({ sockets, streams }) => streams.reduce((size, some) => size + some.size, sockets.size)),
    );
    metrics.gauge(
      'signalbox.channels',
      sum(({ channels }) => channels.size),
    );
    // One budget for all of them.
    metrics.gauge('signalbox.buffered_bytes', feeds[0]?.routing.budget.total ?? 0);
    metrics.gauge('signalbox.lag_ms', Math.max(0, ...feeds.map(({ routing }) => routing.fanOut.lagMs)));
    metrics.gauge(
      'signalbox.window_events',
      sum(({ routing }) => routing.window.length),
    );
    metrics.gauge(
      'signalbox.window_bytes',
      sum(({ routing }) => routing.window.bytes),
    );
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
