import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import { createServer, type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readUpstreamAddress } from '../../src/upstream/address.ts';
import type { UpstreamOptions } from '../../src/upstream/upstream.ts';
import { type Application, startPair, type UpstreamPair } from '../support/upstream-pair.ts';

const pairs: UpstreamPair[] = [];
const start = async (application: Application, options?: Partial<UpstreamOptions>): Promise<UpstreamPair> => {
  const pair = await startPair(application, options);
  pairs.push(pair);
  return pair;
};
afterEach(async () => {
  await Promise.all(pairs.splice(0).map((pair) => pair.close()));
});

const HELD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-SSE-Channel: clock\r\n';
const saying =
  (text: string, andThen: (socket: Socket) => void = (socket) => socket.end()) =>
  (socket: Socket): void => {
    socket.write(text, 'latin1');
    andThen(socket);
  };
const stays = (): void => {};
const SHORT = { answerTimeoutMs: 50, idleTimeoutMs: 50 };

/** A port that nobody listens on. */
const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

describe('an application that fails', () => {
  test.each([
    ['closes at once', (socket: Socket) => void socket.end()],
    ['resets the connection', (socket: Socket) => void socket.resetAndDestroy()],
    ['speaks something else', saying('SSH-2.0-OpenSSH_9.2\r\n')],
    ['ends in its headers', saying('HTTP/1.1 200 OK\r\nContent-')],
    ['has headers that are too large', saying(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)],
    ['has a control byte in a header', saying('HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n')],
    ['has a control byte in its status', saying('HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n')],
    [
      'switches protocols',
      saying('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    ],
    ['gives two lengths', saying('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab')],
    [
      'resets before what it would hold is whole',
      saying(`${HELD}Content-Length: 9\r\n\r\ndata`, (s) => s.resetAndDestroy()),
    ],
  ])('and %s gives 502, and nothing is held', async (_, raw) => {
    const pair = await start({ raw });
    const answer = await pair.ask();
    expect([answer.status, answer.headers['content-type'], JSON.parse(answer.text)]).toEqual([
      502,
      'application/problem+json; charset=utf-8',
      expect.objectContaining({ code: 'bad_gateway', status: 502 }),
    ]);
    expect([pair.opened, pair.upstream.inFlight]).toEqual([[], 0]);
    expect(pair.lines).toHaveLength(1);
  });

  test('and is not there gives 502', async () => {
    const address = readUpstreamAddress(`http://127.0.0.1:${await closedPort()}`)!;
    const pair = await start({ raw: stays }, { address });
    expect((await pair.ask()).status).toBe(502);
    expect(pair.lines[0]?.fields).toMatchObject({ upstream: address.origin });
  });

  test.each([
    ['says nothing', stays],
    ['does not end its headers', saying('HTTP/1.1 200 OK\r\nX: 1\r\n', stays)],
    ['says only that it is at work', saying('HTTP/1.1 102 Processing\r\n\r\n', stays)],
    ['does not end what it would hold', saying(`${HELD}Content-Length: 9\r\n\r\ndata`, stays)],
  ])('and %s gives 504, and nothing is held', async (_, raw) => {
    const pair = await start({ raw }, SHORT);
    const answer = await pair.ask();
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      504,
      expect.objectContaining({ code: 'timeout' }),
    ]);
    await pair.idle();
    expect([pair.opened, pair.upstream.inFlight]).toEqual([[], 0]);
  });

  test('answers a HEAD that failed without a body', async () => {
    const pair = await start({ raw: (socket) => void socket.end() });
    expect(await pair.ask({ method: 'HEAD' })).toMatchObject({ status: 502, text: '' });
  });

  test.each([
    ['a length', 'Content-Length: 9\r\n\r\ndata'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n'],
  ])('in the middle of a body with %s leaves its client a body that is not whole', async (_, rest) => {
    const pair = await start({ raw: saying(`HTTP/1.1 200 OK\r\n${rest}`) });
    await expect(pair.ask()).rejects.toThrow('aborted');
    expect(pair.upstream.inFlight).toBe(0);
  });

  test('and stands still in the middle of a body leaves its client a body that is not whole', async () => {
    const pair = await start(
      { raw: saying('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ndata', stays) },
      SHORT,
    );
    await expect(pair.ask()).rejects.toThrow('aborted');
  });

  test('is asked again by the next request', async () => {
    let connections = 0;
    const pair = await start({
      raw(socket) {
        connections += 1;
        if (connections === 1) socket.resetAndDestroy();
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      },
    });
    expect([(await pair.ask()).status, (await pair.ask()).text, connections]).toEqual([502, 'ok', 2]);
  });
});

describe('a client that goes', () => {
  test('before there is an answer takes its request back', async () => {
    let arrived: (socket: Socket) => void = () => {};
    const arrival = new Promise<Socket>((resolve) => {
      arrived = resolve;
    });
    const pair = await start({ raw: (socket) => arrived(socket) });
    const sent = httpRequest({ port: pair.port, agent: false }).end();
    sent.on('error', () => {});
    const socket = await arrival;
    sent.destroy();
    await once(socket, 'close');
    await pair.idle();
    expect([pair.upstream.inFlight, pair.lines]).toEqual([0, []]);
  });

  test('in the middle of its own body takes its request back', async () => {
    let arrived: (socket: Socket) => void = () => {};
    const arrival = new Promise<Socket>((resolve) => {
      arrived = resolve;
    });
    const pair = await start({ raw: (socket) => arrived(socket) });
    const socket = connect(pair.port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npart');
    const upstreamSocket = await arrival;
    socket.destroy();
    await once(upstreamSocket, 'close');
    await pair.idle();
    expect(pair.upstream.inFlight).toBe(0);
  });

  test('in the middle of an answer lets its application go', async () => {
    let cut: Promise<unknown> = Promise.resolve();
    const pair = await start({
      raw(socket) {
        cut = once(socket, 'close');
        socket.write('HTTP/1.1 200 OK\r\n\r\npart');
      },
    });
    const sent = httpRequest({ port: pair.port, agent: false }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    answer.destroy();
    await cut;
    await pair.idle();
    expect([pair.upstream.inFlight, pair.lines]).toEqual([0, []]);
  });

  test('or takes nothing for too long lets its application go', async () => {
    let cut: Promise<unknown> = Promise.resolve();
    const pair = await start(
      {
        raw(socket) {
          cut = once(socket, 'close');
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          socket.write(Buffer.alloc(64 * 1024 * 1024));
        },
      },
      { idleTimeoutMs: 50 },
    );
    const socket = connect(pair.port, '127.0.0.1').pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await cut;
    await pair.idle();
    expect(pair.upstream.inFlight).toBe(0);
    socket.destroy();
  });
});

test('a client that went before anything was done costs its application nothing', async () => {
  let requests = 0;
  const pair = await start({ http: (_, response) => void response.end(String(++requests)) });
  const server = createHttpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  socket.destroy();
  await once(response, 'close');
  await pair.upstream.handle(request, response, {
    openStream() {
      throw new Error('nobody is there');
    },
  });
  request.url = 'nonsense';
  await pair.upstream.handle(request, response, { openStream() {} });
  expect([requests, pair.upstream.inFlight]).toEqual([0, 0]);
  server.close();
});

describe('many at once', () => {
  test('are as many as the route allows; the next is told to come back', async () => {
    const waiting: Socket[] = [];
    let full: () => void = () => {};
    const isFull = new Promise<void>((resolve) => {
      full = resolve;
    });
    const pair = await start({
      raw(socket) {
        if (waiting.push(socket) === 100) full();
      },
    });
    const answers = Array.from({ length: 100 }, () => pair.ask());
    await isFull;
    const refused = await pair.ask();
    expect([refused.status, refused.headers['retry-after'], JSON.parse(refused.text)]).toEqual([
      503,
      '1',
      expect.objectContaining({ code: 'unavailable' }),
    ]);
    for (const socket of waiting.splice(0)) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(pair.upstream.inFlight).toBe(0);
  });
});
