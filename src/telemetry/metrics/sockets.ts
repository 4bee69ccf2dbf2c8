import type { CloseReason } from '../../../machines/close-reason.ts';
import { CHANNEL_STATES, SOCKET_STATES } from '../../inspect/api.ts';
import { allOf, type MetricDefinition } from '../metric.ts';

const CLOSE_REASONS = allOf<CloseReason>()([
  'handshake_timeout',
  'unresponsive',
  'too_slow',
  'expired',
  'drain',
  'lossy',
  'policy',
  'protocol',
  'failed',
  'ended',
  'gone',
]);

/** Connections: how many there are, how they come, and how they go. */
export const SOCKET_METRICS = {
  'signalbox.sockets': {
    type: 'gauge',
    across: 'sum',
    unit: 'sockets',
    meaning: 'Sockets that are there now, by what they are doing; their sum is all of them.',
    labels: { state: SOCKET_STATES },
  },
  'signalbox.channels': {
    type: 'gauge',
    across: 'sum',
    unit: 'channels',
    meaning:
      'Channels with an actor now; one that two workers have counts twice. `stale`: nobody is subscribed any more.',
    labels: { state: CHANNEL_STATES },
  },
  ws_connected_client: {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A socket was accepted.',
    prometheus: 'sockets_accepted',
  },
  ws_connection_rejected: {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A connection limit was reached (1013).',
    prometheus: 'sockets_over_limit',
  },
  ws_upgrade_rejected: {
    type: 'counter',
    unit: 'requests',
    meaning: 'An upgrade was refused before a socket existed.',
    prometheus: 'upgrades_refused',
  },
  ws_token_expired_disconnect: {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A token expired under a socket.',
    prometheus: 'sockets_expired',
  },
  ws_client_backpressure_disconnect: {
    type: 'counter',
    unit: 'sockets',
    meaning: 'A socket was closed because it stayed full past slowConsumerTimeoutMs.',
    prometheus: 'sockets_too_slow',
  },
  'signalbox.sockets_closed': {
    type: 'counter',
    unit: 'sockets',
    meaning: 'Sockets that have ended; `gone`: by their client.',
    labels: { reason: CLOSE_REASONS },
  },
  'signalbox.channels_refused': {
    type: 'counter',
    unit: 'attempts',
    meaning: 'Attempts to subscribe to a Pub/Sub channel that Redis refused.',
  },
  'signalbox.buffered_bytes': {
    type: 'gauge',
    across: 'sum',
    unit: 'bytes',
    meaning: 'Written to transports and not yet flushed.',
  },
} as const satisfies Record<string, MetricDefinition>;
