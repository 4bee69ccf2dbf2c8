import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { type WebSocket, WebSocketServer } from 'ws';

export interface NaiveRealtime {
  readonly port: number;
  stop(): Promise<void>;
}

/** Superset's realtime sidecar, as short as its fault allows: each route of a message is served by itself. */
export async function startNaiveRealtime(url: string, channel: string): Promise<NaiveRealtime> {
  const redis = new Redis(url);
  const routes = new Map<string, Set<WebSocket>>();
  redis.on('message', (_, text: string) => {
    const envelope = JSON.parse(text) as { topic: string; payload: unknown; routes?: string[] };
    const out = JSON.stringify({ topic: envelope.topic, payload: envelope.payload });
    for (const route of new Set(envelope.routes ?? ['user:5'])) {
      for (const socket of routes.get(route) ?? []) socket.send(out);
    }
  });
  await redis.subscribe(channel);

  const server = createServer();
  const wss = new WebSocketServer({ server });
  wss.on('connection', (socket, request) => {
    const tab = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('tab_id');
    for (const route of ['user:5', `user:5:${tab}`]) {
      const sockets = routes.get(route) ?? new Set();
      routes.set(route, sockets.add(socket));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      redis.disconnect();
      for (const socket of wss.clients) socket.terminate();
      wss.close();
      server.close();
    },
  };
}
