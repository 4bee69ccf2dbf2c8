import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import { WebSocket } from 'ws';
import { ERRORS } from '../../src/protocol/native/error-codes.ts';
import type { Signalbox, Socket } from '../../src/index.ts';
import { heard, live } from '../library/program.ts';
import { membersOf } from './members.ts';
import { pageAt, rowsBelow } from './pages.ts';
import { programBelow, Stage } from './programs.ts';

const page = pageAt('docs/library.md');
const first = (rows: readonly string[][]): string[] =>
  rows.flatMap(([cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));

let stage: Stage;

beforeEach(() => {
  stage = new Stage({ 'node:http': http, express });
});

afterEach(async () => {
  await stage.end();
});

interface Made extends Record<string, unknown> {
  readonly signalbox: Signalbox;
  readonly server: http.Server;
}

const run = (heading: string, ...names: string[]): Promise<Made> =>
  stage.run<Made>(programBelow(page, heading), ['signalbox', ...names]);

/** A server of the program's own, once it listens; what is there is where clients go. */
async function listening(server: http.Server, path: string): Promise<string> {
  stage.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  stage.url = `ws://127.0.0.1:${port}${path}`;
  return `http://127.0.0.1:${port}`;
}

const text = async (url: string, init: RequestInit = {}): Promise<string> => (await fetch(url, init)).text();

describe('docs/library.md', () => {
  test('Begin: one starts, knows its user by his session, and publishes', async () => {
    await run('Begin');
    expect(stage.console).toEqual([[stage.url]]);
    const sport = stage.connect('a-session-of-ann').subscribe('sport', { lastId: '0-0' });
    expect(await heard((resolve) => sport.on('article', resolve))).toEqual({ title: 'Won' });
  });

  test('Options: every problem is said', async () => {
    await stage.run(programBelow(page, 'Options'));
    expect(new Set(stage.console.map(([key]) => key))).toEqual(new Set(['jwtSecret', 'port']));
  });

  test('Who a client is: locals of a client that comes by a ticket', async () => {
    await run('Who a client is');
    expect(await stage.connect('ann').ask('role')).toBe('editor');
    expect(await stage.connect('bob').ask('role')).toBe('reader');
  });

  test('What it may: each callback is asked and told', async () => {
    const { signalbox } = await run('What it may');
    await expect(live(stage.connect('eve'))).rejects.toMatchObject({ code: 'forbidden' });
    const ann = stage.connect('ann');
    await live(ann.subscribe('public:news'));
    const uninvited = ann.subscribe('room:7');
    await expect(live(uninvited)).rejects.toMatchObject({ message: 'Say who invited you.' });
    const room = ann.subscribe('room:7', { query: 'bob' });
    await live(room);
    room.unsubscribe();
    const [socket] = signalbox.sockets;
    const gone = heard((resolve) => socket?.onClose(resolve));
    ann.close();
    await gone;
    expect(stage.console.flat()).toEqual([
      'ann has public:news',
      'ann has room:7',
      'ann has room:7 no more',
      'ann has public:news no more',
      'ann has gone: gone',
    ]);
  });

  test('Ask and tell: answers, a refusal, and what was told', async () => {
    const { likes } = await stage.run<{ likes: Map<number, number> }>(programBelow(page, 'Ask and tell'), [
      'likes',
    ]);
    const ann = stage.connect('ann');
    expect(await ann.ask('serverTime')).toEqual(expect.any(Number));
    expect(await ann.ask('price', 'tea')).toEqual({ of: 'tea', price: 2, isLate: false });
    await ann.tell('liked', 7);
    expect(likes).toEqual(new Map([[7, 1]]));
    await expect(stage.connect('eve').ask('price')).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('State, then events: a client gets the state, and what follows', async () => {
    const { signalbox } = await run('State, then events');
    const sport = stage.connect('ann').subscribe('sport');
    const store = sport.store<unknown>((state) => state, undefined);
    const last = heard((resolve) => sport.on('article', resolve));
    await live(sport);
    const articles = [{ title: 'Won' }, { title: 'Lost' }];
    expect(store.getSnapshot()).toEqual({ for: 'ann', articles });
    await signalbox.publish('sport', 'article', { title: 'Drawn' });
    expect(await last).toEqual({ title: 'Drawn' });
  });

  test('Publishing: a key makes one of two, and each of many has an id', async () => {
    await run('Publishing');
    const [, isSame, ...published] = stage.console;
    expect(isSame).toEqual([true]);
    expect(published).toEqual(['sport', 'room:7'].map((name) => [name, expect.stringMatching(/^\d+-\d+$/)]));
  });

  test('Telling and ending: it says how many have gone', async () => {
    await run('Telling and ending');
    expect(stage.console.slice(1)).toEqual([[0, []]]);
  });

  test('Sockets and channels: listeners are called, and everything is there', async () => {
    const { signalbox } = await run('Sockets and channels');
    const ann = stage.connect('a-session-of-ann');
    const hello = heard<{ socket: string }>((resolve) => ann.on('hello', resolve));
    await live(ann.subscribe('sport'));
    const [socket] = signalbox.sockets as [Socket<object>];
    expect(await hello).toEqual({ socket: socket.id });
    expect(socket.locals).toEqual({ since: expect.any(Number) });
    expect(signalbox.channel('sport').locals).toEqual({ opened: expect.any(Number) });
  });

  test('On a server of your own: it is there, and the rest is yours', async () => {
    const { server } = await run('On a server of your own', 'server');
    const origin = await listening(server, '/live');
    expect(await text(`${origin}/`)).toBe('mine: /');
    expect(await text(`${origin}/live/health`)).toBe('OK');
    await live(stage.connect('ann'));
  });

  test('Express: a route of it publishes', async () => {
    const { server } = await run('Express', 'server');
    const origin = await listening(server, '/signalbox');
    const sport = stage.connect('ann').subscribe('sport');
    const article = heard((resolve) => sport.on('article', resolve));
    await live(sport);
    const headers = { 'content-type': 'application/json' };
    const answer = await text(`${origin}/articles`, { method: 'POST', headers, body: '{"title":"Won"}' });
    expect(JSON.parse(answer)).toEqual({ id: expect.stringMatching(/^\d+-\d+$/) });
    expect(await article).toEqual({ title: 'Won' });
  });

  test('Vite: its own WebSocket stays beside', async () => {
    // It has a part that is no JavaScript, and does not run in the rooms that jest makes.
    const port = await stage.spawn(programBelow(page, 'Vite'));
    const origin = `http://127.0.0.1:${port}`;
    stage.url = `ws://127.0.0.1:${port}/signalbox`;
    expect(await text(`${origin}/signalbox/ready`)).toBe('OK');
    const token = /wsToken = "([^"]+)"/.exec(await text(`${origin}/@vite/client`))?.[1] ?? '';
    const theirs = new WebSocket(`${origin.replace('http', 'ws')}/?token=${token}`, 'vite-hmr');
    expect(JSON.parse(String((await once(theirs, 'message'))[0]))).toEqual({ type: 'connected' });
    theirs.terminate();
  });

  test('Types of what is said: it runs as well', async () => {
    await run('Types of what is said');
    expect(await stage.connect('ann').ask('serverTime')).toEqual(expect.any(Number));
  });

  test('Logging: lines come to the logger', async () => {
    await run('Logging');
    expect(stage.console[0]?.[0]).toContain('This instance hears the others');
  });

  test('Start and stop: a signal stops it, and the code is 0', async () => {
    const process = { exitCode: undefined, once: (_: string, stop: () => void) => void handlers.push(stop) };
    const handlers: (() => void)[] = [];
    const text_ = programBelow(page, 'Start and stop');
    const { signalbox } = await stage.run<Made>(text_, ['signalbox'], { process });
    for (const handle of handlers) handle();
    await signalbox.ended;
    expect([handlers.length, process.exitCode]).toEqual([1, 0]);
  });

  describe('lists', () => {
    test('every option', () => {
      const options = ['ConfigOptions', 'SignalboxOptions', 'Callbacks'].flatMap(membersOf);
      expect(first(rowsBelow(page, 'Options').map(([cell = '']) => [cell])).toSorted()).toEqual(
        options.toSorted(),
      );
    });

    test('every member of a principal', () => {
      expect(first(rowsBelow(page, 'Who a client is').map(([cell = '']) => [cell])).toSorted()).toEqual(
        membersOf('Principal').toSorted(),
      );
    });

    test('every member of a socket, a channel and a Signalbox', () => {
      const all = ['Socket', 'Channel', 'Signalbox', 'Speaker'].flatMap(membersOf);
      const listed = first(rowsBelow(page, 'Sockets and channels').map(([cell = '']) => [cell]));
      expect(new Set(listed)).toEqual(new Set(all));
      expect(membersOf('Publisher')).toEqual(['close']);
    });

    test('every code that is not of the protocol alone', () => {
      const codes = first(rowsBelow(page, 'Errors').map(([cell = '']) => [cell]));
      expect(codes.filter((code) => code !== 'code' && !Object.hasOwn(ERRORS, code))).toEqual([
        'config',
        'listen',
        'stopped',
      ]);
    });
  });
});
