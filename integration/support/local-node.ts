import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilAnswering } from './answering.ts';
import { freePort } from './free-port.ts';
import type { NodeSpec, RedisNode } from './node.ts';
import { createFolder } from './run.ts';

const HOST = '127.0.0.1';

/** A `redis-server` of this machine as a child process, in a folder of its own. */
export async function startLocalNode(spec: NodeSpec): Promise<RedisNode> {
  const folder = createFolder('redis');
  const data = join(folder, 'data');
  const port = await freePort();
  const path = spec.unixSocket === undefined ? undefined : join(folder, spec.unixSocket);
  let server: ChildProcess | undefined;

  async function prepare(): Promise<void> {
    await rm(data, { recursive: true, force: true });
    await mkdir(data);
    const files = spec.files?.({ folder, port }) ?? {};
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  }

  async function start(): Promise<void> {
    const args = [
      ...spec.args({ folder, port }),
      '--bind',
      HOST,
      '--dir',
      data,
      ...(path === undefined ? [] : ['--unixsocket', path]),
    ];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(folder, 'log'), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    await once(child, 'spawn');
    // The end of the test run kills whatever a test did not.
    await writeFile(join(folder, 'pid'), String(child.pid));
    server = child;
    try {
      await untilAnswering({ host: HOST, port, tls: spec.tls === true }, 20_000, () => isRunning(child));
    } catch (error) {
      throw new Error(`redis-server did not start:\n${await readFile(join(folder, 'log'), 'utf8')}`, {
        cause: error,
      });
    }
  }

  async function kill(): Promise<void> {
    if (server === undefined || !isRunning(server)) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  await prepare();
  await start();
  return {
    host: HOST,
    port,
    path,
    announced: () => ({ host: HOST, port }),
    kill,
    async restart({ keepData }) {
      await kill();
      if (!keepData) await prepare();
      await start();
    },
    async pause() {
      server?.kill('SIGSTOP');
    },
    async resume() {
      server?.kill('SIGCONT');
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;
