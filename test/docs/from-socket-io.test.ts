import { EventEmitter, once } from 'node:events';
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

/** What pages call, set and hear, as its documentation has it; its client is not here to be asked. */
const OF_PAGES = `
  io(url, options)|connect|open|disconnect|close|connected|active|disconnected|recovered|emit|emitWithAck|send|on|once|off
  onAny|offAny|volatile|timeout|connect_error|reconnect|reconnect_attempt|reconnect_error|reconnect_failed|ping|auth
  transports|upgrade|reconnection|reconnectionAttempts|reconnectionDelay|reconnectionDelayMax|randomizationFactor
  autoConnect|withCredentials|extraHeaders|forceNew|multiplex|ackTimeout|retries
`
  .trim()
  .split(/\||\n\s*/);
/** Public by accident: what its own files call of each other. */
const INTERNAL = new Set(
  `
  constructor extractFilename initEngine attachServe serve buildHandshake registerAckCallback packet leaveAll onevent ack
  onack ondisconnect dispatch run notifyOutgoingListeners newBroadcastOperator
`.split(/\s+/),
);
/** All ways of one call: `on`, `once`, `off`; `onAnyOutgoing`. */
const isOfEmitter = (name: string): boolean =>
  name in EventEmitter.prototype || /^(?:prepend|off|listeners|on)Any/.test(name);

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
  const calls = ['What there is of it here', "The server's calls"]
    .flatMap((heading) => rowsBelow(page, heading))
    .map(([cell = '']) => cell)
    .join();

  test('names a test in each of its rows, and each of these exists', () => {
    const claims = claimsOf(page);
    const tables = [
      'What there is of it here',
      "The server's calls",
      "The page's calls",
      'A store, as notifiers fill it',
    ];
    expect(claims).toHaveLength(tables.flatMap((heading) => rowsBelow(page, heading).slice(1)).length);
    expect(claims.filter(({ file, name }) => !testNames(file).has(name))).toEqual([]);
  });

  test('has everything that can be called on a server, a namespace and a socket', () => {
    const { Server, Namespace, Socket } = socketIo;
    const names = [Server, Namespace, Socket]
      .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
      .filter((name) => !name.startsWith('_') && !INTERNAL.has(name) && !isOfEmitter(name));
    expect(names.length).toBeGreaterThan(60);
    const isThere = (name: string) => new RegExp(`\\b${name}\\b`).test(calls);
    expect([...new Set(names)].filter((name) => !isThere(name))).toEqual([]);
  });

  test('has everything that a page calls, sets and hears', () => {
    const cells = rowsBelow(page, "The page's calls")
      .map(([cell = '']) => cell)
      .join();
    expect(OF_PAGES.filter((name) => !cells.includes(`\`${name}\``))).toEqual([]);
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
