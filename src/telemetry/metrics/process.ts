import type { ReaderState } from '../../inspect/api.ts';
import { allOf, type MetricDefinition, TIMES_MS } from '../metric.ts';

const READER_STATES = allOf<ReaderState>()(['connecting', 'replaying', 'live', 'stale', 'stopped']);

/** Whether it reads, and what it reads from. */
export const READING_METRICS = {
  'signalbox.ready': {
    type: 'gauge',
    across: 'min',
    unit: 'yes or no',
    meaning: 'Whether `/ready` says yes: 1, or 0. With several workers, whether all of them do.',
  },
  'signalbox.readers': {
    type: 'gauge',
    across: 'sum',
    unit: 'readers',
    meaning: 'Readers by feed and state; one that is not `live` is catching up, or has no broker.',
    labels: { feed: ['superset', 'native', 'pubsub'], state: READER_STATES },
  },
  'signalbox.reader_stale': { type: 'counter', unit: 'times', meaning: 'A reader lost its broker.' },
  'signalbox.readers_deaf': {
    type: 'counter',
    unit: 'times',
    meaning: 'A reader was found to hear nothing although it is connected; it connects anew.',
    labels: { feed: ['superset', 'native', 'pubsub'] },
  },
  'signalbox.deaf': {
    type: 'gauge',
    across: 'max',
    unit: 'yes or no',
    meaning: '1 while a reader is connected and does not hear what the broker holds, 0 otherwise.',
    labels: { feed: ['superset', 'native', 'pubsub'] },
  },
  'signalbox.canary_ms': {
    type: 'gauge',
    across: 'max',
    unit: 'ms',
    meaning: 'How long the last event that was published to see whether it arrives took to be routed here.',
    labels: { feed: ['superset', 'native', 'pubsub'] },
  },
  'signalbox.lag_ms': {
    type: 'gauge',
    across: 'max',
    unit: 'ms',
    meaning:
      'How old the last event was when it was routed, by the clocks of the broker and of this process.',
  },
  'signalbox.redis_round_trip_ms': {
    type: 'histogram',
    unit: 'ms',
    buckets: [0.25, 0.5, ...TIMES_MS],
    meaning:
      'How long Redis took to say where the firehose ends, asked every 5 s on the connection that replays use. The embedded broker is not asked.',
  },
  'signalbox.redis_unanswered': {
    type: 'counter',
    unit: 'questions',
    meaning: 'Those questions that had no answer.',
  },
} as const satisfies Record<string, MetricDefinition>;

/** The processes themselves. */
export const PROCESS_METRICS = {
  'signalbox.event_loop_delay_ms': {
    type: 'histogram',
    unit: 'ms',
    buckets: TIMES_MS,
    meaning: 'The longest that the event loop was late within a second; one value for each second.',
  },
  'signalbox.actor_errors': {
    type: 'counter',
    unit: 'actors',
    meaning: 'Actors that ended with an error: a bug.',
    labels: { machine: ['socket', 'channel', 'reader_or_router'] },
  },
  'signalbox.inspection_dropped': {
    type: 'counter',
    unit: 'facts',
    meaning: 'Facts about actors that inspection could not keep up with.',
  },
  'signalbox.workers_lost': {
    type: 'counter',
    unit: 'workers',
    meaning: 'A worker ended that was to go on; it is replaced.',
  },
  'signalbox.workers_unanswered': {
    type: 'counter',
    unit: 'workers',
    meaning:
      'A worker did not give its figures in time when Prometheus asked for them: its counters are those of its last report, its gauges are missing.',
  },
} as const satisfies Record<string, MetricDefinition>;
