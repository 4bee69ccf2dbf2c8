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

/** A value as JSON, a secret as asterisks; how many there are, and that there is none, still shows. */
const printValue = (leaf: Leaf, value: unknown): string => {
  if (leaf.meta.secret !== true || value === '') return JSON.stringify(value);
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
