import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { JWT_SECRET } from '../support/signalbox.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** How a process ended, and all that it printed. */
export interface End {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Signalbox in a process of its own, as an operator runs it; it may end before it serves. */
export interface Server {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly ended: Promise<End>;
  /** Where it listens, once it says so; rejects when it ends first. */
  port(): Promise<number>;
  /** As `port`, once `/ready` is 200. */
  ready(): Promise<number>;
  /** Milliseconds of processor time it has used. */
  cpuMs(): number;
}

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The text of a `config.json` in its working directory. */
  readonly configFile?: string;
  /** In the place of the server's own entry. */
  readonly entry?: string;
}

/** Starts the sources in an empty folder. */
export function startServer({ env = {}, configFile, entry = 'src/main.ts' }: ServerOptions = {}): Server {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-fault-'));
  if (configFile !== undefined) writeFileSync(join(folder, 'config.json'), configFile);
  const loader = join(ROOT, 'test/source-loader.mjs');
  const child = spawn(process.execPath, ['--import', loader, join(ROOT, entry), 'start'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORT: '0', JWT_SECRET, SIGNALBOX_HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: Record<string, unknown>[] = [];
  let stdout = '';
  let stderr = '';
  let unfinished = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    const lines = (unfinished + text).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) log.push(JSON.parse(line));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    rmSync(folder, { recursive: true, force: true });
    return { code: code as number | null, stdout, stderr };
  });
  const port = () =>
    eventually('it listens', () => {
      const line = log.find(({ message }) => String(message).startsWith('Server started on port'));
      return line === undefined ? undefined : Number(line['port']);
    });
  return {
    child,
    folder,
    log,
    ended,
    port: () => Promise.race([port(), ended.then((end) => Promise.reject(new Error(JSON.stringify(end))))]),
    async ready() {
      const at = await this.port();
      await eventually('ready', async () => (await fetch(`http://127.0.0.1:${at}/ready`)).status === 200);
      return at;
    },
    cpuMs: () => cpuMsOf(child.pid as number),
  };
}

/** Kills it unless it has ended. */
export async function killServer({ child, ended }: Server): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await ended;
}

/** Linux counts in hundredths of a second; elsewhere `ps` says the same in its own words. */
function cpuMsOf(pid: number): number {
  const path = `/proc/${pid}/stat`;
  if (existsSync(path)) {
    const text = readFileSync(path, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
  const time = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' });
  return time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1000;
}
