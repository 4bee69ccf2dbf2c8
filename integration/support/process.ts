import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { JWT_SECRET } from './signalbox.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A Signalbox in a process of its own: what operators run. */
export interface SignalboxProcess {
  readonly port: number;
  readonly child: ChildProcess;
  /** What it printed. */
  output(): string;
  /** Bytes of memory it occupies now. */
  residentBytes(): number;
  /** Bytes that are left after a collection of garbage, which may be any amount; only of one that is measured. */
  keptBytes(): Promise<number>;
  /** Sends a signal and answers the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

const MEASURED = ['--expose-gc', '--import', join(ROOT, 'integration/support/kept-memory.mjs')];

/** Starts what was built, in an empty folder, and waits until it is ready. */
export async function startProcess(
  env: Readonly<Record<string, string>>,
  { isMeasured = false } = {},
): Promise<SignalboxProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-'));
  const child = spawn(process.execPath, [...(isMeasured ? MEASURED : []), join(ROOT, 'dist/src/main.js')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      JWT_SECRET,
      SIGNALBOX_HOST: '127.0.0.1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', ...(isMeasured ? (['ipc'] as const) : [])],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      rmSync(folder, { recursive: true, force: true });
      resolve(code);
    });
  });
  const ready = async (): Promise<number> => {
    const bound = await eventually('the port is bound', () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${output}`);
      const started = /Server started on port (\d+)/.exec(output)?.[1];
      return started === undefined ? undefined : Number(started);
    });
    await eventually('ready', async () => (await fetch(`http://127.0.0.1:${bound}/ready`)).status === 200);
    return bound;
  };
  const port = await ready().catch((error: unknown) => {
    // Nobody else knows of it.
    child.kill('SIGKILL');
    throw error;
  });
  return {
    port,
    child,
    output: () => output,
    residentBytes() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
    },
    async keptBytes() {
      child.send('kept?');
      const [bytes] = await once(child, 'message');
      return bytes;
    },
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}
