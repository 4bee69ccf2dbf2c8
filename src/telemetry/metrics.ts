/** Whether a metric only grows, moves both ways, or is a distribution of values. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** How the gauges of several workers become one. */
export type Across = 'sum' | 'max';

export type MetricDefinition = {
  readonly unit: string;
  readonly meaning: string;
  /** The closed set of label names; values are bounded too, and never a channel, a user or a socket. */
  readonly labels?: readonly string[];
} & (
  | { readonly type: 'gauge'; readonly across: Across }
  // What is counted by several processes adds up wherever it is sent.
  | { readonly type: Exclude<MetricType, 'gauge'>; readonly across?: never }
);

/** Superset's names are the old sidecar's; `signalbox.` ones are ours. */
export const METRICS = {
  ws_connected_client: { type: 'counter', unit: 'sockets', meaning: 'A socket was accepted.' },
  ws_client_send_error: {
    type: 'counter',
    unit: 'events',
    meaning: 'A socket failed while it was written to.',
  },
  ws_client_backpressure_disconnect: {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A socket was closed because it stayed full past slowConsumerTimeoutMs.',
  },
  ws_connection_rejected: {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A connection limit was reached (1013).',
  },
  ws_upgrade_rejected: {
    type: 'counter',
    unit: 'requests',
    meaning: 'An upgrade was refused before a socket existed.',
  },
  'signalbox.rate_limited': {
    type: 'counter',
    unit: 'requests',
    meaning:
      'Requests and upgrades that came too often: `connects` of an address, requests of a `principal` or an `address`, `tickets` of a user.',
    labels: ['reason'],
  },
  ws_token_expired_disconnect: {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A token expired under a socket.',
  },
  'signalbox.events_routed': { type: 'counter', unit: 'events', meaning: 'Events the router has routed.' },
  'signalbox.events_malformed': {
    type: 'counter',
    unit: 'events',
    meaning: 'Entries that are no event, skipped.',
    labels: ['reason'],
  },
  'signalbox.events_repaired': {
    type: 'counter',
    unit: 'events',
    meaning: 'Payloads with bytes that are not UTF-8, delivered with U+FFFD in their place.',
  },
  'signalbox.events_delivered': {
    type: 'counter',
    unit: 'events',
    meaning: 'Events a transport accepted for a socket.',
  },
  'signalbox.events_not_delivered': {
    type: 'counter',
    unit: 'events',
    meaning: 'Events a socket was entitled to and did not get.',
    labels: ['reason'],
  },
  'signalbox.events_replayed': {
    type: 'counter',
    unit: 'events',
    meaning: 'Of the delivered, those sent while replaying.',
  },
  'signalbox.replay_duplicates': {
    type: 'counter',
    unit: 'events',
    meaning: 'Replayed from inside the slack of superset.replaySlackMs, so the client may have had them.',
  },
  'signalbox.replay_pages': {
    type: 'counter',
    unit: 'pages',
    meaning: 'Pages read from the broker for replays.',
  },
  'signalbox.replay_failures': {
    type: 'counter',
    unit: 'pages',
    meaning: 'Pages that the broker would not give; each is tried again after a pause.',
  },
  'signalbox.last_id_ignored': {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A last_id that is no stream id, or is beyond the stream.',
    labels: ['reason'],
  },
  'signalbox.gaps': {
    type: 'counter',
    unit: 'gaps',
    meaning: 'Gaps announced to subscriptions.',
    labels: ['reason'],
  },
  'signalbox.tells_delivered': {
    type: 'counter',
    unit: 'tells',
    meaning: 'What a socket was told by the server; counted once for each socket.',
  },
  'signalbox.tells_not_delivered': {
    type: 'counter',
    unit: 'tells',
    meaning:
      'What a socket was to be told and was not; `connecting`: not welcomed yet, `stale`: it may be gone, `too_slow`, `closed`.',
    labels: ['reason'],
  },
  'signalbox.reader_stale': { type: 'counter', unit: 'times', meaning: 'A reader lost its broker.' },
  'signalbox.readers_deaf': {
    type: 'counter',
    unit: 'times',
    meaning: 'A reader was found to hear nothing although it is connected; it connects anew.',
    labels: ['feed'],
  },
  'signalbox.deaf': {
    type: 'gauge',
    across: 'max',
    unit: 'feeds',
    meaning:
      '1 while a reader is connected and does not hear what the broker holds, 0 otherwise. Of several workers: whether any of them has such a feed, without the label.',
    labels: ['feed'],
  },
  'signalbox.canary_ms': {
    type: 'gauge',
    across: 'max',
    unit: 'ms',
    meaning: 'How long the last event that was published to see whether it arrives took to be routed here.',
    labels: ['feed'],
  },
  'signalbox.sockets_closed': {
    type: 'counter',
    unit: 'sockets',
    meaning: 'Sockets that have ended; `gone`: by their client.',
    labels: ['reason'],
  },
  'signalbox.channels_refused': {
    type: 'counter',
    unit: 'attempts',
    meaning: 'Attempts to subscribe to a Pub/Sub channel that Redis refused.',
  },
  'signalbox.actor_errors': {
    type: 'counter',
    unit: 'actors',
    meaning: 'Actors that ended with an error.',
    labels: ['machine'],
  },
  'signalbox.inspection_dropped': {
    type: 'counter',
    unit: 'facts',
    meaning: 'Facts about actors that inspection could not keep up with.',
  },
  'signalbox.hook_requests': {
    type: 'counter',
    unit: 'requests',
    meaning:
      'Requests to hooks that have ended: allowed, refused, failed (another status), malformed (no JSON, or too large), timeout, unreachable, open (the breaker is, none was sent), full (too many wait, none was sent), given_up (nobody waits for it any more).',
    labels: ['hook', 'outcome'],
  },
  'signalbox.hook_request_ms': {
    type: 'counter',
    unit: 'ms',
    meaning: 'How long they took, the wait for their turn included; divided by their number it is the mean.',
    labels: ['hook'],
  },
  'signalbox.hook_breaker_changes': {
    type: 'counter',
    unit: 'times',
    meaning: "A hook's breaker became open, halfOpen (it is tried with one request) or closed.",
    labels: ['hook', 'state'],
  },
  'signalbox.hook_notices_dropped': {
    type: 'counter',
    unit: 'requests',
    meaning: 'What a hook was to be told and never was: too much waited, or it took too long.',
    labels: ['hook'],
  },
  'signalbox.workers_lost': {
    type: 'counter',
    unit: 'workers',
    meaning: 'A worker ended that was to go on; it is replaced.',
  },
  'signalbox.sockets': { type: 'gauge', across: 'sum', unit: 'sockets', meaning: 'Sockets open now.' },
  'signalbox.channels': {
    type: 'gauge',
    across: 'sum',
    unit: 'channels',
    meaning: 'Channels with an actor now; one that two workers have counts twice.',
  },
  'signalbox.buffered_bytes': {
    type: 'gauge',
    across: 'sum',
    unit: 'bytes',
    meaning: 'Written to transports and not yet flushed.',
  },
  'signalbox.lag_ms': {
    type: 'gauge',
    across: 'max',
    unit: 'ms',
    meaning:
      'How old the last event was when it was routed, by the clocks of the broker and of this process.',
  },
  // Every worker keeps the same window, and its limits are those of one.
  'signalbox.window_events': {
    type: 'gauge',
    across: 'max',
    unit: 'events',
    meaning: 'Events in the window.',
  },
  'signalbox.window_bytes': {
    type: 'gauge',
    across: 'max',
    unit: 'bytes',
    meaning: 'What the window keeps, overhead included.',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

export type GaugeName = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends 'gauge' ? Name : never;
}[MetricName];

/** Where figures go. A sink never throws and never blocks. */
export interface Metrics {
  /** Adds `value` (1 when omitted) to a counter. */
  count(name: MetricName, value?: number, labels?: Readonly<Record<string, string>>): void;
  /** Sets a gauge; each set of labels has a level of its own. */
  gauge(name: GaugeName, value: number, labels?: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

/** For when nobody listens, so that no caller asks whether somebody does. */
export const noMetrics: Metrics = { count() {}, gauge() {}, close: async () => {} };
