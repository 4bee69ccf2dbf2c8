import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a process of the benchmark does when asked: one JSON value in, a promise of one out. */
export type Verbs = { readonly [verb: string]: (request: never) => unknown };

type Request<V extends Verbs, K extends keyof V> = Parameters<V[K]>[0];
type Answer<V extends Verbs, K extends keyof V> = Awaited<ReturnType<V[K]>>;

interface Asked {
  readonly call: number;
  readonly verb: string;
  readonly request: unknown;
}

interface Answered {
  readonly call: number;
  readonly answer?: unknown;
  readonly fault?: string;
}

/** A process of the benchmark, and how to ask it. */
export interface Remote<V extends Verbs> {
  ask<K extends keyof V & string>(verb: K, request: Request<V, K>): Promise<Answer<V, K>>;
  stop(): Promise<void>;
}

/** In the child: answers until the parent disconnects. */
export function answer(verbs: Verbs): void {
  process.on('message', (message: Asked) => {
    const { call, verb, request } = message;
    const reply = (answered: Omit<Answered, 'call'>): unknown => process.send?.({ call, ...answered });
    const run = verbs[verb] as ((request: unknown) => unknown) | undefined;
    if (run === undefined) {
      reply({ fault: `no such verb: ${verb}` });
      return;
    }
    Promise.resolve(request)
      .then(run)
      .then(
        (value) => reply({ answer: value }),
        (error: unknown) =>
          reply({ fault: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
}

const LOADER = fileURLToPath(new URL('../test/source-loader.mjs', import.meta.url));

/** Arguments of Node for a source of the benchmark. */
export const sourceArguments = (source: string): string[] => [
  '--import',
  LOADER,
  fileURLToPath(new URL(source, import.meta.url)),
];

/** A command that runs on these processors only, as `taskset` reads them; where it cannot be, as it was. */
export const pinned = (
  processors: string | undefined,
  command: string,
  args: readonly string[],
): [string, string[]] =>
  processors === undefined ? [command, [...args]] : ['taskset', ['-c', processors, command, ...args]];

/** Starts a source of this folder as a process of its own. */
export function startRemote<V extends Verbs>(source: string, processors: string | undefined): Remote<V> {
  const [command, args] = pinned(processors, process.execPath, sourceArguments(source));
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let calls = 0;
  child.on('message', ({ call, answer: value, fault }: Answered) => {
    const caller = waiting.get(call);
    waiting.delete(call);
    if (fault === undefined) caller?.resolve(value);
    else caller?.reject(new Error(`${source}: ${fault}`));
  });
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${source} ended with ${code}`));
    waiting.clear();
  });
  return {
    ask(verb, request) {
      calls += 1;
      const call = calls;
      return new Promise((resolve, reject) => {
        waiting.set(call, { resolve, reject });
        child.send({ call, verb, request } satisfies Asked);
      });
    },
    async stop() {
      if (child.exitCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
