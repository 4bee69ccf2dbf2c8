import { isLeft } from 'fp-ts/lib/Either.js';
import { load } from '../config/load.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { type ConfigProblem, printProblem } from '../config/problem.ts';
import { SignalboxError } from './error.ts';
import type { ConfigOptions } from './options.ts';

/** Throws every problem there is, those of other options included. */
export function loadFor(
  options: ConfigOptions,
  isAuthenticating: boolean,
  others: readonly ConfigProblem[],
): LoadedConfig {
  // What is no object at all has no configuration that could be read.
  if (others.some(({ key }) => UNREADABLE.has(key))) throw refusal(others);
  const { config = {}, env = process.env, cwd = process.cwd(), file } = options;
  const result = load({ env, cwd, file, program: { config, isAuthenticating } });
  if (isLeft(result)) throw refusal([...others, ...result.left]);
  const problem = workersProblem(result.right);
  const problems = problem === undefined ? others : [...others, problem];
  if (problems.length > 0) throw refusal(problems);
  return result.right;
}

const UNREADABLE: ReadonlySet<string> = new Set(['options', 'config', 'env', 'file', 'cwd']);

/** Its message has all of them: it is what is printed of an error that nobody caught. */
export function refusal(problems: readonly ConfigProblem[]): SignalboxError {
  const lines = problems.map((problem) => `\n  - ${printProblem(problem)}`).join('');
  return new SignalboxError('config', `The configuration has problems:${lines}`, { problems });
}

/** A server in this process is one process: who asks for more must not silently get one. */
function workersProblem({ config, origins }: LoadedConfig): ConfigProblem | undefined {
  const { workers } = config;
  if (workers === 'auto' || workers === 1) return undefined;
  return {
    code: 'conflict',
    key: 'workers',
    source: origins.get('workers') ?? 'default',
    got: `${workers} in a program, where there is one server in the process that makes it`,
    expected: '1 or auto, which is 1 here',
    advice: 'Run the command, or make one in each of your own processes.',
  };
}
