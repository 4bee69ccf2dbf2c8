import { extname } from 'node:path';
import { systemClock } from '../clock.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { createLogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { createFork } from './cluster.ts';
import { createPrimary, type Primary } from './primary.ts';

/** What each worker runs: a source beside sources, compiled beside compiled files. */
const ENTRY = new URL(`../worker${extname(import.meta.url)}`, import.meta.url);

/** Wires the primary of `count` workers; nothing is forked before `start`. */
export function createWorkers(loaded: LoadedConfig, count: number, log: Logger, entry = ENTRY): Primary {
  const limit = createLogLimit({ now: systemClock.now });
  const telemetry = createTelemetry({
    ...loaded.config.statsd,
    onError: (error) => limit.log('statsd', () => log.warn({ err: error }, 'StatsD cannot be reached')),
  });
  return createPrimary({
    count,
    loaded,
    log,
    fork: createFork(entry),
    clock: systemClock,
    random: Math.random,
    telemetry,
  });
}
