import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { InstancesReport } from './instances.ts';

export interface InstancesReportDeps {
  readonly logger: Logger;
  readonly limit: LogLimit;
  /** What this instance is called. */
  readonly id: string;
  /** Whether native clients are only some of those that are served. */
  readonly isBeside: boolean;
}

/** What an operator hears of this instance among the others. */
export function createInstancesReport(deps: InstancesReportDeps): InstancesReport {
  const { logger, limit, id: instance, isBeside } = deps;
  let wasPresent = false;
  return {
    present() {
      wasPresent = true;
      logger.info({ instance }, 'This instance hears the others');
    },
    absent(error) {
      // A user with the rights of Superset's old sidecar may not: for who serves Superset alone that is no warning.
      const level = isBeside && !wasPresent ? 'info' : 'warn';
      logger[level]({ instance, err: error }, 'This instance does not hear the others and keeps trying');
    },
    answerFailed(error) {
      limit.log('answer failed', (suppressed) =>
        logger.warn({ err: error, suppressed }, 'Who asked for an end cannot be answered'),
      );
    },
    malformed() {
      limit.log('malformed control message', (suppressed) =>
        logger.warn({ suppressed }, 'A message between instances is none and was skipped'),
      );
    },
  };
}
