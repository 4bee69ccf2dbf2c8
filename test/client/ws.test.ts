import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { type Connection, connect, type State } from '../../client/src/index.ts';
import { encodeServerFrame } from '../../src/protocol/native/server-codec.ts';

const until = (connection: Connection, wanted: State) =>
  new Promise<void>((resolve) => {
    if (connection.state === wanted) return resolve();
    const stop = connection.onState((state) => {
      if (state !== wanted) return;
      stop();
      resolve();
    });
  });

describe('over real sockets, with ws', () => {
  let server: WebSocketServer;
  let url: string;
  const offered: string[] = [];

  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on('connection', (socket) => {
      offered.push(socket.protocol);
      socket.once('message', () => {
        const welcome = { type: 'welcome', ref: 0, socket: 's', pingInterval: 0, subscriptions: [] } as const;
        socket.send(encodeServerFrame(welcome));
      });
    });
  });

  afterEach(() => server.close());

  test('it connects, comes back after a cut, and closes with 1000', async () => {
    const connection = connect(url, { WebSocket, backoffMs: 1 });
    await until(connection, 'live');
    for (const socket of server.clients) socket.terminate();
    await until(connection, 'stale');
    await until(connection, 'live');
    const [socket] = server.clients;
    const closed = once(socket as WebSocket, 'close');
    connection.close();
    const [code] = (await closed) as [number];
    expect(code).toBe(1000);
    expect(offered).toEqual(['signalbox.v1', 'signalbox.v1']);
  });

  test('closed before it is open, it throws nothing', async () => {
    const connection = connect(url, { WebSocket });
    connection.close();
    expect(connection.state).toBe('closed');
    const other = new WebSocket(url);
    await once(other, 'open');
    other.close();
  });

  test('it waits for a server that is not there yet', async () => {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    let attempts = 0;
    const Counting = class extends WebSocket {
      constructor(...given: ConstructorParameters<typeof WebSocket>) {
        super(...given);
        attempts += 1;
        if (attempts === 3) triedTwice();
      }
    };
    let triedTwice = () => {};
    const tried = new Promise<void>((resolve) => {
      triedTwice = resolve;
    });
    const connection = connect(url, { WebSocket: Counting, backoffMs: 1 });
    await tried;
    expect(connection.state).toBe('connecting');
    server = new WebSocketServer({ port, host: '127.0.0.1' });
    server.on('connection', (socket) =>
      socket.once('message', () =>
        socket.send('{"type":"welcome","ref":0,"socket":"s","pingInterval":0,"subscriptions":[]}'),
      ),
    );
    await until(connection, 'live');
    connection.close();
  });
});
