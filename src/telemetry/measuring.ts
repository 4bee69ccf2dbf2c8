import type { Broker } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import { watchEventLoop } from './event-loop.ts';
import { type GaugedFeeds, startGauges } from './gauges.ts';
import type { Metrics } from './metrics.ts';
import { measureRoundTrip } from './round-trip.ts';

export interface MeasuringDeps {
  readonly metrics: Metrics;
  readonly feeds: GaugedFeeds;
  readonly broker: Pick<Broker, 'name' | 'log' | 'native'>;
  readonly clock: Clock;
  isReady(): boolean;
}

/** Measures what nobody would count by himself: levels, the event loop, the way to the broker. Returns what ends it. */
export function measureSystem({ metrics, feeds, broker, clock, isReady }: MeasuringDeps): () => void {
  const stopGauges = startGauges(metrics, feeds, isReady);
  const stopWatching = watchEventLoop(metrics);
  // Of a log that its user may read: where Superset is served he may have no rights to our keys.
  const log = feeds.superset === undefined ? broker.native : broker.log;
  const roundTrip =
    broker.name === 'redis' ? measureRoundTrip({ ask: () => log.lastId(), clock, metrics }) : undefined;
  return () => {
    stopGauges();
    stopWatching();
    roundTrip?.close();
  };
}
