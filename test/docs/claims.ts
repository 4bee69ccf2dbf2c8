import { existsSync, readFileSync } from 'node:fs';

/** A row that says what is so, and the test that shows it. */
export interface Claim {
  readonly what: string;
  readonly file: string;
  readonly name: string;
}

/** The rows of a page's tables whose last two cells are a test file and the name of a test in it. */
export const claimsOf = (page: string): readonly Claim[] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )
    .filter((cells) => /^(?:test|integration)\/\S+\.[jt]s$/.test(cells.at(-2) ?? ''))
    .map((cells) => ({
      what: cells[0] ?? '',
      file: cells.at(-2) ?? '',
      name: cells.at(-1) ?? '',
    }));

/** The names of a file's tests and of their groups, as they are written. */
export function testNames(file: string): ReadonlySet<string> {
  if (!existsSync(file)) return new Set();
  const source = readFileSync(file, 'utf8');
  // The first argument of a call, when it is a text: of a test, of a group, and of what `each` gives.
  const literal = /\(\s*(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`)\s*,/g;
  const names = [...source.matchAll(literal)].map(([, single, double, template]) =>
    (single ?? double ?? template ?? '').replaceAll(/\\(.)/g, '$1'),
  );
  return new Set(names);
}
