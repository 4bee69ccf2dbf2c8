import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { BufferBudget } from '../../src/routing/buffer-budget.ts';
import {
  WebSocketTransport,
  type WebSocketTransportOptions,
} from '../../src/transport/websocket-transport.ts';

/** What a transport told. */
export type Told = 'flushed' | 'answered' | 'closed' | 'violated';

/** Both ends of one WebSocket over real loopback sockets. */
export interface Pair {
  readonly transport: WebSocketTransport;
  /** The server's end of the connection. */
  readonly connection: Duplex;
  readonly budget: BufferBudget;
  readonly client: WebSocket;
  readonly told: Told[];
  /** Resolves once it has been told so often. */
  until(fact: Told, times?: number): Promise<void>;
  close(): Promise<void>;
}

/** Listens on a free loopback port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export async function connectPair({
  now = () => 0,
  inbound = { frames: 100, perMs: 10_000 },
}: {
  readonly now?: () => number;
  readonly inbound?: WebSocketTransportOptions['inbound'];
} = {}): Promise<Pair> {
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
  const budget = new BufferBudget({ maxSocketBufferBytes: 1_000_000, maxTotalBufferBytes: 1_000_000 });
  const told: Told[] = [];
  let waiting: (() => void)[] = [];
  const tell = (fact: Told) => () => {
    told.push(fact);
    for (const check of waiting) check();
  };
  const port = await listen(server);
  const accepted = new Promise<{ transport: WebSocketTransport; connection: Duplex }>((resolve) => {
    server.on('upgrade', (request, connection, head) => {
      wss.handleUpgrade(request, connection, head, (socket) => {
        const transport = new WebSocketTransport({
          id: 's1',
          socket,
          connection,
          budget,
          now,
          inbound,
          listener: {
            flushed: tell('flushed'),
            answered: tell('answered'),
            closed: tell('closed'),
            violated: tell('violated'),
          },
        });
        resolve({ transport, connection });
      });
    });
  });
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  client.on('error', () => {});
  const [{ transport, connection }] = await Promise.all([accepted, once(client, 'open')]);

  return {
    transport,
    connection,
    budget,
    client,
    told,
    until(fact, times = 1) {
      return new Promise((resolve) => {
        const check = (): void => {
          if (told.filter((one) => one === fact).length < times) return;
          waiting = waiting.filter((other) => other !== check);
          resolve();
        };
        waiting.push(check);
        check();
      });
    },
    async close() {
      client.terminate();
      transport.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
