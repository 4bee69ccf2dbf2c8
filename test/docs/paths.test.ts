import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { named, pages } from './pages.ts';

const FOLDERS = 'src|machines|test|integration|docs|scripts|examples|packaging|public';
const PATH = new RegExp(`\`((?:${FOLDERS})/[\\w./-]+)\``, 'g');
const LINK = /\]\(([^)\s]+)\)/g;

/** As code hosts make them. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchors = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('the documentation', () => {
  test('names only files and folders that there are', () => {
    const paths = named(PATH);
    expect(paths.length).toBeGreaterThan(50);
    expect(paths.filter(({ name }) => !existsSync(name))).toEqual([]);
  });

  test('links only to pages and headings that there are', () => {
    const links = named(LINK).filter(({ name }) => !/^https?:/.test(name));
    const broken = links.filter(({ path, name }) => {
      const [target = '', anchor] = name.split('#');
      const file = target === '' ? path : join(dirname(path), target);
      if (!existsSync(file)) return true;
      return anchor !== undefined && (!statSync(file).isFile() || !anchors(file).includes(anchor));
    });
    expect(links.length).toBeGreaterThan(30);
    expect(broken).toEqual([]);
  });

  test('has no page that nothing links to', () => {
    const linked = new Set(
      named(LINK).map(({ path, name }) => join(dirname(path), name.split('#')[0] ?? '')),
    );
    const lost = pages.map(({ path }) => path).filter((path) => path !== 'README.md' && !linked.has(path));
    expect(lost).toEqual([]);
  });
});
