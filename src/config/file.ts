import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Findings, type Given, noFindings } from './findings.ts';
import { jsonFault } from './json-fault.ts';
import { groups, type Leaf, leafAt, leaves } from './leaf.ts';
import type { ConfigProblem } from './problem.ts';
import { suggestion } from './suggestion.ts';
import { ignoredKeys, ignoredText } from './superset.ts';
import { kindOf } from './words.ts';

/** The file that is looked for when none is named. */
export const defaultFile = 'config.json';

export interface FileReading extends Findings {
  readonly given: Map<string, Given>;
  /** The file's name, when there is one, readable or not. */
  readonly name: string | undefined;
  /** The file is there, or was named, and what it says could not be known. */
  readonly unreadable: boolean;
  /** Keys that do not exist: problems, or warnings when not strict. */
  readonly unknown: readonly ConfigProblem[];
}

export const noFile = (name?: string): FileReading => ({
  ...noFindings(),
  given: new Map(),
  name,
  unreadable: false,
  unknown: [],
});

const unreadable = (name: string, problem: Omit<ConfigProblem, 'key' | 'source'>): FileReading => ({
  ...noFile(name),
  problems: [{ ...problem, key: name, source: name }],
  unreadable: true,
});

const failed = (name: string, error: NodeJS.ErrnoException): FileReading =>
  error.code === 'ENOENT'
    ? unreadable(name, {
        code: 'file_missing',
        got: 'no such file',
        expected: 'a config file, because it was named',
        advice: 'Correct the path, or leave --config and SIGNALBOX_CONFIG away.',
      })
    : unreadable(name, {
        code: 'file_unreadable',
        got: error.code === 'EISDIR' ? 'a folder' : `cannot be read (${error.code ?? error.message})`,
        expected: 'a readable file',
        advice: 'A container makes a folder where the file to mount does not exist; check its path and mode.',
      });

const parsed = (name: string, text: string): FileReading => {
  const fault = jsonFault(text);
  if (fault !== undefined) {
    return unreadable(name, {
      code: 'file_syntax',
      got: `not JSON: ${fault.found} at line ${fault.line}, column ${fault.column}`,
      expected: `${fault.expected} there`,
      advice: fault.found === '"/"' ? 'JSON has no comments: remove it.' : 'Correct the file.',
    });
  }
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return walk(name, value);
  return unreadable(name, {
    code: 'bad_value',
    got: kindOf(value),
    expected: 'an object with the keys of docs/configuration.md',
    advice: 'Write {} for none.',
  });
};

const unknownKey = (name: string, path: string, value: unknown): ConfigProblem => {
  const last = path.slice(path.lastIndexOf('.') + 1);
  const meant =
    leaves.find(({ meta }) => meta.env === last)?.path ??
    suggestion(path, [...leafAt.keys(), ...groups]) ??
    leaves.find((leaf) => leaf.path.endsWith(`.${last}`))?.path;
  return {
    code: 'unknown_key',
    key: path,
    source: name,
    // Not the value: it may be a secret under a misspelt name.
    got: `an unknown key, with ${kindOf(value)}`,
    expected: 'a key of docs/configuration.md',
    advice: meant === undefined ? 'Remove it.' : `Did you mean ${meant}?`,
  };
};

const exactNumber = /^-?(?:0|[1-9]\d*)$/;

/** A string that is exactly a number, true or false where one is expected: templates write such files. */
const unquoted = ({ type }: Leaf, value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (type.type === 'integer' && exactNumber.test(value)) return Number(value);
  if (type.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
};

/** Reads an object that has the form of the config file; `name` is what it is called in problems. */
export const walk = (name: string, root: object): FileReading => {
  const reading = noFile(name);
  const unknown: ConfigProblem[] = [];
  const visit = (object: object, prefix: string): void => {
    for (const [key, value] of Object.entries(object) as [string, unknown][]) {
      // Only a program can give it, and means nothing by it.
      if (value === undefined) continue;
      const path = prefix + key;
      const leaf = leafAt.get(path);
      if (leaf !== undefined) {
        const plain = unquoted(leaf, value);
        if (plain !== value) {
          reading.notes.push({
            key: path,
            text: `the text ${JSON.stringify(value)} in ${name} is read as ${String(plain)}`,
          });
        }
        reading.given.set(path, { value: plain, origin: name });
      } else if (groups.has(path)) {
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) visit(value, `${path}.`);
        else reading.problems.push(groupExpected(name, path, value));
      } else if (ignoredKeys.has(path)) reading.notes.push({ key: path, text: `${ignoredText} (${name})` });
      // Editors are told by it where config.schema.json is.
      else if (path !== '$schema') unknown.push(unknownKey(name, path, value));
    }
  };
  visit(root, '');
  return { ...reading, unknown };
};

const groupExpected = (name: string, path: string, value: unknown): ConfigProblem => ({
  code: 'bad_value',
  key: path,
  source: name,
  got: kindOf(value),
  expected: 'an object with keys of its own',
  advice: `Its keys are ${[...leafAt.keys()].filter((key) => key.startsWith(`${path}.`)).join(', ')}.`,
});

/**
 * Reads the config file: `named`, or `config.json` where that exists.
 * Every key it knows is in `given`, unchecked; all it does not know is in `unknown`.
 */
export const readConfigFile = (cwd: string, named: string | undefined): FileReading => {
  const name = named ?? defaultFile;
  let text: string;
  try {
    text = readFileSync(resolve(cwd, name), 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const reason = error as NodeJS.ErrnoException;
    return named === undefined && reason.code === 'ENOENT' ? noFile() : failed(name, reason);
  }
  return parsed(name, text);
};
