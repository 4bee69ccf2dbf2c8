import { fieldsOf } from './item-problems.ts';
import { type Leaf, leaves } from './leaf.ts';
import type { LoadedConfig, Remark } from './loaded.ts';
import { type ConfigProblem, printProblem } from './problem.ts';
import type { Config } from './schema.ts';

const mask = '********';

/** The value at a path. */
export const valueAt = (config: Config, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>>)[name], config);

const url = /^\w+:\/\//;
/** Before the host, or as a parameter. */
const passwordInUrl = /(?<=^\w+:\/\/[^:@/?#]*:)[^@/?#]*(?=@)|(?<=[?&]password=)[^&#]*/g;

/** Of a URL only the password is one. */
const maskSecret = (value: unknown): unknown => {
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskSecret(inner)]));
  }
  if (typeof value !== 'string' || value === '') return value;
  return url.test(value) ? value.replace(passwordInUrl, mask) : mask;
};

/** The objects in a list, with their secret fields masked. */
const maskItems = (leaf: Leaf, value: unknown): unknown => {
  const secrets = Object.entries(fieldsOf(leaf)).flatMap(([name, field]) =>
    field.meta()?.secret ? name : [],
  );
  if (secrets.length === 0 || !Array.isArray(value)) return value;
  return value.map((item: Readonly<Record<string, unknown>>) => ({
    ...item,
    ...Object.fromEntries(secrets.flatMap((name) => (name in item ? [[name, maskSecret(item[name])]] : []))),
  }));
};

/** A value as JSON, a secret as asterisks; how many there are, and that there is none, still shows. */
const printValue = (leaf: Leaf, value: unknown): string => {
  if (leaf.meta.secret !== true || value === '') return JSON.stringify(maskItems(leaf, value));
  return JSON.stringify(Array.isArray(value) ? value.map(() => mask) : mask);
};

/** Every value with where it came from, secrets masked: `--print-config`. */
export const printConfig = ({ config, mode, brokerChoice, origins }: LoadedConfig): string => {
  const lines = leaves.map((leaf) => [
    `${leaf.path} = ${printValue(leaf, valueAt(config, leaf.path))}`,
    origins.get(leaf.path) ?? 'default',
  ]);
  const width = Math.min(60, Math.max(...lines.map(([text = '']) => text.length)));
  return [
    `# ${mode} mode, broker ${brokerChoice.name}: ${brokerChoice.reason}`,
    ...lines.map(([text = '', origin = '']) => `${text.padEnd(width)}  # ${origin}`),
    '',
  ].join('\n');
};

/** Every problem, a line each, under a line that counts them. */
export const printProblems = (problems: readonly ConfigProblem[]): string => {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return `signalbox cannot start: ${count} in its configuration\n${problems
    .map((problem) => `  - ${printProblem(problem)}\n`)
    .join('')}`;
};

export const printRemarks = (kind: 'note' | 'warning', remarks: readonly Remark[]): string =>
  remarks.map(({ key, text }) => `${kind}: ${key}: ${text}\n`).join('');
