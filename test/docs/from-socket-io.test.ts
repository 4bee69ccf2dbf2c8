import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as socketIo from 'socket.io';
import { WebSocket } from 'ws';
import type { Signalbox } from '../../src/index.ts';
import { heard, live } from '../library/program.ts';
import { claimsOf, testNames } from './claims.ts';
import { blocks, pageAt, rowsBelow } from './pages.ts';
import { programBelow, Stage } from './programs.ts';

const page = pageAt('docs/from-socket-io.md');

let stage: Stage;

beforeEach(() => {
  stage = new Stage({ 'node:http': http, 'socket.io': socketIo });
});

afterEach(() => stage.end());

async function listening(server: http.Server): Promise<string> {
  stage.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  stage.url = `ws://127.0.0.1:${port}/signalbox`;
  return `ws://127.0.0.1:${port}`;
}

describe('docs/from-socket-io.md', () => {
  test('names a test in each of its rows, and each of these exists', () => {
    const claims = claimsOf(page);
    const tables = ['What there is of it here', 'A store, as notifiers fill it'];
    expect(claims).toHaveLength(tables.flatMap((heading) => rowsBelow(page, heading).slice(1)).length);
    expect(claims.filter(({ file, name }) => !testNames(file).has(name))).toEqual([]);
  });

  test('The server, and the page: a room, an answer, and a line to all but who said it', async () => {
    const { httpServer } = await stage.run<{ httpServer: http.Server }>(programBelow(page, 'The server'), [
      'httpServer',
    ]);
    await listening(httpServer);
    const other = stage.connect('token-of-ann').subscribe('room:7');
    const line = heard((resolve) => other.on('line', resolve));
    await live(other);
    await stage.run(programBelow(page, 'The page'));
    expect(stage.console).toEqual([[2]]);
    expect(await line).toBe('good morning');
  });

  test('While you move: both hear what is said to both', async () => {
    const { server, io, say } = await stage.run<{
      server: http.Server;
      io: socketIo.Server;
      say: (room: string, topic: string, data: unknown) => Promise<void>;
    }>(programBelow(page, 'While you move'), ['server', 'io', 'say']);
    stage.onEnd(() => {
      io.disconnectSockets(true);
      io.engine.close();
    });
    const url = await listening(server);
    const room = stage.connect('ann').subscribe('room:7');
    const ours = heard((resolve) => room.on('line', resolve));
    await live(room);
    const joined = once(io, 'connection');
    const theirs = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`);
    const event = heard<string>((resolve) =>
      theirs.on('message', (message: Buffer) => {
        const text = message.toString();
        if (text.startsWith('0{')) theirs.send('40');
        if (text.startsWith('42')) resolve(text);
      }),
    );
    await joined;
    await say('room:7', 'line', 'to both');
    expect(await ours).toBe('to both');
    expect(await event).toBe('42["line","to both"]');
    expect(stage.console).toContainEqual(['room:7 is open']);
    theirs.terminate();
  });

  test('A store that is filled at each connect, and then kept', async () => {
    const heading = 'A store that is filled at each connect';
    const { complete } = await stage.run<{
      signalbox: Signalbox;
      complete: (user: string, task: string) => Promise<void>;
    }>(programBelow(page, heading), ['signalbox', 'complete']);
    const shown: unknown[] = [];
    let running: Promise<unknown> | undefined;
    const isShown = heard((resolve) => {
      const show = (completed: string[]): void => {
        shown.push(completed);
        if (completed.includes('export')) resolve(completed);
      };
      const text = blocks(page, 'js').at(-1) ?? '';
      running = stage.run(text, [], { show });
    });
    await running;
    await live(stage.connections[0] as (typeof stage.connections)[number]);
    await complete('ann', 'export');
    expect(await isShown).toEqual(['import', 'export']);
    expect(shown).toEqual([[], ['import'], ['import', 'export']]);
  });
});
