// The work as Superset's websocket sidecar does it, for comparison: strings from one Redis connection, an object for
// each entry, the text made anew, `ws.send` for each socket, the secret given to each verification as a string.
// Replay waits behind the blocking read, and goes to the whole channel.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { type WebSocket, WebSocketServer } from 'ws';

const {
  PORT,
  REDIS_URL = '',
  REDIS_STREAM_PREFIX = '',
  JWT_SECRET = '',
  PING_SOCKETS_INTERVAL_MS,
} = process.env;

type Entry = [id: string, fields: string[]];

const redis = new Redis(REDIS_URL);
const sockets = new Map<string, WebSocket>();
const channels = new Map<string, string[]>();
let lastId = '$';
let isReading = false;

function send(channel: string, value: object): void {
  const text = JSON.stringify(value);
  for (const id of channels.get(channel) ?? []) sockets.get(id)?.send(text);
}

function deliver(entries: readonly Entry[]): void {
  for (const [id, [, text = '']] of entries) {
    const event = JSON.parse(text) as { channel_id: string };
    send(event.channel_id, { id, ...event });
  }
}

async function read(): Promise<never> {
  for (;;) {
    isReading = true;
    const reply = await redis.xread(
      'COUNT',
      100,
      'BLOCK',
      5000,
      'STREAMS',
      `${REDIS_STREAM_PREFIX}full`,
      lastId,
    );
    const entries = (reply?.[0]?.[1] ?? []) as Entry[];
    deliver(entries);
    lastId = entries.at(-1)?.[0] ?? lastId;
  }
}

function channelOf(request: IncomingMessage): string {
  const token = parseCookie(request.headers.cookie ?? '')['async-token'] ?? '';
  const claims = jwt.verify(token, JWT_SECRET, { algorithms: ['HS256'] }) as { channel: string };
  return claims.channel;
}

async function replay(channel: string, after: string): Promise<void> {
  const [ms, sequence] = after.split('-');
  const end = lastId === '$' ? '+' : lastId;
  const start = `${ms}-${Number(sequence) + 1}`;
  deliver(await redis.xrange(`${REDIS_STREAM_PREFIX}${channel}`, start, end));
}

const webSockets = new WebSocketServer({ noServer: true, clientTracking: false });
const server = createServer((_, response) => {
  response.writeHead(isReading ? 200 : 503).end();
});
server.on('upgrade', (request, connection, head) => {
  channelOf(request);
  webSockets.handleUpgrade(request, connection, head, (socket) => {
    const channel = channelOf(request);
    const id = randomUUID();
    sockets.set(id, socket);
    const ids = channels.get(channel);
    if (ids === undefined) channels.set(channel, [id]);
    else ids.push(id);
    const after = new URL(request.url ?? '/', 'http://localhost').searchParams.get('last_id');
    if (after !== null) void replay(channel, after);
    socket.on('error', () => socket.terminate());
    socket.on('pong', () => undefined);
  });
});
setInterval(
  () => {
    for (const [id, socket] of sockets) {
      if (socket.readyState === socket.OPEN) socket.ping(id);
      else sockets.delete(id);
    }
  },
  Number(PING_SOCKETS_INTERVAL_MS ?? 20_000),
);
server.listen(Number(PORT), '127.0.0.1');
await read();
