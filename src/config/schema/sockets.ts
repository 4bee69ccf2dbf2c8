import { z } from 'zod';
import { defaultBufferBytes } from '../memory.ts';
import { key, notNegative, positive } from './key.ts';

/** How long a socket may be silent, how much it may hold, how many there may be. */
export const socketKeys = {
  socketResponseTimeoutMs: key(positive.default(60_000), {
    env: 'SOCKET_RESPONSE_TIMEOUT_MS',
    unit: 'ms',
    description: 'A socket that has answered nothing for this long is ended.',
  }),
  pingSocketsIntervalMs: key(notNegative.default(20_000), {
    env: 'PING_SOCKETS_INTERVAL_MS',
    unit: 'ms',
    description: 'How often a socket is pinged. 0: never, and none is ever stale.',
  }),
  gcChannelsIntervalMs: key(notNegative.default(120_000), {
    env: 'GC_CHANNELS_INTERVAL_MS',
    unit: 'ms',
    description: 'How long a channel without subscribers is kept.',
  }),
  handshakeTimeoutMs: key(positive.default(10_000), {
    env: 'SIGNALBOX_HANDSHAKE_TIMEOUT_MS',
    unit: 'ms',
    description: 'How long a connection may take to become a socket.',
  }),
  slowConsumerTimeoutMs: key(positive.default(60_000), {
    env: 'SIGNALBOX_SLOW_CONSUMER_TIMEOUT_MS',
    unit: 'ms',
    description: 'How long a socket may stay full before it is closed.',
  }),
  maxSocketBufferBytes: key(positive.default(1_048_576), {
    env: 'MAX_SOCKET_BUFFER_BYTES',
    unit: 'bytes',
    description:
      'What may wait in one socket before it is paused and caught up later. 0 (unbounded in Superset) means the default.',
  }),
  maxTotalBufferBytes: key(z.int().min(65_536).default(defaultBufferBytes), {
    env: 'SIGNALBOX_MAX_TOTAL_BUFFER_BYTES',
    unit: 'bytes',
    defaultText: 'a quarter of the memory limit of the container or machine',
    description:
      'What may wait in all sockets together; beyond it each may hold 65536. Divided among the workers.',
  }),
  maxFrameBytes: key(positive.default(65_536), {
    env: 'SIGNALBOX_MAX_FRAME_BYTES',
    unit: 'bytes',
    description: 'The largest frame a client may send (1009 beyond it).',
  }),
  compression: z
    .strictObject({
      enabled: key(z.boolean().default(false), {
        env: 'SIGNALBOX_COMPRESSION_ENABLED',
        description:
          'Whether clients that offer it (permessage-deflate) get compressed frames, each compressed once for all of them.',
      }),
      thresholdBytes: key(notNegative.default(1024), {
        env: 'SIGNALBOX_COMPRESSION_THRESHOLD_BYTES',
        unit: 'bytes',
        description: 'The shortest text that is compressed.',
      }),
    })
    .prefault({}),
  maxConnectionsPerChannel: key(notNegative.default(0), {
    env: 'MAX_CONNECTIONS_PER_CHANNEL',
    unit: 'connections',
    description: 'The most sockets of one channel in each worker; more are closed with 1013. 0: no limit.',
  }),
  maxTotalConnections: key(notNegative.default(0), {
    env: 'MAX_TOTAL_CONNECTIONS',
    unit: 'connections',
    description:
      'The most sockets of this server, divided among its workers; more are closed with 1013. 0: no limit.',
  }),
  limits: z
    .strictObject({
      framesPerSecond: key(positive.default(50), {
        env: 'SIGNALBOX_LIMITS_FRAMES_PER_SECOND',
        unit: 'frames',
        description:
          'How many frames a native client may send in a second; after a pause twice as many at once.',
      }),
      asksInFlight: key(positive.default(16), {
        env: 'SIGNALBOX_LIMITS_ASKS_IN_FLIGHT',
        unit: 'asks',
        description: 'How many asks of one socket may wait for their answers.',
      }),
      replays: key(positive.default(64), {
        env: 'SIGNALBOX_LIMITS_REPLAYS',
        unit: 'reads',
        description: 'How many pages of history are read from the broker at once.',
      }),
      connectsPerIpPerSecond: key(notNegative.default(0), {
        env: 'SIGNALBOX_LIMITS_CONNECTS_PER_IP_PER_SECOND',
        unit: 'connections',
        description:
          'How many WebSockets of one address (of IPv6, one /64) are taken in a second, by each worker; after a pause twice as many at once. 0: no limit.',
      }),
      requestsPerSecond: key(notNegative.default(100), {
        env: 'SIGNALBOX_LIMITS_REQUESTS_PER_SECOND',
        unit: 'requests',
        description:
          'How many HTTP requests one user, or one address without a token, may make in a second, of each worker; after a pause twice as many at once. Holders of API keys may make any number. 0: no limit.',
      }),
    })
    .prefault({}),
};
