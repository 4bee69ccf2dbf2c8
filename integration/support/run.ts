import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a Redis for tests comes from: containers of an engine, or processes of a `redis-server` on this machine. */
export type Backend = 'docker' | 'local';

/** The label of every container of one test run; its value is the run's name. */
export const RUN_LABEL = 'signalbox.test-run';

/**
 * What the global set-up decided, as the test files see it.
 *
 * It travels in the environment because test files run in other processes and contexts than the set-up.
 */
export function testRun(): {
  readonly folder: string;
  readonly backend: Backend | undefined;
  readonly url: string;
} {
  const {
    SIGNALBOX_TEST_RUN: folder,
    SIGNALBOX_TEST_BACKEND: backend,
    SIGNALBOX_TEST_REDIS: url,
  } = process.env;
  if (folder === undefined || url === undefined) {
    throw new Error('No Redis was chosen: run this file in the jest project "integration" or "browser".');
  }
  return { folder, backend: backend === 'docker' || backend === 'local' ? backend : undefined, url };
}

/** The name of this run: what its containers are labelled with. */
export const runName = (folder: string) => folder.slice(folder.lastIndexOf('signalbox-test-'));

export function createRunFolder(): string {
  return mkdtempSync(join(tmpdir(), 'signalbox-test-'));
}

/** A new folder of this run; removed, with every process whose `pid` file is in it, when the run ends. */
export function createFolder(purpose: string): string {
  const { folder } = testRun();
  mkdirSync(folder, { recursive: true });
  return mkdtempSync(join(folder, `${purpose}-`));
}
