import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { pageAt, rowsBelow } from './pages.ts';

interface Package {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const { dependencies, devDependencies, overrides, engines } = JSON.parse(
  readFileSync('package.json', 'utf8'),
) as Package;
const page = pageAt('docs/dependencies.md');

/** Name and range of each row, in order. */
const listed = (heading: string): string[] =>
  rowsBelow(page, heading)
    .slice(1)
    .map(([name = '', range = '']) => `${name.replaceAll('`', '')} ${range}`);

const asListed = (packages: Readonly<Record<string, string>>): string[] =>
  Object.entries(packages).map(([name, range]) => `${name} ${range}`);

describe('docs/dependencies.md', () => {
  test('has every dependency of package.json with its range, and nothing else', () => {
    expect(listed('At run time')).toEqual(asListed(dependencies));
    expect(listed('To develop')).toEqual(asListed(devDependencies));
  });

  test('has every override', () => {
    const flat = Object.entries(overrides).flatMap(([name, inner]) =>
      Object.entries(inner).map(([dependency, range]) => `${name} > ${dependency} ${range}`),
    );
    expect(listed('Overrides')).toEqual(flat);
  });

  test('names the Node that the pins are for', () => {
    expect(page).toContain(`Node ${engines.node.replace('>=', '')} is the oldest`);
  });
});
