import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Broker } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Sessions } from '../protocol/native/sessions.ts';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Instances } from './instances.ts';
import { createInstancesReport } from './report.ts';

export interface CreateInstancesDeps {
  readonly config: Pick<Config, 'native'>;
  readonly broker: Broker;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limit: LogLimit;
  /** Whether native clients are only some of those that are served. */
  readonly isBeside: boolean;
}

/** Makes this process one of the instances of its installation; it is heard of from its `start` on. */
export function createInstances(deps: CreateInstancesDeps): Instances {
  const { config, broker, sessions, clock, metrics, logger, limit, isBeside } = deps;
  // Whoever reads which instances did not answer finds them by these.
  const id = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  return new Instances({
    id,
    broker,
    sessions,
    clock,
    metrics,
    maxTokenLifeMs: config.native.maxTokenLifeSeconds * 1000,
    random: Math.random,
    newId: randomUUID,
    report: createInstancesReport({ logger, limit, id, isBeside }),
  });
}
