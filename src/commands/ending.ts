import type { EventEmitter } from 'node:events';

interface EndingProcess extends EventEmitter {
  readonly stdout: EventEmitter;
}

/**
 * A signal that is aborted when the process is asked to end for the first time, or when nobody reads its output any
 * more, as after `| head`. The second SIGINT or SIGTERM ends it as it ends every process.
 */
export const untilEnded = (process: EndingProcess): AbortSignal => {
  const ending = new AbortController();
  const end = (): void => {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
    ending.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.stdout.on('error', end);
  return ending.signal;
};
