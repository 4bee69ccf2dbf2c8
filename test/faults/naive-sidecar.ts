import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { type WebSocket, WebSocketServer } from 'ws';

export interface NaiveSidecarOptions {
  readonly url: string;
  readonly prefix: string;
  readonly secret: string;
  readonly blockMs?: number;
}

export interface NaiveSidecar {
  readonly port: number;
  /** One for each error that its reader met. */
  readonly log: readonly string[];
  /** What it holds for clients that do not read. */
  bufferedBytes(): number;
  stop(): Promise<void>;
}

type Entry = [id: string, fields: string[]];

/**
 * Superset's streams sidecar, as short as its faults allow: one Redis connection for everything, `$` at each read
 * until something came, a replay that starts strictly after `last_id`, races with live events and goes to the
 * whole channel, no pause after an error, no bound for what a client does not read.
 */
export async function startNaiveSidecar(options: NaiveSidecarOptions): Promise<NaiveSidecar> {
  const { url, prefix, secret, blockMs = 5000 } = options;
  const redis = new Redis(url, { connectionName: `naive:${prefix}` });
  redis.on('error', () => {});
  const channels: Record<string, WebSocket[]> = Object.create(null);
  const log: string[] = [];
  let lastId = '$';
  let isStopped = false;

  const send = (entries: readonly Entry[]): void => {
    for (const [id, fields] of entries) {
      const data = JSON.parse(fields[1] ?? '') as { channel_id: string };
      const text = JSON.stringify({ id, ...data });
      for (const socket of channels[data.channel_id] ?? []) socket.send(text);
    }
  };
  const follow = async (): Promise<void> => {
    while (!isStopped) {
      try {
        const read = await redis.xread('COUNT', 100, 'BLOCK', blockMs, 'STREAMS', `${prefix}full`, lastId);
        if (read === null) continue;
        const entries = read[0]?.[1] ?? [];
        send(entries);
        lastId = entries.at(-1)?.[0] ?? lastId;
      } catch (error) {
        log.push(String(error));
      }
    }
  };
  const accept = (socket: WebSocket, request: IncomingMessage): void => {
    const token = /async-token=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    const { channel } = jwt.verify(token, secret) as { channel: string };
    channels[channel] = [...(channels[channel] ?? []), socket];
    const after = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('last_id');
    if (after === null) return;
    const [ms, seq] = after.split('-');
    const end = lastId === '$' ? '+' : lastId;
    redis.xrange(`${prefix}${channel}`, `${ms}-${Number(seq) + 1}`, end).then(send, () => {});
  };

  const server = createServer();
  const wss = new WebSocketServer({ server });
  wss.on('connection', accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const following = follow();
  return {
    port: (server.address() as AddressInfo).port,
    log,
    bufferedBytes: () => [...wss.clients].reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0),
    async stop() {
      isStopped = true;
      redis.disconnect();
      for (const socket of wss.clients) socket.terminate();
      wss.close();
      server.close();
      await following;
    },
  };
}
