import type { Config } from '../config/schema.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';

/** A logger such as pino: one method for each level. */
export interface LogTarget {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
  fatal?(fields: object, text: string): void;
}

/** The logger of a server in a program: redacted and limited as the command's, and then given to the program's own. */
export function createLibraryLogger(config: Config, target: LogTarget | false | undefined): Logger {
  const { logLevel: level, logToFile: toFile, logFilename: filename } = config;
  if (target === undefined) return createLogger({ level, toFile, filename });
  const write = (line: string): void => {
    if (target === false) return;
    try {
      forward(line, target);
    } catch {
      // A line may be written from anywhere, an event on its way included: nothing here is to end because of it, and
      // there is no other log to say it in.
    }
  };
  return createLogger({ level, toFile: false, filename, output: { write } });
}

function forward(line: string, target: LogTarget): void {
  const { level, message = '', timestamp: _, pid: __, ...fields } = JSON.parse(line) as Line;
  const isKnown = level === 'debug' || level === 'info' || level === 'warn' || level === 'error';
  const method = isKnown ? level : 'error';
  if (level === 'fatal' && target.fatal !== undefined) target.fatal(fields, message);
  else target[method](fields, message);
}

interface Line {
  readonly level: string;
  readonly message?: string;
  readonly timestamp: unknown;
  readonly pid: unknown;
}
