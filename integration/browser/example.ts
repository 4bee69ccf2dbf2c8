import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A program of examples/ in a process of its own, as its README says to start it. */
export interface RunningExample {
  readonly url: string;
  /** Ends it and answers its exit code; null: a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** An empty folder for what an example keeps. */
export const dataFolder = (): string => mkdtempSync(join(tmpdir(), 'signalbox-example-'));

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Starts an example on a port, and waits until its Signalbox is ready. */
export async function startExample(
  path: string,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<RunningExample> {
  const child = spawnExample([path], { PORT: String(port), ...env });
  const url = `http://127.0.0.1:${port}`;
  await eventually('the example is ready', async () => {
    // Not "not yet", but never.
    if (child.exitCode !== null) return true;
    return (await fetch(`${url}/signalbox/ready`)).status === 200;
  });
  if (child.exitCode !== null) throw new Error(`${path} ended with ${child.exitCode}: ${child.output()}`);
  return { url, stop: (signal) => ended(child, signal) };
}

/** Runs an example to its end. */
export async function runExample(
  [path, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawnExample([path, ...args], env);
  await once(child, 'close');
  return { code: child.exitCode, output: child.output() };
}

type Spoken = ChildProcess & { output(): string };

function spawnExample(args: readonly string[], env: Readonly<Record<string, string>>): Spoken {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return Object.assign(child, { output: () => output });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}
