import type { MetricName, Metrics } from '../telemetry/metrics.ts';
import type { InstanceOverview } from './api.ts';

type Counters = { -readonly [Name in keyof InstanceOverview['counters']]: number };

const COUNTED: Partial<Record<MetricName, keyof Counters>> = {
  'signalbox.events_routed': 'routed',
  'signalbox.events_delivered': 'delivered',
  'signalbox.events_replayed': 'replayed',
  'signalbox.events_not_delivered': 'notDelivered',
  'signalbox.gaps': 'gaps',
};

/** What the overview has of what is measured anyway, of what is counted anyway: from the start of the process. */
export class Tally {
  /** The longest that the event loop was late, in the last second. */
  eventLoopDelayMs = 0;
  readonly counters: Counters = { routed: 0, delivered: 0, replayed: 0, notDelivered: 0, gaps: 0 };

  /** The same metrics, of which it keeps count. */
  of(metrics: Metrics): Metrics {
    const { counters } = this;
    return {
      ...metrics,
      record: (name, value, labels) => {
        if (name === 'signalbox.event_loop_delay_ms') this.eventLoopDelayMs = value;
        metrics.record(name, value, labels);
      },
      count(name, value = 1, labels) {
        const counted = COUNTED[name];
        if (counted !== undefined) counters[counted] += value;
        metrics.count(name, value, labels);
      },
    };
  }
}
