import { existsSync, readFileSync } from 'node:fs';

/** The version of the nearest package.json upwards: one folder from the sources, two from the compiled file. */
export const packageVersion = (): string => {
  const found = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (found === undefined) return 'unknown';
  return (JSON.parse(readFileSync(found, 'utf8')) as { version: string }).version;
};
