import type { Report } from '../actors/report.ts';
import type { LogLimit } from './log-limit.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export interface ReportDeps {
  readonly logger: Logger;
  readonly limit: LogLimit;
  readonly metrics: Metrics;
  readonly onCrash: (error: unknown) => void;
  /** What was kept in the broker beside events may be gone as well. */
  readonly onEpochChanged?: () => void;
}

/** Says in the log, and in the figures, what the actors report. */
export function createReport({ logger, limit, metrics, onCrash, onEpochChanged }: ReportDeps): Report {
  return {
    malformed({ malformed }) {
      metrics.count('signalbox.events_malformed', 1, { reason: malformed });
      limit.log(`malformed ${malformed}`, (suppressed) =>
        logger.error({ reason: malformed, suppressed }, 'An entry is no event and was skipped'),
      );
    },
    routeFailed(error, id) {
      metrics.count('signalbox.events_malformed', 1, { reason: 'error' });
      limit.log('route failed', (suppressed) =>
        logger.error({ err: error, id, suppressed }, 'An event could not be routed: this is a bug'),
      );
    },
    replayFailed(error) {
      metrics.count('signalbox.replay_failures');
      limit.log('replay failed', (suppressed) =>
        logger.error({ err: error, suppressed }, 'The broker would not give what a replay asked for'),
      );
    },
    socketFailed(error, socket) {
      logger.error({ err: error, socket }, 'A socket failed and was closed: this is a bug');
    },
    channelFailed(error) {
      metrics.count('signalbox.actor_errors', 1, { machine: 'channel' });
      logger.error({ err: error }, 'A channel failed: this is a bug');
    },
    channelRefused(error) {
      metrics.count('signalbox.channels_refused');
      limit.log('channel refused', (suppressed) =>
        logger.error({ err: error, suppressed }, 'The broker will not give a channel: it is asked again'),
      );
    },
    readerLive() {
      logger.info({}, 'Reading: the reader is live');
    },
    readerStale(error) {
      logger.error({ reason: error }, 'The broker cannot be read: the reader is stale and keeps trying');
    },
    readerDeaf({ standing, position, end }) {
      const about = { standing, position, ...(end !== '' && { end }) };
      logger.error(about, DEAF);
    },
    readerHearing() {
      logger.info({}, 'The reader hears again: this process is no longer deaf');
    },
    canaryRefused(error) {
      logger.info(
        { err: error },
        'The broker refuses what the canary publishes: without it a quiet feed is watched less well',
      );
    },
    epochChanged({ lastId }, position) {
      logger.warn({ lastId, position }, 'The broker lost data or was replaced: reading goes on from here');
      onEpochChanged?.();
    },
    crashed(error) {
      metrics.count('signalbox.actor_errors', 1, { machine: 'reader_or_router' });
      logger.fatal({ err: error }, 'The reader or the router failed: this is a bug, and the process ends');
      onCrash(error);
    },
  };
}

const DEAF =
  'This process is deaf: the reader is connected, and what is published does not arrive. It is not ready until the reader, which connects anew, hears again. If this goes on, look whether it and the publishers are led to the same Redis';
