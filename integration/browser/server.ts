import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface RunningServer {
  readonly url: string;
  /** What it has logged so far, one JSON object a line. */
  log(): string;
  /** Ends it as an operator would; answers its exit code, and null when a signal ended it. */
  stop(): Promise<number | null>;
}

/** Builds what users run, unless it is built. */
export function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { cwd: ROOT });
  if (status !== 0) throw new Error(`The build failed: ${stderr}`);
}

/**
 * Starts the built server in an empty folder: as a newcomer does, with nothing configured but its port, unless its
 * environment says more.
 */
export async function startServer(
  port: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-page-'));
  const server = spawn(process.execPath, [join(ROOT, 'dist/src/main.js')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORT: String(port), SIGNALBOX_DRAIN_MS: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const url = `http://127.0.0.1:${port}`;
  const isReady = async (): Promise<boolean> => (await fetch(`${url}/ready`)).status === 200;
  try {
    await eventually('the server is ready', () => {
      // Not "not yet", but never: without this the reason is told ten seconds later, and without its log.
      if (server.exitCode !== null) return true;
      return isReady();
    });
    if (server.exitCode !== null) throw new Error(`it ended with exit code ${server.exitCode}`);
  } catch (error) {
    await stop(server);
    rmSync(folder, { recursive: true });
    throw new Error(`The server did not start; it said:\n${log}`, { cause: error });
  }
  return {
    url,
    log: () => log,
    async stop() {
      const code = await stop(server);
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

async function stop(server: ChildProcess): Promise<number | null> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  }
  return server.exitCode;
}
