import { PassThrough, Readable } from 'node:stream';
import { afterEach } from '@jest/globals';
import { type CommandName, runCommand } from '../../src/commands/commands.ts';
import type { ExitCode } from '../../src/config/exit-code.ts';
import { folder, secret } from '../config/loading.ts';

/** What makes a server, and a command beside it, one that has a secret and needs no Redis. */
export const configured = { JWT_SECRET: secret, SIGNALBOX_BROKER: 'memory', SIGNALBOX_HOST: '127.0.0.1' };

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: unknown;
  readonly stdin?: string;
  readonly now?: () => number;
  /** Bytes that may wait to be read before stdout is full. */
  readonly stdoutBytes?: number;
}

/** A command that runs in this process. */
export interface Running {
  readonly stdout: PassThrough;
  /** What it has printed that was not read from `stdout`. */
  printed(): string;
  told(): string;
  /** As Ctrl-C does. */
  end(): void;
  readonly exitCode: Promise<ExitCode>;
}

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

export const start = (
  name: CommandName,
  argv: readonly string[],
  { env = {}, config, stdin = '', now = Date.now, stdoutBytes = 2 ** 20 }: Surroundings = {},
): Running => {
  const stdout = new PassThrough({ highWaterMark: stdoutBytes });
  const stderr = new PassThrough({ highWaterMark: 2 ** 20 });
  const asked = new AbortController();
  const kept = { stdout: '', stderr: '' };
  const readAll = (): void => {
    kept.stdout += String(stdout.read() ?? '');
    kept.stderr += String(stderr.read() ?? '');
  };
  const exitCode = runCommand(name, {
    argv,
    env,
    cwd: folder(config),
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout,
    stderr,
    now,
    untilEnded: () => asked.signal,
  });
  const end = (): void => asked.abort();
  ending.push(() => {
    end();
    return exitCode;
  });
  return {
    stdout,
    printed() {
      readAll();
      return kept.stdout;
    },
    told() {
      kept.stderr += String(stderr.read() ?? '');
      return kept.stderr;
    },
    end,
    exitCode,
  };
};

/** Runs a command to its end. */
export const ran = async (name: CommandName, argv: readonly string[], surroundings?: Surroundings) => {
  const running = start(name, argv, surroundings);
  const exitCode = await running.exitCode;
  return { exitCode, stdout: running.printed(), stderr: running.told() };
};
