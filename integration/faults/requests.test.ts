import { once } from 'node:events';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { Client, Publisher } from '../support/superset.ts';
import { clientFrame, cookieOf, exchange, get, openRaw, upgrade } from './raw.ts';
import { killServer, type Server, startServer } from './server.ts';

/** What made the old sidecars' URL parser throw, and what might make another. */
const ODD_TARGETS = ['//', '///', '//host/path', '/\\', '/%', '/%zz', '/a/../b', '/%00', 'x', 'http://', '*'];
const ODD_QUERIES = ['/?last_id=%', '/?last_id=%ff', '/?tab_id=%zz', '/??', '/?last_id=1-1?last_id=2-2'];

const ended: (() => unknown)[] = [];
let prefix: string;
let publisher: Publisher;

beforeEach(async () => {
  prefix = uniquePrefix();
  publisher = new Publisher(redisUrl(), prefix);
  ended.unshift(() => publisher.close());
  await publisher.redis.connect();
});
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const start = (env: Readonly<Record<string, string>> = {}): Server => {
  const server = startServer({
    env: {
      REDIS_URL: redisUrl(),
      REDIS_STREAM_PREFIX: prefix,
      REALTIME_CHANNEL_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
      SIGNALBOX_DRAIN_MS: '0',
      ...env,
    },
  });
  ended.unshift(() => killServer(server));
  return server;
};

/** Nothing was thrown that nobody caught: such an error is logged and its process ends with 1. */
const endsInOrder = async ({ child, ended: end, log }: Server): Promise<void> => {
  child.kill('SIGTERM');
  expect((await end).code).toBe(0);
  expect(log.filter(({ level }) => level === 'fatal' || level === 'error')).toEqual([]);
};

describe('`GET //` without any token ends the process three seconds later; an upgrade on `//` too', () => {
  test.each([
    ['F1.1 ONE HTTP REQUEST KILLS THE SERVER', 'streams'],
    ['F2.1 `GET //` kills it the same way', 'realtime'],
  ])('%s: it is answered with 400 and the process lives', async (_, protocol) => {
    const server = start({ SIGNALBOX_SUPERSET_PROTOCOL: protocol });
    const port = await server.ready();
    for (const target of ODD_TARGETS) {
      const { status } = await exchange(port, get(target));
      expect([target, [400, 404].includes(status)]).toEqual([target, true]);
    }
    expect((await exchange(port, get('//'))).status).toBe(400);
    for (const target of ODD_QUERIES) expect((await exchange(port, get(target))).status).toBe(200);
    expect((await exchange(port, get('/health'))).body).toBe('OK');
    await endsInOrder(server);
  });

  test('F1.2 the same with an upgrade: with a valid cookie too it is answered with 400', async () => {
    const server = start();
    const port = await server.ready();
    const cookie = cookieOf({ channel: 'a' });
    for (const target of ODD_TARGETS.filter((odd) => odd !== '*')) {
      const answer = await exchange(port, upgrade({ target, cookie }));
      expect({ target, status: answer.status, body: answer.body }).toEqual({
        target,
        status: 400,
        body: answer.body,
      });
    }
    expect((await exchange(port, upgrade({ target: '//', cookie }))).body).toBe('bad request');
    for (const target of ODD_QUERIES) (await openRaw(port, { target, cookie })).destroy();
    await endsInOrder(server);
  });
});

describe('a pong with the payload `__proto__` from any client ends the process at the next sweep; a channel named `constructor` at the next message', () => {
  test('F1.3 ONE PONG FRAME KILLS THE SERVER: the next pings come, and so does what is published', async () => {
    const server = start({ PING_SOCKETS_INTERVAL_MS: '100' });
    const port = await server.ready();
    const client = await Client.open(port, { channel: 'a', autoPong: false });
    for (const payload of ['__proto__', 'constructor', 'toString', '', 'x'.repeat(125)]) {
      client.socket.pong(payload);
      const [id] = (await once(client.socket, 'ping')) as [Buffer];
      client.socket.pong(id);
    }
    const job = await publisher.publish('a');
    await client.receives(1);
    expect(client.jobs).toEqual([job]);
    await endsInOrder(server);
  });

  test("F1.20 channel 'full' replays the firehose: here its token is refused", async () => {
    const port = await start().ready();
    const { status, body } = await exchange(port, upgrade({ cookie: cookieOf({ channel: 'full' }) }));
    expect([status, body]).toEqual([401, 'bad token']);
  });
});

