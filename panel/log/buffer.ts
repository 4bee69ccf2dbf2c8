import type { LogLine } from '../../src/inspect/api.ts';
import { textOf } from './sentence.ts';

/** Rows that are kept. Older ones go: a log that only grows ends the page that shows it. */
export const KEPT = 500;

export interface Entry {
  readonly number: number;
  readonly line: LogLine;
}

/** The newest entries with one more, newest first. */
export const withLines = (entries: readonly Entry[], lines: readonly LogLine[]): readonly Entry[] => {
  const next = (entries[0]?.number ?? 0) + 1;
  const added = lines.map((line, at) => ({ number: next + at, line })).reverse();
  return [...added, ...entries].slice(0, KEPT);
};

export interface LogFilter {
  readonly kinds: readonly string[];
  readonly text: string;
}

/** Whether a line is shown; no kinds: all of them. The words may be in any case. */
export function isShown(line: LogLine, { kinds, text }: LogFilter): boolean {
  if (kinds.length > 0 && !kinds.includes(line.kind)) return false;
  const words = [line.socket, line.user, line.instance, line.kind, textOf(line)].join(' ');
  return words.toLowerCase().includes(text.trim().toLowerCase());
}
