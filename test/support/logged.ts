import { type Logger, pino } from 'pino';

/** A logger, and what it was told from `info` on, parsed. */
export function createLogged(): { readonly logger: Logger; readonly logged: Record<string, unknown>[] } {
  const logged: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  return { logger, logged };
}
