import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { isLeft } from 'fp-ts/lib/Either.js';
import { load, type Surroundings } from '../../src/config/load.ts';
import type { LoadedConfig } from '../../src/config/loaded.ts';
import { type ConfigProblem, printProblem } from '../../src/config/problem.ts';

/** 40 bytes. */
export const secret = 'a-secret-of-more-than-thirty-two-bytes!!';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** An empty folder, with `config.json` when its content is given. Removed after the test. */
export const folder = (config?: unknown): string => {
  const path = mkdtempSync(join(tmpdir(), 'signalbox-config-'));
  folders.push(path);
  if (config !== undefined) {
    writeFileSync(join(path, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  }
  return path;
};

type Given = Partial<Omit<Surroundings, 'cwd'>> & { readonly config?: unknown; readonly cwd?: string };

const attempt = ({ config, cwd = folder(config), env = {}, file }: Given) => load({ cwd, env, file });

/** Loads what must be valid. */
export const loaded = (given: Given): LoadedConfig => {
  const result = attempt(given);
  if (isLeft(result)) throw new Error(result.left.map(printProblem).join('\n'));
  return result.right;
};

/** Loads what may be invalid: its problems. */
export const problems = (given: Given): readonly ConfigProblem[] => {
  const result = attempt(given);
  return isLeft(result) ? result.left : [];
};

/** The texts of the remarks about one key. */
export const about = (remarks: LoadedConfig['notes'], key: string): readonly string[] =>
  remarks.filter((remark) => remark.key === key).map(({ text }) => text);
