import { randomBytes } from 'node:crypto';
import { isNonEmpty } from 'fp-ts/lib/Array.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NonEmptyArray } from 'fp-ts/lib/NonEmptyArray.js';
import { type Environment, fileVariable, readEnvironment, variable } from './environment.ts';
import { type FileReading, noFile, readConfigFile, walk } from './file.ts';
import { type Findings, type Given, type GivenValues, noFindings } from './findings.ts';
import { isListOfObjects, itemProblems } from './item-problems.ts';
import { leafAt, leaves } from './leaf.ts';
import type { LoadedConfig, Mode } from './loaded.ts';
import { choose, programOptions } from './mode.ts';
import { type ConfigProblem, printProblem } from './problem.ts';
import { parseRedisUrl } from './redis-url.ts';
import { rules } from './rules.ts';
import { type Config, configSchema } from './schema.ts';
import { readAsSuperset } from './superset.ts';
import { advice, expected, got } from './words.ts';

export interface Surroundings {
  /** Relative file names are relative to it. */
  readonly cwd: string;
  readonly env: Environment;
  /** The config file, when the command line names one. */
  readonly file?: string | undefined;
  /** Given by the program that this runs in: then a config file is read only where one is named. */
  readonly program?: ProgramOptions | undefined;
}

export interface ProgramOptions {
  /** As in the config file. It wins over everything else. */
  readonly config: object;
  /** The program says who its clients are, so that no secret is needed. */
  readonly isAuthenticating: boolean;
}

/** Every source's values that are valid by themselves, and the keys whose values are not known. */
interface Checked {
  readonly given: Map<string, Given>;
  readonly broken: Set<string>;
}

const checkSource = (source: GivenValues, findings: Findings): Checked => {
  const checked: Checked = { given: new Map(), broken: new Set() };
  for (const [path, { value: raw, origin }] of source) {
    const leaf = leafAt.get(path);
    if (leaf === undefined) continue;
    const { value, note } = readAsSuperset(leaf, raw);
    if (note !== undefined) findings.notes.push({ key: path, text: `${note} (${origin})` });
    if (value !== undefined && leaf.schema.safeParse(value).success) {
      checked.given.set(path, { value, origin });
      continue;
    }
    checked.broken.add(path);
    // Undefined: the source itself could not be read, and has said so.
    if (value === undefined) continue;
    if (isListOfObjects(leaf)) {
      findings.problems.push(...itemProblems(leaf, value, origin));
      continue;
    }
    findings.problems.push({
      code: 'bad_value',
      key: path,
      source: origin,
      got: got(leaf, raw),
      expected: expected(leaf),
      advice: advice(leaf, raw),
    });
  }
  return checked;
};

/** The parts of `redis.url` take the place of the keys they give. */
const applyRedisUrl = ({ given, broken }: Checked, findings: Findings): void => {
  const url = given.get('redis.url');
  if (url === undefined || url.value === '') return;
  const parsed = parseRedisUrl(String(url.value));
  if (isLeft(parsed)) {
    const leaf = leafAt.get('redis.url');
    findings.problems.push({
      code: 'bad_value',
      key: 'redis.url',
      source: url.origin,
      got: parsed.left,
      expected: leaf === undefined ? 'a URL' : expected(leaf),
      advice: 'Write redis://user:password@host:6379/0 with @ : / ? # in the password percent-encoded.',
    });
    broken.add('redis.url');
    return;
  }
  for (const [name, value] of parsed.right.parts) {
    const path = `redis.${name}`;
    const other = given.get(path);
    if (other !== undefined && other.value !== value) {
      findings.notes.push({ key: path, text: `redis.url (${url.origin}) wins over ${other.origin}` });
    }
    given.set(path, { value, origin: `redis.url (${url.origin})` });
  }
  for (const name of parsed.right.ignored) {
    findings.notes.push({ key: 'redis.url', text: `its parameter ${name} is not known and ignored` });
  }
};

