import { isLeft } from 'fp-ts/lib/Either.js';
import { load } from './config/load.ts';
import type { LoadedConfig } from './config/loaded.ts';
import type { ConfigProblem } from './config/problem.ts';
import { createSystem } from './system.ts';
import { createLogger } from './telemetry/logger.ts';

export type { ConfigProblem } from './config/problem.ts';

/** Where a server's configuration comes from: the same sources, and the same words, as the command's. */
export interface StartOptions {
  /** Environment variables, which win over the file. Default: those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The config file; default: what `SIGNALBOX_CONFIG` names, or `config.json` in `cwd` if there is one. */
  readonly file?: string;
  /** What relative file names are relative to. Default: the working directory. */
  readonly cwd?: string;
}

/** A server that runs in this process. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** Resolves with an exit code once the server has ended, whoever ended it: 0 as asked, 1 by a fault of its own. */
  readonly ended: Promise<number>;
  /** Closes the sockets, spread over `drainMs`, and everything else; resolves when nothing is left. */
  stop(): Promise<void>;
}

/**
 * Why a server did not start.
 *
 * - `config`: the configuration has problems; all of them are in `problems`, and nothing was opened.
 * - `listen`: the port could not be bound; `cause` is the error of the bind.
 */
export type SignalboxErrorCode = 'config' | 'listen';

export class SignalboxError extends Error {
  readonly code: SignalboxErrorCode;
  readonly problems: readonly ConfigProblem[];

  constructor(
    code: SignalboxErrorCode,
    message: string,
    details: { readonly problems?: readonly ConfigProblem[]; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'SignalboxError';
    this.code = code;
    this.problems = details.problems ?? [];
  }
}

/** A server in this process is one process: who asks for more must not silently get one. */
const workersProblem = ({ config, origins }: LoadedConfig): ConfigProblem | undefined => {
  const { workers } = config;
  if (workers === 'auto' || workers === 1) return undefined;
  return {
    code: 'conflict',
    key: 'workers',
    source: origins.get('workers') ?? 'default',
    got: `${workers} with start(), which runs one server in the process that calls it`,
    expected: '1 or auto, which is 1 here',
    advice: 'Run the command, or call start() in each of your own processes.',
  };
};

const refuse = (problems: readonly ConfigProblem[]): never => {
  const keys = problems.map(({ key }) => key).join(', ');
  throw new SignalboxError('config', `the configuration has problems: ${keys}`, { problems });
};

/**
 * Starts a whole server in this process; resolves once its port is bound, rejects with a `SignalboxError`.
 *
 * It is the server that the command runs, without the command's handling of signals and uncaught errors, which
 * are the process's. It logs where its configuration says: to standard output. It forks nothing: `workers` above 1 is
 * a problem of the configuration, and `auto` is 1.
 */
export async function start(options: StartOptions = {}): Promise<Server> {
  const { env = process.env, cwd = process.cwd(), file } = options;
  const result = load({ env, cwd, file });
  if (isLeft(result)) return refuse(result.left);
  const problem = workersProblem(result.right);
  if (problem !== undefined) return refuse([problem]);
  const { config } = result.right;
  const logger = createLogger({
    level: config.logLevel,
    toFile: config.logToFile,
    filename: config.logFilename,
  });
  const system = createSystem(result.right, logger);
  try {
    const { host, port } = await system.start();
    return { host, port, ended: system.ended, stop: () => system.stop() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SignalboxError('listen', `cannot listen: ${reason}`, { cause: error });
  }
}
