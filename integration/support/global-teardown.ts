import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeContainers } from './docker.ts';
import { runName } from './run.ts';

/** Ends everything that this run started and a test did not stop, the shared Redis first of all. */
export default async function teardown(): Promise<void> {
  const { SIGNALBOX_TEST_RUN: folder, SIGNALBOX_TEST_BACKEND: backend } = process.env;
  if (folder === undefined || !existsSync(folder)) return;
  for (const name of await readdir(folder)) await kill(join(folder, name, 'pid'));
  if (backend === 'docker') await removeContainers(runName(folder));
  await rm(folder, { recursive: true, force: true });
}

/** Kills the process of a pid file; one that a test killed has left its file behind, and its id may be another's. */
async function kill(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const pid = Number(await readFile(file, 'utf8'));
  if (existsSync('/proc') && !(await isRedis(pid))) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended on its own.
  }
}

const isRedis = async (pid: number) =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('redis');