/** Defaults that depend on something else. */
const fillIn = ({ given }: Checked, mode: Mode, isProgram: boolean): void => {
  const development = (path: string, value: unknown): void => {
    if (mode === 'development' && !given.has(path)) given.set(path, { value, origin: 'development mode' });
  };
  development('host', '127.0.0.1');
  development('jwtSecret', randomBytes(32).toString('base64url'));
  if (!isProgram) {
    development('admin.enabled', true);
    development('admin.port', 0);
  }
  development('admin.token', randomBytes(24).toString('base64url'));
  if (isProgram && !given.has('superset.protocol')) {
    given.set('superset.protocol', { value: 'off', origin: 'default in a program' });
  }
  if (given.get('superset.protocol')?.value === 'realtime' && !given.has('jwtCookieName')) {
    given.set('jwtCookieName', {
      value: 'superset-ws-token',
      origin: 'default for superset.protocol realtime',
    });
  }
};

const build = (given: GivenValues): Config => {
  const root: Record<string, unknown> = {};
  for (const [path, { value }] of given) place(root, path.split('.'), value);
  return configSchema.parse(root);
};

/** Puts a value into the group of its key, which may be in another one. */
const place = (
  root: Record<string, unknown>,
  [name = '', ...inner]: readonly string[],
  value: unknown,
): void => {
  if (inner.length === 0) root[name] = value;
  else place((root[name] ??= {}) as Record<string, unknown>, inner, value);
};

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
};

/** Unknown keys are problems, unless `strict` is false and can be known to be. */
const judgeUnknown = (file: FileReading, { given }: Checked, findings: Findings): void => {
  if (given.get('strict')?.value !== false) findings.problems.push(...file.unknown);
  else
    findings.warnings.push(
      ...file.unknown.map((problem) => ({ key: problem.key, text: printProblem(problem) })),
    );
};

/**
 * Reads the whole configuration: defaults, then the config file, then the environment, which wins.
 *
 * Right is what to start with. Left is every problem there is, not only the first: nobody should have to start
 * five times to find five typing errors. Reads files; touches nothing else.
 */
export const load = (surroundings: Surroundings): Either<NonEmptyArray<ConfigProblem>, LoadedConfig> => {
  const { cwd, env, program } = surroundings;
  const named = surroundings.file ?? variable(env, fileVariable)?.trim();
  const file = program !== undefined && named === undefined ? noFile() : readConfigFile(cwd, named);
  const options = program === undefined ? noFile() : walk(programOptions, program.config);
  const environment = readEnvironment(cwd, env);
  const findings: Findings = noFindings();
  for (const { problems, notes, warnings } of [file, environment, options]) {
    findings.problems.push(...problems);
    findings.notes.push(...notes);
    findings.warnings.push(...warnings);
  }
  // Both are checked by themselves: a value that is overridden is wrong all the same, and hides a mistake.
  const fromFile = checkSource(file.given, findings);
  const fromEnvironment = checkSource(environment.given, findings);
  const fromOptions = checkSource(options.given, findings);
  const checked: Checked = {
    given: new Map([...fromFile.given, ...fromEnvironment.given, ...fromOptions.given]),
    broken: new Set([...fromFile.broken, ...fromEnvironment.broken, ...fromOptions.broken]),
  };
  for (const source of [file, options]) judgeUnknown(source, checked, findings);
  applyRedisUrl(checked, findings);

  const choice = choose(new Map([...file.given, ...environment.given, ...options.given]), file.name, env);
  fillIn(checked, choice.mode, program !== undefined);
  const config = build(checked.given);
  const origins = new Map(leaves.map(({ path }) => [path, checked.given.get(path)?.origin ?? 'default']));
  // What an unreadable file would have said is not known, and no reason for further complaints.
  const isKnown = (path: string): boolean =>
    !checked.broken.has(path) && (!file.unreadable || environment.given.has(path) || options.given.has(path));
  const isAuthenticating = program?.isAuthenticating ?? false;
  for (const rule of rules) {
    if (rule.about.every(isKnown)) rule.check({ config, origins, isAuthenticating, ...choice }, findings);
  }
  const { problems, notes, warnings } = findings;
  if (isNonEmpty(problems)) return left(problems);
  return right({ config: freeze(config), file: file.name, origins, notes, warnings, ...choice });
};
