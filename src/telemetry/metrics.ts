import type { Labels, MetricDefinition } from './metric.ts';
import { ADMISSION_METRICS } from './metrics/admission.ts';
import { EVENT_METRICS, REPLAY_METRICS } from './metrics/events.ts';
import { PROCESS_METRICS, READING_METRICS } from './metrics/process.ts';
import { SOCKET_METRICS } from './metrics/sockets.ts';

/** By subject, in the order in which they are documented. */
export const SUBJECTS = {
  Reading: READING_METRICS,
  Sockets: SOCKET_METRICS,
  Events: EVENT_METRICS,
  Replay: REPLAY_METRICS,
  Admission: ADMISSION_METRICS,
  Processes: PROCESS_METRICS,
} as const;

/**
 * The one table of all that is measured. `ws_` names are those of Superset's old sidecar, `signalbox.` ones are ours;
 * what Prometheus calls them says `prometheus-names.ts`.
 */
export const METRICS = {
  ...READING_METRICS,
  ...SOCKET_METRICS,
  ...EVENT_METRICS,
  ...REPLAY_METRICS,
  ...ADMISSION_METRICS,
  ...PROCESS_METRICS,
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

type NameOf<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type HistogramName = NameOf<'histogram'>;

/**
 * Where figures go. It never throws and never blocks, and is cheap enough for the fast lane. Labels are those that the
 * table has for the metric; a value that is not in its set counts as `other`.
 */
export interface Metrics {
  /** Adds `value` (1 when omitted) to a counter. */
  count(name: CounterName, value?: number, labels?: Labels): void;
  /** Sets a gauge. */
  gauge(name: GaugeName, value: number, labels?: Labels): void;
  /** Adds a value to a histogram, in the unit of the table. */
  record(name: HistogramName, value: number, labels?: Labels): void;
}

/** For when nobody listens, so that no caller asks whether somebody does. */
export const noMetrics: Metrics = { count() {}, gauge() {}, record() {} };
