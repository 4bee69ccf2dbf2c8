import type { MalformedReason } from '../../protocol/event-codec.ts';
import type { GapReason } from '../../routing/protocol.ts';
import { allOf, type MetricDefinition, TIMES_MS } from '../metric.ts';

const MALFORMED_REASONS = allOf<MalformedReason | 'error'>()([
  'not_json',
  'not_object',
  'no_channel',
  'channel_mismatch',
  'bad_envelope',
  'error',
]);
const GAP_REASONS = allOf<GapReason>()(['trimmed', 'epoch', 'lossy']);

/** What came, and what became of it. */
export const EVENT_METRICS = {
  'signalbox.events_routed': { type: 'counter', unit: 'events', meaning: 'Events the router has routed.' },
  'signalbox.batch_events': {
    type: 'histogram',
    unit: 'events',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
    meaning: 'How many entries the router was given at once.',
  },
  'signalbox.events_malformed': {
    type: 'counter',
    unit: 'events',
    meaning: 'Entries that are no event, skipped; `error`: a bug kept one from being routed.',
    labels: { reason: MALFORMED_REASONS },
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
  'signalbox.written_bytes': {
    type: 'counter',
    unit: 'bytes',
    meaning: 'Frames that transports accepted, of events and of all else that is said; without pings.',
  },
  'signalbox.events_not_delivered': {
    type: 'counter',
    unit: 'events',
    meaning:
      'Events a socket was entitled to and did not get: `closed`: it ended before they were written, `unflushed`: before the network took them, `failed`: its transport broke.',
    labels: { reason: ['closed', 'unflushed', 'failed'] },
  },
  ws_client_send_error: {
    type: 'counter',
    unit: 'events',
    meaning: 'A socket failed while it was written to.',
    prometheus: 'send_errors',
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
    labels: { reason: ['connecting', 'stale', 'too_slow', 'closed'] },
  },
} as const satisfies Record<string, MetricDefinition>;

/** Catching up, and what cannot be caught up. */
export const REPLAY_METRICS = {
  'signalbox.replay_ms': {
    type: 'histogram',
    unit: 'ms',
    buckets: TIMES_MS,
    meaning:
      'Replays that came to their end, and how long a socket took until it was live: from when it came with a position (`joined`), or from when it could not be written to, fell out of the window or lost its feed (`behind`).',
    labels: { cause: ['joined', 'behind'] },
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
    labels: { reason: ['malformed', 'beyond'] },
  },
  'signalbox.gaps': {
    type: 'counter',
    unit: 'gaps',
    meaning:
      'Gaps announced to subscriptions: `trimmed`: the log no longer has it, `epoch`: the log was lost, `lossy`: the feed keeps nothing.',
    labels: { reason: GAP_REASONS },
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