describe('inbound frames up to 100 MiB are read and thrown away', () => {
  test('F1.25 inbound frames up to 100 MiB accepted and ignored: beyond 64 KiB they end the socket with 1009', async () => {
    const port = await start().ready();
    const client = await Client.open(port, { channel: 'a' });
    client.socket.send(Buffer.alloc(65_536));
    const job = await publisher.publish('a');
    await client.receives(1);
    expect(client.jobs).toEqual([job]);
    client.socket.send(Buffer.alloc(65_537));
    expect((await client.closes()).code).toBe(1009);
  });

  test('of a frame that claims 100 MiB nothing is read', async () => {
    const port = await start().ready();
    const socket = await openRaw(port, { cookie: cookieOf({ channel: 'a' }) });
    const announced = Buffer.alloc(14);
    announced.set([0x82, 0xff]);
    announced.writeBigUInt64BE(100n * 1024n * 1024n, 2);
    socket.write(announced);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, 1009]);
    socket.destroy();
  });

  test('100 data frames in 10 s are ignored, and the next ends the socket with 1008', async () => {
    const port = await start().ready();
    const client = await Client.open(port, { channel: 'a' });
    for (let sent = 0; sent < 100; sent += 1) client.socket.send('?');
    const job = await publisher.publish('a');
    await client.receives(1);
    expect([client.jobs, client.closed]).toEqual([[job], undefined]);
    client.socket.send('?');
    expect(await client.closes()).toEqual({ code: 1008, reason: 'too many messages' });
  });

  test('a frame that breaks the protocol ends its own socket only', async () => {
    const port = await start().ready();
    const client = await Client.open(port, { channel: 'a' });
    const socket = await openRaw(port, { cookie: cookieOf({ channel: 'a' }) });
    socket.write(clientFrame(0xf, Buffer.from('?')));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, 1002]);
    socket.destroy();
    await publisher.publish('a');
    await client.receives(1);
  });
});

describe('refused clients see a dropped connection', () => {
  const now = Math.floor(Date.now() / 1000);
  const none = jwt.sign({ channel: 'a' }, '', { algorithm: 'none' });

  test.each([
    ['no cookie', undefined, 401, 'no token'],
    ['another cookie', 'other=1', 401, 'no token'],
    ['no JWT', 'async-token=__proto__', 401, 'bad token'],
    ['another secret', cookieOf({ channel: 'a' }, 'another-secret-of-32-bytes-or-more'), 401, 'bad token'],
    ['an unsigned token', `async-token=${none}`, 401, 'bad token'],
    ['an expired token', cookieOf({ channel: 'a', exp: now - 10 }), 401, 'bad token'],
    ['no channel', cookieOf({ sub: '1' }), 401, 'bad token'],
    ['an empty channel', cookieOf({ channel: '' }), 401, 'bad token'],
    ['a channel that is no string', cookieOf({ channel: ['a'] }), 401, 'bad token'],
  ])('F1.13 auth failure: %s is answered with a status and a word', async (_, cookie, status, body) => {
    const port = await sharedPort();
    const answer = await exchange(port, upgrade({ cookie }));
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers).toMatchObject({ connection: 'close', 'content-length': String(body.length) });
  });

  test('an origin that is not allowed is answered with 403, whatever its token', async () => {
    const port = await start({ ALLOWED_ORIGINS: 'https://superset.example' }).ready();
    const cookie = cookieOf({ channel: 'a' });
    for (const origin of [undefined, 'https://superset.example.evil', 'null']) {
      const refused = await exchange(port, upgrade({ cookie, ...(origin && { origin }) }));
      expect([refused.status, refused.body]).toEqual([403, 'origin']);
    }
    (await openRaw(port, { cookie, origin: 'https://superset.example' })).destroy();
  });

  test.each([
    ['another version of the protocol', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 5'],
    ['no key', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n', ''],
    ['another method', 'GET ', 'POST '],
    ['another protocol', 'Upgrade: websocket', 'Upgrade: h2c'],
  ])('an upgrade with %s is answered with a status', async (_, from, to) => {
    const port = await sharedPort();
    const text = upgrade({ cookie: cookieOf({ channel: 'a' }) }).replace(from, to);
    const { status } = await exchange(port, text);
    expect([400, 405, 426]).toContain(status);
  });

  test('no part of a refused token is in the log', async () => {
    const server = start();
    const cookie = cookieOf({ channel: 'a' }, 'another-secret-of-32-bytes-or-more');
    await exchange(await server.ready(), upgrade({ cookie }));
    server.child.kill('SIGTERM');
    const { stdout, stderr } = await server.ended;
    expect(stdout).toContain('Refused an upgrade');
    for (const part of cookie.slice('async-token='.length).split('.')) {
      expect(stdout + stderr).not.toContain(part);
    }
  });

  let shared: Server | undefined;
  const sharedPort = (): Promise<number> => {
    shared ??= startServer({ env: { REDIS_URL: redisUrl(), SIGNALBOX_DRAIN_MS: '0' } });
    return shared.ready();
  };
  afterAll(() => shared && killServer(shared));
});
