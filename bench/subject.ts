import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../integration/support/free-port.ts';
import { pinned, sourceArguments } from './remote.ts';

/** What is measured: Signalbox itself, and its peers. */
export type SubjectName = 'signalbox' | 'sidecar' | 'bare';

/** A server that is being measured, in a process of its own. */
export interface Subject {
  readonly port: number;
  /** User and system time of the process so far, in ms, as the operating system counts it. */
  cpuMs(): Promise<number>;
  /** Resident memory in bytes. */
  residentBytes(): Promise<number>;
  /** The same after a collection. */
  collectedBytes(): Promise<number>;
  stop(): Promise<void>;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
// Collects when asked by a signal, so that memory can be compared; it costs nothing until then.
const COLLECTING = ['--expose-gc', '--import', path('collect-on-signal.mjs')];

const PROGRAMS: Readonly<Record<SubjectName, string[]>> = {
  signalbox: [...COLLECTING, path('../dist/src/main.js')],
  sidecar: [...COLLECTING, ...sourceArguments('peers/sidecar.ts')],
  bare: [...COLLECTING, ...sourceArguments('peers/bare.ts')],
};

const TICKS_PER_SECOND = 100;
const START_LIMIT_MS = 20_000;
const COLLECTION_MS = 1500;

export interface SubjectOptions {
  readonly name: SubjectName;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly secret: string;
  readonly cpu: number | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

async function untilReady(name: SubjectName, port: number, child: ChildProcess): Promise<void> {
  const begin = performance.now();
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    if (performance.now() - begin > START_LIMIT_MS) throw new Error(`${name} was not ready in time`);
    const response = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.status === 200) return;
    await pause(20);
  }
}

/** Starts a server; resolves when it says that it is ready. */
export async function startSubject(options: SubjectOptions): Promise<Subject> {
  const { name, cpu, prefix, secret, redisUrl } = options;
  const port = await freePort();
  const [command, args] = pinned(cpu, process.execPath, PROGRAMS[name]);
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      PORT: String(port),
      REDIS_URL: redisUrl,
      REDIS_STREAM_PREFIX: prefix,
      JWT_SECRET: secret,
      LOG_LEVEL: 'error',
      SIGNALBOX_HOST: '127.0.0.1',
      ...options.env,
    },
  });
  await once(child, 'spawn');
  try {
    await untilReady(name, port, child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const residentBytes = async (): Promise<number> => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  };
  return {
    port,
    residentBytes,
    async cpuMs() {
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
      // The name in brackets may hold spaces; utime and stime are the 12th and 13th after it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
    },
    async collectedBytes() {
      child.kill('SIGUSR2');
      await pause(COLLECTION_MS);
      return residentBytes();
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
