import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Findings, type Given, noFindings } from './findings.ts';
import { isListOfObjects } from './item-problems.ts';
import { type Leaf, leaves } from './leaf.ts';
import { suggestion } from './suggestion.ts';
import { ignoredKeys, ignoredText } from './superset.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentReading extends Findings {
  readonly given: Map<string, Given>;
}

/** Names the config file. */
export const fileVariable = 'SIGNALBOX_CONFIG';

/** An empty or blank variable is unset. */
export const variable = (env: Environment, name: string): string | undefined => {
  const text = env[name];
  return text === undefined || text.trim() === '' ? undefined : text;
};

/** What Kubernetes puts into `<SERVICE>_PORT` for a service of that name. */
const serviceUrl = /^\s*(?:tcp|udp|sctp):\/\//i;

/** The other variables it makes for a service called signalbox, or signalbox-something. */
const serviceVariable =
  /^SIGNALBOX_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)$/;

/** Text that is not JSON stays text. */
const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** A variable's text as the type its key has; text that is no such thing stays text, and is refused later. */
const valueOf = (leaf: Leaf, text: string): unknown => {
  const { type } = leaf;
  const bare = text.trim();
  if (isListOfObjects(leaf)) return jsonOf(bare);
  switch (type.type) {
    case 'integer':
      if (type.words?.includes(bare.toLowerCase())) return bare.toLowerCase();
      return /^[+-]?\d+$/.test(bare) ? Number(bare) : text;
    case 'boolean':
      return /^(?:true|false)$/i.test(bare) ? bare.toLowerCase() === 'true' : text;
    case 'array':
      return bare
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'object':
      return jsonOf(bare);
    case 'string':
      // A secret may begin or end with a space; a word out of a list never does.
      return type.enum === undefined ? text : bare;
  }
};

/** A secret's text out of the file that `<NAME>_FILE` names, without the line end that editors leave. */
const secretFrom = (cwd: string, path: string): string | NodeJS.ErrnoException => {
  try {
    return readFileSync(resolve(cwd, path), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
};

/** Reads every variable that belongs to a key; values are converted, not yet checked. */
export const readEnvironment = (cwd: string, env: Environment): EnvironmentReading => {
  const reading: EnvironmentReading = { ...noFindings(), given: new Map() };
  for (const leaf of leaves) {
    readVariable(reading, env, leaf);
    if (leaf.meta.secret === true) readSecretFile(reading, cwd, env, leaf);
  }
  for (const name of ignoredKeys.values()) {
    if (variable(env, name) !== undefined) reading.notes.push({ key: name, text: ignoredText });
  }
  readUnknown(reading, env);
  return reading;
};

const readVariable = ({ given, notes }: EnvironmentReading, env: Environment, leaf: Leaf): void => {
  const name = leaf.meta.env;
  const text = variable(env, name);
  if (text === undefined) return;
  if (name.endsWith('_PORT') && serviceUrl.test(text)) {
    notes.push({
      key: leaf.path,
      text: `${name} is what Kubernetes sets for a service of that name: ignored`,
    });
    return;
  }
  given.set(leaf.path, { value: valueOf(leaf, text), origin: name });
};

const readSecretFile = (reading: EnvironmentReading, cwd: string, env: Environment, leaf: Leaf): void => {
  const name = `${leaf.meta.env}_FILE`;
  const path = variable(env, name)?.trim();
  if (path === undefined) return;
  const problem = { key: leaf.path, source: name };
  if (reading.given.has(leaf.path)) {
    reading.problems.push({
      ...problem,
      code: 'conflict',
      got: `both ${leaf.meta.env} and ${name} are set`,
      expected: 'one of them',
      advice: `Unset ${leaf.meta.env} to use the file.`,
    });
    return;
  }
  const text = secretFrom(cwd, path);
  const usable = typeof text === 'string' && text.trim() !== '';
  if (!usable) {
    reading.problems.push({
      ...problem,
      code: 'file_unreadable',
      got: typeof text === 'string' ? `${path} is empty` : `${path} cannot be read (${text.code})`,
      expected: 'a file that holds the secret and nothing else',
      advice: 'Check the path and who may read it.',
    });
  }
  // Given, even when it cannot be read: nobody who names a secret means development mode.
  reading.given.set(leaf.path, { value: usable ? valueOf(leaf, text) : undefined, origin: name });
};

const known: ReadonlySet<string> = new Set([
  fileVariable,
  ...leaves.flatMap(({ meta }) => (meta.secret === true ? [meta.env, `${meta.env}_FILE`] : [meta.env])),
]);

const readUnknown = ({ warnings }: EnvironmentReading, env: Environment): void => {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('SIGNALBOX_') || known.has(name) || serviceVariable.test(name)) continue;
    const meant = suggestion(name, known);
    warnings.push({
      key: name,
      text: `no variable of this version, ignored${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    });
  }
};
