// Socket.IO as its users have it: a room for each channel, a middleware that verifies the token, and a loop that reads
// the stream. No long polling, which clients of today do not need. Recovery is on where a scenario brings clients back.
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import { parseCookie } from 'cookie';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { Server } from 'socket.io';

const { PORT, REDIS_URL = '', REDIS_STREAM_PREFIX = '', JWT_SECRET = '' } = process.env;
const { PING_SOCKETS_INTERVAL_MS, SOCKETIO_RECOVERY } = process.env;

type Entry = [id: string, fields: string[]];

const redis = new Redis(REDIS_URL);
const key = createSecretKey(Buffer.from(JWT_SECRET));
let lastId = '$';
let isReading = false;

const server = createServer((_, response) => {
  response.writeHead(isReading ? 200 : 503).end();
});
const io = new Server(server, {
  transports: ['websocket'],
  ...(PING_SOCKETS_INTERVAL_MS === undefined ? {} : { pingInterval: Number(PING_SOCKETS_INTERVAL_MS) }),
  ...(SOCKETIO_RECOVERY === undefined ? {} : { connectionStateRecovery: {} }),
});
io.use((socket, next) => {
  const token = parseCookie(socket.handshake.headers.cookie ?? '')['async-token'] ?? '';
  try {
    socket.data = jwt.verify(token, key, { algorithms: ['HS256'] });
    next();
  } catch (error) {
    next(error as Error);
  }
});
io.on('connection', async (socket) => {
  if (!socket.recovered) await socket.join(socket.data.channel);
});

server.listen(Number(PORT), '127.0.0.1');
const stream = `${REDIS_STREAM_PREFIX}full`;
for (;;) {
  isReading = true;
  const reply = await redis.xread('COUNT', 100, 'BLOCK', 5000, 'STREAMS', stream, lastId);
  for (const [id, [, text = '']] of (reply?.[0]?.[1] ?? []) as Entry[]) {
    const event = JSON.parse(text) as { channel_id: string };
    io.to(event.channel_id).emit('event', { id, ...event });
    lastId = id;
  }
}
