import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Contract, SignalboxOptions } from '../../src/index.ts';
import { eventually } from '../../integration/support/eventually.ts';
import { heard, type Started, startProgram } from './program.ts';

let started: Started<Contract>;
let sockets: Socket[] = [];

async function start(options: SignalboxOptions<Contract> = {}): Promise<Started<Contract>> {
  started = await startProgram(options);
  return started;
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await started.stop();
});

const url = (): URL => new URL(started.url.replace('ws:', 'http:'));

/** A connection, and all that came on it. */
function open(): { readonly socket: Socket; text(): string } {
  const { hostname, port } = url();
  const socket = connectTcp(Number(port), hostname);
  sockets.push(socket);
  let text = '';
  socket.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return { socket, text: () => text };
}

const request = (line: string, body = ''): string =>
  [
    `${line} HTTP/1.1`,
    `Host: ${url().host}`,
    'Authorization: Bearer ann',
    ...(body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`]),
    '',
    body,
  ].join('\r\n');

describe('a request for a stream', () => {
  test('that came before the last one was answered is told to come again, on a connection of its own', async () => {
    await start();
    const { socket, text } = open();
    const publish = request('POST /publish', '{"channel":"a","topic":"n","data":1}');
    socket.write(publish + request('GET /events?channel=a'));
    await eventually('both are answered', () => text().includes('retry: '));
    const [, answer = ''] = text().split('HTTP/1.1 200 OK');
    expect(text()).toContain('HTTP/1.1 201 Created');
    expect(answer).toMatch(/\r\ncontent-type: text\/event-stream\r\n[^]*\r\nretry: \d+\n\n$/i);
    expect(started.signalbox.sockets).toEqual([]);
  });

  test('opens one stream, whatever is asked behind it', async () => {
    const { signalbox } = await start();
    const { socket, text } = open();
    socket.write(request('GET /events?channel=a').repeat(20));
    await heard(signalbox.onSocket);
    await signalbox.publish('a', 'n', 1);
    await eventually('the event', () => text().includes('data: 1\n\n'));
    expect(text().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(signalbox.sockets).toHaveLength(1);
  });

  test('whose client leaves while the program is asked opens none', async () => {
    let asked = (): void => {};
    let allow = (): void => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const allowed = new Promise<void>((resolve) => {
      allow = resolve;
    });
    const opened: string[] = [];
    const { signalbox } = await start({
      async authorize() {
        asked();
        await allowed;
        return true;
      },
    });
    signalbox.onSocket(({ id }) => void opened.push(id));
    const { socket } = open();
    socket.write(request('GET /events?channel=a'));
    await asking;
    const gone = once(socket, 'close');
    socket.resetAndDestroy();
    await gone;
    // Another one, whole, is behind it: what happens to the first has happened by then.
    await fetch(new URL('/health', url()));
    allow();
    const other = open();
    other.socket.write(request('GET /events?channel=a'));
    await eventually('the other one is open', () => other.text().includes('retry: '));
    expect(signalbox.sockets).toHaveLength(1);
    expect(opened).toHaveLength(1);
  });

  test('leaves nothing behind on a connection that goes on after it was refused', async () => {
    await start({ authorize: () => false });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const connections: Socket[] = [];
    const see = (message: unknown): void => void connections.push((message as { socket: Socket }).socket);
    subscribe('net.server.socket', see);
    const listeners: number[] = [];
    try {
      for (let count = 0; count < 3; count += 1) {
        const asked = get(new URL('/events?channel=a', url()), {
          agent,
          headers: { authorization: 'Bearer ann' },
        });
        const [response] = (await once(asked, 'response')) as [IncomingMessage];
        expect(response.statusCode).toBe(403);
        await once(response.resume(), 'end');
        listeners.push(connections[0]?.listenerCount('close') ?? 0);
      }
    } finally {
      unsubscribe('net.server.socket', see);
      agent.destroy();
    }
    expect(connections).toHaveLength(1);
    expect(new Set(listeners).size).toBe(1);
  });

  test('is refused for now when others of its user were let in meanwhile', async () => {
    const waiting: (() => void)[] = [];
    const { signalbox } = await start({
      config: { maxConnectionsPerChannel: 1 },
      async authorize() {
        await new Promise<void>((resolve) => void waiting.push(resolve));
        return true;
      },
    });
    const both = [open(), open()];
    for (const { socket } of both) socket.write(request('GET /events?channel=a'));
    await eventually('both are asked for', () => waiting.length === 2);
    for (const go of waiting) go();
    await eventually('both are answered', () => both.every(({ text }) => text().includes('retry: ')));
    expect(signalbox.sockets).toHaveLength(1);
  });
});
