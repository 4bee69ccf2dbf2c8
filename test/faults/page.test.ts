import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const page = read('docs/faults.md');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
const covered = rows.filter((row) => row.length === 3 && row[1] !== 'test file') as [
  string,
  string,
  string,
][];

describe('docs/faults.md', () => {
  test.each(covered)('%s: its test exists', (_, file, name) => {
    // A name stands in the source as a literal, where one of its quotes may be escaped.
    expect(read(file).replaceAll("\\'", "'")).toContain(name);
  });

  test('has a line for each numbered fault of both sidecars', () => {
    const numbers = (part: string, last: number, without: readonly number[]): string[] =>
      Array.from({ length: last }, (_, at) => at + 1)
        .filter((number) => !without.includes(number))
        .map((number) => `${part}.${number}`);
    const items = new Set(rows.map(([item = '']) => item.split(' ')[0]));
    const missing = [...numbers('F1', 27, [10]), ...numbers('F2', 10, [2])].filter(
      (item) => !items.has(item),
    );
    expect(missing).toEqual([]);
  });
});
