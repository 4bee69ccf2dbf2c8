import type { Config } from '../config/schema.ts';
import type { ActorsDeps } from './actors.ts';

/** How long a peer may take over its side of the closing handshake. */
const CLOSE_TIMEOUT_MS = 2_000;

/** What the actors take from the configuration, under their own names. */
export function actorSettings(
  config: Config,
): Pick<ActorsDeps, 'feed' | 'limits' | 'reads' | 'times' | 'gcIntervalMs'> {
  return {
    feed:
      config.superset.protocol === 'realtime'
        ? { kind: 'realtime', channel: `${config.realtimeChannelPrefix}realtime` }
        : { kind: 'firehose' },
    limits: {
      window: config.window,
      maxSocketBufferBytes: config.maxSocketBufferBytes,
      maxTotalBufferBytes: config.maxTotalBufferBytes,
      replays: config.limits.replays,
      replaySlackMs: config.superset.replaySlackMs,
    },
    reads: {
      count: config.redisStreamReadCount,
      blockMs: config.redisStreamReadBlockMs,
      pauseMs: config.readPauseMs,
    },
    times: {
      handshakeTimeoutMs: config.handshakeTimeoutMs,
      pingIntervalMs: config.pingSocketsIntervalMs,
      responseTimeoutMs: config.socketResponseTimeoutMs,
      slowConsumerTimeoutMs: config.slowConsumerTimeoutMs,
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
    },
    gcIntervalMs: config.gcChannelsIntervalMs,
  };
}
