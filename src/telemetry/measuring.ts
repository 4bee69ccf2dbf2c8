import type { Broker, EventLog } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import { type EventLoopWatch, watchEventLoop } from './event-loop.ts';
import { type GaugedFeeds, startGauges } from './gauges.ts';
import type { Metrics } from './metrics.ts';
import { measureRoundTrip } from './round-trip.ts';

export interface MeasuringDeps {
  readonly metrics: Metrics;
  readonly feeds: GaugedFeeds;
  readonly broker: Pick<Broker, 'name'>;
  /** Of the broker: what it is asked for. */
  readonly log: Pick<EventLog, 'lastId'>;
  readonly clock: Clock;
  isReady(): boolean;
}

export interface Measuring {
  readonly eventLoop: Pick<EventLoopWatch, 'lastMs'>;
  close(): void;
}

/** Measures what nobody would count by himself: levels, the event loop, the way to the broker. */
export function measureSystem({ metrics, feeds, broker, log, clock, isReady }: MeasuringDeps): Measuring {
  const stopGauges = startGauges(metrics, feeds, isReady);
  const eventLoop = watchEventLoop(metrics);
  const roundTrip =
    broker.name === 'redis' ? measureRoundTrip({ ask: () => log.lastId(), clock, metrics }) : undefined;
  return {
    eventLoop,
    close() {
      stopGauges();
      eventLoop.close();
      roundTrip?.close();
    },
  };
}
