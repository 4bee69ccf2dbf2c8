import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Connection, connect, type WebSocketConstructor } from '../../client/src/index.ts';
import { closed, heard, live } from './program.ts';
import type { ViteHostOrder } from './vite-host.ts';

let folder: string;
let host: ChildProcess;
let port: number;
let connection: Connection | undefined;
let hot: WebSocket | undefined;

beforeEach(async () => {
  // Vite compares what it serves with real paths.
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-vite-')));
  write('before');
  const loader = new URL('../source-loader.mjs', import.meta.url).href;
  const program = fileURLToPath(new URL('./vite-host.ts', import.meta.url));
  host = fork(program, [folder], { execArgv: ['--import', loader] });
  ({ port } = (await answer()) as { port: number });
});

afterEach(async () => {
  connection?.close();
  hot?.terminate();
  if (host.connected) {
    const ended = once(host, 'exit');
    host.send('stop');
    await ended;
  }
  rmSync(folder, { recursive: true });
});

test('Vite and its hot updates are on one server with a Signalbox, and stay when that is stopped', async () => {
  hot = new WebSocket(`ws://127.0.0.1:${port}/?token=${await hotToken()}`, 'vite-hmr');
  const hotMessages: { readonly type: string }[] = [];
  hot.on('message', (data: Buffer) => void hotMessages.push(JSON.parse(data.toString())));
  await once(hot, 'message');
  expect(await served()).toContain('before');

  connection = connect(`ws://127.0.0.1:${port}/signalbox`, {
    token: () => 'ann',
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  });
  const chat = connection.subscribe('chat');
  await live(chat);
  const said = heard((resolve) => chat.on('line', resolve));
  expect(await tell('publish')).toEqual({ sockets: 1 });
  expect(await said).toBe('ours');

  const updated = once(hot, 'message');
  write('after');
  await updated;
  expect(await served()).toContain('after');
  expect(hotMessages).toMatchObject([
    { type: 'connected' },
    { type: 'update', updates: [{ type: 'js-update', path: '/main.js' }] },
  ]);

  const own = connection;
  const dropped = heard(own.onState);
  await tell('stop signalbox');
  expect(await dropped).toBe('stale');
  own.close();
  await closed(own);
  expect(await served()).toContain('after');
  expect(hot.readyState).toBe(WebSocket.OPEN);
});

async function answer(): Promise<unknown> {
  const ended = once(host, 'exit').then(([code]) => {
    throw new Error(`the host ended with ${code}`);
  });
  const [message] = (await Promise.race([once(host, 'message'), ended])) as [unknown];
  // When it ends later on it was told to.
  ended.catch(() => {});
  return message;
}

function tell(order: ViteHostOrder): Promise<unknown> {
  const answered = answer();
  host.send(order);
  return answered;
}

/** A module that takes its own updates. */
function write(text: string): void {
  writeFileSync(join(folder, 'main.js'), `export default '${text}';\nimport.meta.hot.accept();\n`);
}

const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

const served = (): Promise<string> => get('/main.js');

/** Vite gives it to the pages that it serves, so that those of others hear nothing. */
async function hotToken(): Promise<string> {
  const token = /wsToken = "([^"]+)"/.exec(await get('/@vite/client'))?.[1];
  if (token === undefined) throw new Error('Vite has no token in its client');
  return token;
}
