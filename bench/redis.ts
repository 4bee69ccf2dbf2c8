import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../integration/support/free-port.ts';
import { pinned } from './remote.ts';

/** The Redis of a run. */
export interface BenchRedis {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

async function versionOf(url: string): Promise<string> {
  const redis = new Redis(url, { maxRetriesPerRequest: 20 });
  try {
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
  } finally {
    redis.disconnect();
  }
}

/** The one that `TEST_REDIS_URL` names, or a `redis-server` of its own that keeps nothing on disk. */
export async function startRedis(processors: string | undefined): Promise<BenchRedis> {
  const given = process.env['TEST_REDIS_URL'];
  if (given !== undefined && given !== '') {
    return { url: given, version: await versionOf(given), async stop() {} };
  }
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
  ];
  const [command, args] = pinned(processors, 'redis-server', settings);
  const child = spawn(command, args, { stdio: 'ignore' });
  await once(child, 'spawn');
  const abandon = (): void => {
    child.kill();
  };
  process.once('exit', abandon);
  const url = `redis://127.0.0.1:${port}`;
  await pause(100);
  return {
    url,
    version: await versionOf(url),
    async stop() {
      process.off('exit', abandon);
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
