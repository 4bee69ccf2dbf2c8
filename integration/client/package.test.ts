import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const { PATH = '', HOME = '' } = process.env;
const env = { PATH, HOME };

describe('the package of the client', () => {
  let folder: string;
  let paths: readonly string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-client-'));
    const pack = ['pack', '--json', '--ignore-scripts', '-w', 'client', '--pack-destination', folder];
    const { stdout } = await run('npm', pack, { env });
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    paths = packed.files.map(({ path }) => path);
    const installed = join(folder, 'node_modules/@signalbox/client');
    mkdirSync(installed, { recursive: true });
    await run('tar', ['-xzf', join(folder, packed.filename), '-C', installed, '--strip-components=1']);
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('holds what is needed, and nothing else', () => {
    const needed = /^(?:LICENSE|README\.md|package\.json|dist\/[\w/-]+\.(?:js|d\.ts))$/;
    expect(paths.filter((path) => !needed.test(path))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/tabs.js']),
    );
  });

  test('is imported by Node', async () => {
    writeFileSync(
      join(folder, 'app.mjs'),
      `import * as client from '@signalbox/client';
       import * as tabs from '@signalbox/client/tabs';
       console.log(Object.keys(client).sort().join(), Object.keys(tabs).join());`,
    );
    const { stdout } = await run(process.execPath, ['app.mjs'], { cwd: folder, env });
    expect(stdout).toBe('SignalboxError,connect connect\n');
  });

  test.each(['es2022', 'es2022,dom'])(
    'has types that a strict program compiles with, with lib %s',
    async (lib) => {
      const isBrowser = lib.endsWith('dom');
      writeFileSync(
        join(folder, 'app.ts'),
        `import { connect, type Readable, SignalboxError, type State } from '@signalbox/client';
       import { connect as connectTabs } from '@signalbox/client/tabs';
       const connection = connect('wss://server/', { token: async () => 'token' });
       const list: Readable<readonly string[]> = connection
         .subscribe('a', { query: { team: 7 } })
         .store<readonly string[]>((all, { topic }) => [...all, topic], [], { refetch: () => ({ data: [] }) });
       connection.subscribe('b').on<{ title: string }>('article', ({ title }, { id }) => [title, id]);
       connection.subscribe('c').on('gap', ({ after, id, reason }) => [after, id, reason]);
       const answer = await connection.ask<number>('price').catch((error: unknown) =>
         error instanceof SignalboxError && error.retry === 'backoff' ? error.retryAfter : undefined);
       const states: State[] = [connection.state, connectTabs('wss://server/', { name: 'x' }).state];
       ${
         isBrowser
           ? `connect('wss://server/', { WebSocket, fetch });
              connectTabs('wss://server/', { locks: navigator.locks, BroadcastChannel });
              await connection.publish('a', 'b', 1, { signal: new AbortController().signal });`
           : ''
       }
       export { answer, list, states };`,
      );
      const tsc = resolve('node_modules/typescript/bin/tsc');
      const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext'];
      const compiled = run(
        process.execPath,
        [tsc, ...options, '--target', 'es2022', '--lib', lib, '--types', '', 'app.ts'],
        { cwd: folder, env },
      );
      const { stdout } = await compiled.catch((error: { stdout: string }) => error);
      expect(stdout).toBe('');
    },
  );
});
