import { types } from 'node:util';
import { type DestinationStream, destination, type Logger, multistream, pino, type StreamEntry } from 'pino';

export type { Logger } from 'pino';

/** The names an operator may set; each includes those before it. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Log to `filename` as well. */
  readonly toFile: boolean;
  readonly filename: string;
  /** Which of several workers writes; it stands in every line. */
  readonly worker?: number;
  /** Instead of standard output. */
  readonly output?: DestinationStream;
}

/** What is kept for an output that takes nothing for a while; beyond it lines are lost, not memory. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** Keys whose values are never logged, wherever in a line's fields they stand (three levels deep). */
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'token',
  'ticket',
  'secret',
  'password',
  'jwtSecret',
  'previousJwtSecret',
  'apiKeys',
  'payload',
  'data',
];

/**
 * A logger that writes JSON lines `{level, timestamp, pid, …, message}` to standard output and, where wanted, to
 * a file as well. Lines are written at once, so that the last one before a crash is there. Logging never fails:
 * a file that cannot be written is reported once, on standard output.
 */
export function createLogger({ level, toFile, filename, worker, output }: LoggerOptions): Logger {
  const base = { pid: process.pid, ...(worker !== undefined && { worker }) };
  const streams: StreamEntry[] = [{ level: 'trace', stream: output ?? open(1, () => {}) }];
  const logger = loggerTo(level, base, streams);
  if (!toFile) return logger;

  let reported = false;
  const report = (error: unknown): void => {
    if (!reported) logger.error({ err: error, logFilename: filename }, 'The log file cannot be written');
    reported = true;
  };
  try {
    return loggerTo(level, base, [...streams, { level: 'trace', stream: open(filename, report) }]);
  } catch (error) {
    report(error);
    return logger;
  }
}

/** Throws when a file cannot be opened. */
function open(dest: number | string, onError: (error: Error) => void): DestinationStream {
  const stream = destination({
    dest,
    sync: true,
    maxLength: MAX_BUFFERED_BYTES,
    // Tried again with the next line; the default sleeps, and the whole server with it.
    retryEAGAIN: () => false,
  });
  stream.on('error', onError);
  return stream;
}

function loggerTo(level: LogLevel, base: object, streams: StreamEntry[]): Logger {
  return pino(
    {
      level,
      messageKey: 'message',
      base,
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    multistream(streams),
  );
}

/** Only what an error is: those of Redis carry the command they failed with, payloads and passwords included. */
function describeError(error: unknown): unknown {
  if (!isError(error)) return typeof error === 'object' ? '[not an error]' : error;
  const { name, message, stack } = error;
  const { code } = error as NodeJS.ErrnoException;
  const { cause } = error;
  return {
    type: name,
    ...(code !== undefined && { code }),
    message,
    stack,
    ...(isError(cause) && { cause: `${cause.name}: ${cause.message}` }),
  };
}

/** Also those of other realms, and those that only inherit from Error. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}
