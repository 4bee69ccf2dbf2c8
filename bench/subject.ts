import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../integration/support/free-port.ts';
import type { DialectName } from './dialects.ts';
import { nativePrefixOf } from './inlets/redis.ts';
import { nchan } from './peers/nchan.ts';
import { cpuMsOf, residentBytesOf, signalTree } from './process-tree.ts';
import type { Program } from './program.ts';
import { pinned, sourceArguments } from './remote.ts';
import { nowUs } from './stamp.ts';

/** A server that is being measured, in processes of its own. */
export interface Subject {
  readonly port: number;
  readonly dialect: DialectName;
  /** Where its events are published to. */
  readonly inletUrl: string;
  /** When it was ready, in µs of the monotonic clock. */
  readonly readyUs: number;
  /** User and system time of its processes so far, in ms, as the operating system counts it. */
  cpuMs(): Promise<number>;
  /** Resident memory in bytes. */
  residentBytes(): Promise<number>;
  /** The same after a collection. */
  collectedBytes(): Promise<number>;
  stop(): Promise<void>;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const inNode = (dialect: DialectName, args: readonly string[]): Program => ({
  dialect,
  inlet: 'redis',
  isNode: true,
  async command({ nodeArguments }) {
    return [process.execPath, [...nodeArguments, ...args]];
  },
});

/** What is measured: Signalbox itself, and its peers. */
const PROGRAMS = {
  signalbox: inNode('plain', [path('../dist/src/main.js')]),
  bare: inNode('plain', sourceArguments('peers/bare.ts')),
  sidecar: inNode('plain', sourceArguments('peers/sidecar.ts')),
  socketio: inNode('socketio', sourceArguments('peers/socketio.ts')),
  nchan,
} as const satisfies Readonly<Record<string, Program>>;

export type SubjectName = keyof typeof PROGRAMS;

/** Signalbox first, and its peers in the order in which they are told. */
export const SUBJECT_NAMES = Object.keys(PROGRAMS) as SubjectName[];

export const runsInNode = (name: SubjectName): boolean => PROGRAMS[name].isNode;

// Collects when asked by a signal, so that memory can be compared; it costs nothing until then.
const COLLECTING = ['--expose-gc', '--import', path('collect-on-signal.mjs')];
const profiling = (folder: string): string[] => [
  '--cpu-prof',
  `--cpu-prof-dir=${folder}`,
  '--import',
  path('exit-on-signal.mjs'),
];

const START_LIMIT_MS = 20_000;
const COLLECTION_MS = 1500;
const PROFILE_LIMIT_MS = 20_000;

export interface SubjectOptions {
  readonly name: SubjectName;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly secret: string;
  /** The processors that it may use, as `taskset` reads them. */
  readonly processors: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Where to write a profile. */
  readonly profileFolder?: string | undefined;
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

async function stopChild(child: ChildProcess, pid: number, isProfiled: boolean): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  if (isProfiled) {
    await signalTree(pid, 'SIGTERM');
    await Promise.race([gone, pause(PROFILE_LIMIT_MS, undefined, { ref: false })]);
  }
  await signalTree(pid, 'SIGKILL');
  await gone;
}

/** Starts a server; resolves when it says that it is ready. */
export async function startSubject(options: SubjectOptions): Promise<Subject> {
  const { name, prefix, secret, redisUrl, env = {}, profileFolder } = options;
  const { dialect, inlet, isNode, command: commandIn }: Program = PROGRAMS[name];
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  const isProfiled = isNode && profileFolder !== undefined;
  if (isProfiled) await mkdir(profileFolder, { recursive: true });
  const nodeArguments = [...COLLECTING, ...(isProfiled ? profiling(profileFolder) : [])];
  const [command, args] = pinned(
    options.processors,
    ...(await commandIn({ port, folder, env, nodeArguments })),
  );
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      ...inspection(),
      NODE_ENV: 'production',
      PORT: String(port),
      REDIS_URL: redisUrl,
      REDIS_STREAM_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: nativePrefixOf(prefix),
      JWT_SECRET: secret,
      LOG_LEVEL: 'error',
      SIGNALBOX_HOST: '127.0.0.1',
      ...env,
    },
  });
  await once(child, 'spawn');
  const pid = child.pid as number;
  // When the run is broken off: a master of nginx that is killed would leave its worker.
  const abandon = (): void => {
    child.kill(isNode ? 'SIGKILL' : 'SIGTERM');
  };
  process.once('exit', abandon);
  const stop = async (): Promise<void> => {
    process.off('exit', abandon);
    await stopChild(child, pid, isProfiled);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(name, port, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    dialect,
    readyUs: nowUs(),
    inletUrl: inlet === 'redis' ? redisUrl : `http://127.0.0.1:${port}`,
    cpuMs: () => cpuMsOf(pid),
    residentBytes: () => residentBytesOf(pid),
    async collectedBytes() {
      // To nginx this signal would mean something else.
      if (isNode) {
        await signalTree(pid, 'SIGUSR2');
        await pause(COLLECTION_MS);
      }
      return residentBytesOf(pid);
    },
    stop,
  };
}

/** What the runner was told of inspection: what that costs is seen by running with it and without. */
const inspection = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('SIGNALBOX_INSPECT_')));
