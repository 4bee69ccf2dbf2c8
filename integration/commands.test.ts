import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';

const MAIN = resolve('dist/src/main.js');
const { PATH = '' } = process.env;

/** Everything that a user has: an empty folder, and a port that is free. */
let folder: string;
let port: number;
const children: Child[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-commands-'));
  port = await freePort();
});

afterEach(async () => {
  for (const { kill } of children.splice(0)) await kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const surroundings = () => ({ cwd: folder, env: { PATH, PORT: String(port) } });

interface Child {
  readonly process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Gives the exit code, or the signal. */
  kill(signal: NodeJS.Signals): Promise<number | string | null>;
}

/** The built program, running. */
const running = (...argv: readonly string[]): Child => {
  const child = spawn(process.execPath, [MAIN, ...argv], surroundings());
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const closed = new Promise<number | string | null>((done) => {
    child.once('close', (code, signal) => done(code ?? signal));
  });
  const found = {
    process: child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    kill(signal: NodeJS.Signals) {
      child.kill(signal);
      return closed;
    },
  };
  children.push(found);
  return found;
};

/** The built program, run to its end. */
const ran = (...argv: readonly string[]) =>
  promisify(execFile)(process.execPath, [MAIN, ...argv], surroundings()).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );

const startServer = async (): Promise<Child> => {
  const server = running('start');
  await eventually('ready', async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status === 200);
  return server;
};

const data = ({ stdout }: Child): unknown[] =>
  stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { data: unknown }).data);

/** What a new user does who is told that there is no secret: the very line that the command prints. */
const configureAsTold = async (): Promise<void> => {
  const { code, stderr } = await ran('token', '--user', '5');
  expect(code).toBe(78);
  const line = /^ {2}(node -p .*)$/m.exec(stderr)?.[1] ?? '';
  await promisify(execFile)('sh', ['-c', line], surroundings());
};

describe('the commands, as they are built', () => {
  test('token, tail and publish work together, from nothing, over a kill of the server', async () => {
    await configureAsTold();
    const server = await startServer();
    const minted = await ran('token', '--user', '5', '--channel', 'chat', '--expires', '10m');
    expect(minted).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\S+\n$/) });

    const tail = running('tail', 'chat', '--token', minted.stdout.trimEnd());
    await eventually('followed', () => tail.stderr().includes('following user:5, chat at'));
    const published = await ran('publish', 'chat', '{"n":1}', '--topic', 'said');
    expect(published).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d+-\d+\n$/) });
    await eventually('the event', () => tail.stdout().includes('\n'));
    expect(JSON.parse(tail.stdout())).toMatchObject({
      type: 'event',
      channel: 'chat',
      topic: 'said',
      id: published.stdout.trimEnd(),
      data: { n: 1 },
    });

    expect(await server.kill('SIGKILL')).toBe('SIGKILL');
    await eventually('lost', () => tail.stderr().includes('connection lost'));
    await startServer();
    await eventually('followed again', () => tail.stderr().split('following').length === 3);
    expect(await ran('publish', 'chat', '2')).toMatchObject({ code: 0 });
    await eventually('the next event', () => data(tail).length === 2);
    expect(data(tail)).toEqual([{ n: 1 }, 2]);
    expect(await tail.kill('SIGINT')).toBe(0);
  }, 60_000);

  test('tail needs no token where the secret is, and ends when nobody reads it', async () => {
    await configureAsTold();
    await startServer();
    const tail = running('tail', 'chat');
    await eventually('followed', () => tail.stderr().includes('following'));
    tail.process.stdout?.destroy();
    // The first write may still be taken.
    await eventually('ended', async () => {
      if (tail.process.exitCode !== null) return true;
      await ran('publish', 'chat', '1');
      return false;
    });
    expect(tail.process.exitCode).toBe(0);
    expect(tail.stderr()).toMatch(/^following .*\n$/);
  }, 60_000);

  test('publish needs nothing but a server in development mode', async () => {
    await startServer();
    const published = await ran('publish', 'chat', '1');
    expect(published).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d+-\d+\n$/) });
  });

  test('tail and publish end where there is no server', async () => {
    await configureAsTold();
    const tail = await ran('tail', 'chat');
    expect(tail).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('ECONNREFUSED') });
    expect(await ran('publish', 'chat', '1')).toMatchObject({ code: 1, stdout: '' });
  });

  test.each([
    ['tial', 'chat'],
    ['token', '--expires', '1h'],
    ['publish', 'chat', 'hello'],
    ['tail', '--last-id', 'x', 'chat'],
    ['tail', 'chat', '--unknown'],
  ])('%s %s … is not understood: 64, in two lines', async (...argv) => {
    const { code, stdout, stderr } = await ran(...argv);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^signalbox.*: .*\nTry signalbox .*--help\n$/);
  });

  test.each(['token', 'publish', 'tail'])('%s explains itself, whatever else is there', async (name) => {
    const { code, stdout, stderr } = await ran(name, '--nonsense', '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Usage: signalbox ${name} `);
  });
});
