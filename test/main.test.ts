import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { folder } from './config/loading.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const processes: ChildProcess[] = [];

afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

interface Line {
  readonly level: string;
  readonly message: string;
  readonly port?: number;
}

/** The server as a process of its own, from its sources, in an empty folder. */
const start = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const loader = new URL('./source-loader.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', loader, path('../src/main.ts'), ...argv], {
    cwd: folder(),
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  const lines: Line[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    if (line.startsWith('{')) lines.push(JSON.parse(line) as Line);
  });
  /** The line that says so; fails when the process ends without saying it. */
  const said = async (text: string): Promise<Line> => {
    for (;;) {
      const found = lines.find(({ message }) => message.includes(text));
      if (found !== undefined) return found;
      const end = await Promise.race([once(reader, 'line').then(() => undefined), ended]);
      if (end !== undefined && !lines.some(({ message }) => message.includes(text))) {
        throw new Error(`ended with ${end.code} and not said: ${text}\n${end.stdout}${end.stderr}`);
      }
    }
  };
  return { child, ended, said, lines };
};

describe('signalbox', () => {
  test('--version is that of the package', async () => {
    const { code, stdout } = await start(['--version']).ended;
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/)]);
  });

  test('PING_SOCKETS_INTERVAL_MS=20s and MAX_TOTAL_CONNECTIONS=many are refused at start: 78', async () => {
    const env = { PORT: '0', PING_SOCKETS_INTERVAL_MS: '20s', MAX_TOTAL_CONNECTIONS: 'many' };
    const { code, stdout, stderr } = await start(['start'], env).ended;
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toContain('2 problems');
  });

  test('starts in development mode, says why and where, answers, and ends with 0 on SIGTERM', async () => {
    const { child, ended, said, lines } = start(['start'], { PORT: '0' });
    const { port } = await said('Server started on port');
    await said(`Open http://127.0.0.1:${port}/`);
    expect(lines[0]?.message).toContain('Broker memory: no redis key');
    const answer = await fetch(`http://127.0.0.1:${port}/health`);
    expect([answer.status, await answer.text()]).toEqual([200, 'OK']);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });

  test('a port that is taken is one line and 1, and nothing says that it started', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { ended, lines } = start([], { PORT: String(port) });
    expect((await ended).code).toBe(1);
    await new Promise((resolve) => taken.close(resolve));
    const errors = lines.filter(({ level }) => level === 'error' || level === 'fatal');
    expect(errors.map(({ message }) => message)).toEqual([
      `Cannot listen: 127.0.0.1 port ${port} is in use by another process`,
    ]);
    expect(lines.some(({ message }) => message.includes('Server started'))).toBe(false);
  });
});
