import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @import { Line } from './contract.ts' */

/**
 * The lines of one room, in a file: in the place of your database. It is written before anybody hears of a line, so
 * what was answered is still there after a crash.
 *
 * @param {string} folder
 * @param {string} room
 */
export function openHistory(folder, room) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${room}.jsonl`);
  const lines = readLines(file);

  return {
    /**
     * Keeps a line. One whose key is known is not kept again: its sender has not heard that it was.
     *
     * @param {Pick<Line, 'from' | 'text' | 'key'>} said
     * @returns {Line}
     */
    add({ from, text, key }) {
      const known = lines.findLast((line) => line.key === key && line.from === from);
      if (known !== undefined) return known;
      const line = { n: (lines.at(-1)?.n ?? 0) + 1, from, text, at: Date.now(), key };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
      lines.push(line);
      return line;
    },

    /** The last `count` lines before number `before`. */
    last(count = 50, before = Number.POSITIVE_INFINITY) {
      return lines.filter(({ n }) => n < before).slice(-count);
    },
  };
}

/**
 * @param {string} file
 * @returns {Line[]}
 */
function readLines(file) {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
