import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  cpuMsIn,
  cpuMsOf,
  processTree,
  residentBytesIn,
  residentBytesOf,
  signalTree,
} from '../../bench/process-tree.ts';

// A process that holds two others, and says when they run. One of them works for a while.
const PARENT = `
  const { spawn } = require('node:child_process');
  const work = 'while (process.cpuUsage().user < 400_000); console.log("done"); setInterval(() => {}, 1000)';
  const rest = 'console.log("done"); setInterval(() => {}, 1000)';
  const children = [work, rest].map((code) => spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] }));
  Promise.all(children.map((child) => new Promise((done) => child.stdout.once('data', done)))).then(() => console.log('ready'));
`;

let parent: ChildProcess | undefined;

afterEach(async () => {
  if (parent?.pid !== undefined && parent.exitCode === null && parent.signalCode === null) {
    await signalTree(parent.pid, 'SIGKILL');
  }
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('what a process costs', () => {
  test('is read after a name that may hold anything', () => {
    const fields = ['S', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 250, 50, 0];
    expect(cpuMsIn(`42 (a ) (b) ${fields.join(' ')}`)).toBe(3000);
    expect(residentBytesIn('Name:\tnode\nVmRSS:\t    2048 kB\nThreads:\t1\n')).toBe(2 * 1024 * 1024);
  });

  test('is nothing when it has just ended', () => {
    expect([cpuMsIn(''), residentBytesIn('')]).toEqual([0, 0]);
  });

  test('is summed over those that it started, and they end with it', async () => {
    if (process.platform !== 'linux') return;
    const started = spawn(process.execPath, ['-e', PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
    parent = started;
    await once(started.stdout, 'data');
    const pid = started.pid as number;
    const tree = await processTree(pid);
    expect(tree).toHaveLength(3);
    expect(tree[0]).toBe(pid);
    expect(await cpuMsOf(pid)).toBeGreaterThanOrEqual(350);
    const [, first = 0] = tree;
    expect(await residentBytesOf(pid)).toBeGreaterThan(2 * (await residentBytesOf(first)));
    const gone = once(started, 'exit');
    await signalTree(pid, 'SIGKILL');
    await gone;
    while (tree.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
