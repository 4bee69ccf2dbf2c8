import { readdirSync, readFileSync } from 'node:fs';

/** One page of the documentation. */
export interface Page {
  /** Relative to the root of the repository, where tests run. */
  readonly path: string;
  readonly text: string;
}

const inFolder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);

const rootPages = readdirSync('.').filter((name) => name.endsWith('.md'));

/** Every page, generated ones too. */
export const pages: readonly Page[] = [
  ...rootPages,
  ...inFolder('docs'),
  ...inFolder('examples'),
  ...inFolder('client'),
].map((path) => ({ path, text: readFileSync(path, 'utf8') }));

/** One page by its path. */
export const pageAt = (path: string): string => readFileSync(path, 'utf8');

/** The blocks of one language, without their fences. */
export const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , body = '']) => body);

/** Every match of a pattern's first group, in all pages, as `page: match`. */
export const named = (pattern: RegExp): { readonly path: string; readonly name: string }[] =>
  pages.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([, name = '']) => ({ path, name })));

/** The rows of the tables below a heading, up to the next one: cells without the space around them. */
export const rowsBelow = (text: string, heading: string): string[][] => {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'));
  if (from < 0) throw new Error(`there is no heading ${heading}`);
  const length = lines.slice(from + 1).findIndex((line) => line.startsWith('#'));
  return lines
    .slice(from + 1, length < 0 ? undefined : from + 1 + length)
    .filter((line) => line.startsWith('|') && !line.startsWith('| ---'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
};
