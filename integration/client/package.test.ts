import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  compile,
  type InstalledPackage,
  installPackage,
  namedInTypes,
  problemsOf,
  runProgram,
} from '../support/package.ts';

describe('the package of the client', () => {
  let installed: InstalledPackage;

  beforeAll(async () => {
    installed = await installPackage('client');
  }, 60_000);

  afterAll(() => installed.remove());

  test('holds what is needed, and nothing else', () => {
    const needed = /^(?:LICENSE|README\.md|package\.json|dist\/[\w/-]+\.(?:js|d\.ts))$/;
    expect(installed.files.filter((path) => !needed.test(path))).toEqual([]);
    expect(installed.files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/tabs.js']),
    );
  });

  test('is imported by Node', async () => {
    const printed = await runProgram(
      installed,
      'app.mjs',
      `import * as client from '@signalbox/client';
       import * as tabs from '@signalbox/client/tabs';
       import * as sse from '@signalbox/client/sse';
       console.log(Object.keys(client).sort().join(), Object.keys(tabs).join(), Object.keys(sse).join());`,
    );
    expect(printed).toBe('SignalboxError,connect connect connect\n');
  });

  test('can be required', async () => {
    const printed = await runProgram(
      installed,
      'app.cjs',
      `const client = require('@signalbox/client');
       const tabs = require('@signalbox/client/tabs');
       const sse = require('@signalbox/client/sse');
       console.log(typeof client.connect, typeof tabs.connect, typeof sse.connect);`,
    );
    expect(printed).toBe('function function function\n');
  });

  test('says that a WebSocket must be given where there is no global one', async () => {
    const printed = await runProgram(
      installed,
      'none.mjs',
      `import { connect } from '@signalbox/client';
       delete globalThis.WebSocket;
       try { connect('ws://127.0.0.1/'); } catch (error) { console.log(error.message); }`,
    );
    expect(printed).toBe('there is no global WebSocket: give one in the options\n');
  });

  test.each([
    ['es2022', 'nodenext', 'app.ts'],
    ['es2022', 'nodenext', 'app.cts'],
    ['es2022,dom', 'nodenext', 'app.ts'],
    ['es2022', 'bundler', 'app.ts'],
    ['es2022,dom', 'bundler', 'app.ts'],
  ] as const)(
    'has types that a strict program compiles with: lib %s, %s, %s',
    async (lib, resolution, name) => {
      const isBrowser = lib.endsWith('dom');
      const source = `import { connect, type Readable, SignalboxError, type State } from '@signalbox/client';
       import { connect as connectTabs } from '@signalbox/client/tabs';
       import { connect as connectSse } from '@signalbox/client/sse';
       export async function use() {
       const connection = connect('wss://server/', { token: async () => 'token' });
       const list: Readable<readonly string[]> = connection
         .subscribe('a', { query: { team: 7 } })
         .store<readonly string[]>((all, { topic }) => [...all, topic], [], { refetch: () => ({ data: [] }) });
       connection.subscribe('b').on<{ title: string }>('article', ({ title }, { id }) => [title, id]);
       connection.subscribe('c').on('gap', ({ after, id, reason }) => [after, id, reason]);
       const answer = await connection.ask<number>('price').catch((error: unknown) =>
         error instanceof SignalboxError && error.retry === 'backoff' ? error.retryAfter : undefined);
       const states: State[] = [connection.state, connectTabs('wss://server/', { name: 'x' }).state,
         connectSse('wss://server/', { webSocketAttempts: 1 }).state];
       ${
         isBrowser
           ? `connect('wss://server/', { WebSocket, fetch });
              connectTabs('wss://server/', { locks: navigator.locks, BroadcastChannel });
              connectSse('wss://server/', { WebSocket, fetch });
              await connection.publish('a', 'b', 1, { signal: new AbortController().signal });`
           : ''
       }
       return { answer, list, states };
      }`;
      const { ok, output } = await compile(installed, name, source, { resolution, lib });
      expect([ok, output]).toEqual([true, expect.stringContaining('client/dist/index.d.ts')]);
    },
  );

  test.each(['ws', 'undici'])('has types that take the WebSocket of %s as it is', async (name) => {
    const source = `import { WebSocket } from '${name}';
       import { connect } from '@signalbox/client';
       import { connect as connectSse } from '@signalbox/client/sse';
       connect('ws://127.0.0.1:1', { WebSocket });
       connectSse('ws://127.0.0.1:1', { WebSocket });`;
    const beside = [name, '@types/ws'];
    const { ok, output } = await compile(installed, `${name}.ts`, source, {
      resolution: 'nodenext',
      types: 'node',
      beside,
    });
    expect([ok, output]).toEqual([true, expect.stringContaining(`/${name}/`)]);
  });

  test('has public types that name nothing, not even Node', () => {
    expect(namedInTypes(installed)).toEqual([]);
  });

  test('publint and are-the-types-wrong find nothing', async () => {
    expect(await problemsOf(installed)).toBe('');
  }, 60_000);
});
