import type { Actors } from '../actors/actors.ts';
import type { Metrics } from './metrics.ts';

const INTERVAL_MS = 1_000;

/** Measures the levels of things once a second. Returns what ends it. */
export function startGauges(
  metrics: Metrics,
  { sockets, channels, routing }: Pick<Actors, 'sockets' | 'channels' | 'routing'>,
): () => void {
  const timer = setInterval(() => {
    metrics.gauge('signalbox.sockets', sockets.size);
    metrics.gauge('signalbox.channels', channels.size);
    metrics.gauge('signalbox.buffered_bytes', routing.budget.total);
    metrics.gauge('signalbox.lag_ms', routing.fanOut.lagMs);
    metrics.gauge('signalbox.window_events', routing.window.length);
    metrics.gauge('signalbox.window_bytes', routing.window.bytes);
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
