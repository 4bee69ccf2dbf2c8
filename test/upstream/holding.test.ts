import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest, type RequestListener } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
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

const EVENTS = { 'Content-Type': 'text/event-stream' };
const governing =
  (headers: Record<string, string | string[]>, body: string | Buffer = '', status = 200): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { ...EVENTS, ...headers });
    response.end(body);
  };

describe('an answer that names channels', () => {
  test('is held: its headers and cookies go on, and what is true of one answer only does not', async () => {
    const pair = await start({
      http: governing(
        {
          'X-SSE-Channel': 'clock',
          'Set-Cookie': ['a=1', 'b=2'],
          'X-Own': 'yes',
          Vary: 'Cookie',
          ETag: '"x"',
          'Last-Modified': 'now',
          'Accept-Ranges': 'bytes',
          'Cache-Control': 'max-age=5',
          Connection: 'X-Private',
          'X-Private': '1',
          Trailer: 'X-T',
          'X-SSE-Last-Id': 'e.1-0',
        },
        'data: first\n\n',
      ),
    });
    const answer = await pair.ask();
    expect(answer.text).toBe('data: first\n\n');
    expect(pair.opened).toEqual([
      {
        channels: ['clock'],
        contentType: 'text/event-stream',
        lastEventId: 'e.1-0',
        headers: expect.objectContaining({ 'set-cookie': ['a=1', 'b=2'], 'x-own': 'yes', vary: 'Cookie' }),
        prelude: Buffer.from('data: first\n\n'),
      },
    ]);
    expect(Object.keys(pair.opened[0]?.headers ?? {}).sort()).toEqual([
      'date',
      'set-cookie',
      'vary',
      'x-own',
    ]);
  });

  test.each([
    ['one header', 'a, b,,a'],
    ['several headers', ['a', 'b']],
  ])('may name several in %s', async (_, channels) => {
    const pair = await start({ http: governing({ 'X-SSE-Channel': channels }) });
    await pair.ask();
    expect(pair.opened[0]?.channels).toEqual(['a', 'b']);
  });

  test('names them in the header that the route says, in any case, and in UTF-8', async () => {
    const pair = await start(
      { http: governing({ 'x-chaNNel': Buffer.from('météo').toString('latin1') }) },
      { channelHeader: 'X-Channel' },
    );
    await pair.ask();
    expect(pair.opened[0]?.channels).toEqual(['météo']);
  });

  test('is held for a POST too, once its body was read', async () => {
    const pair = await start({ http: governing({ 'X-SSE-Channel': 'clock' }) });
    await pair.ask({ method: 'POST', body: 'hello' });
    expect(pair.opened).toHaveLength(1);
  });

  test('frees the application at once, while the stream goes on', async () => {
    const pair = await start({ http: governing({ 'X-SSE-Channel': 'clock' }) }, { maxAtOnce: 1 });
    for (let count = 0; count < 3; count += 1) expect((await pair.ask()).status).toBe(200);
    expect(pair.upstream.inFlight).toBe(0);
    expect(pair.opened).toHaveLength(3);
  });

  test.each([
    ['204', 204, 'GET', 'clock'],
    ['302', 302, 'GET', 'clock'],
    ['403', 403, 'GET', 'clock'],
    ['200 to HEAD', 200, 'HEAD', 'clock'],
    ['200 with an empty name', 200, 'GET', ''],
  ])('%s is no stream, and the header goes no further', async (_, status, method, name) => {
    const pair = await start({ http: governing({ 'X-SSE-Channel': name, 'X-Own': '1' }, '', status) });
    const answer = await pair.ask({ method });
    expect([answer.status, answer.headers['x-own'], answer.headers['x-sse-channel']]).toEqual([
      status,
      '1',
      undefined,
    ]);
    expect(pair.opened).toEqual([]);
  });

  test('that does not have the headers of collect passes, without what is pulled', async () => {
    const pair = await start(
      {
        http: (request, response) =>
          governing({
            'X-SSE-Channel': 'clock',
            'X-Secret': '1',
            'Content-Type': request.url?.slice(1) ?? '',
          })(request, response),
      },
      { collect: { 'content-type': 'text/event-stream' }, pull: ['X-Secret'] },
    );
    const passed = await pair.ask({ path: '/text/html' });
    expect(passed.headers).toMatchObject({ 'content-type': 'text/html' });
    expect(Object.keys(passed.headers)).not.toContain('x-secret');
    expect(pair.opened).toHaveLength(0);
    await pair.ask({ path: '/text/event-stream;charset=utf-8' });
    expect(pair.opened[0]?.contentType).toBe('text/event-stream;charset=utf-8');
    expect(Object.keys(pair.opened[0]?.headers ?? {})).not.toContain('x-secret');
  });

  test.each(['realtime', 'signalbox:$all', '__keyspace@0__:x', 'x'.repeat(1_001)])(
    'may not name %s: 502, a line in the log, and nothing is held',
    async (name) => {
      const pair = await start({
        http: governing({ 'X-SSE-Channel': ['clock', name], 'Set-Cookie': 'a=1' }),
      });
      const answer = await pair.ask();
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        502,
        expect.objectContaining({ code: 'bad_gateway' }),
      ]);
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(pair.opened).toEqual([]);
      expect(pair.lines).toEqual([
        { text: 'An application asked for a stream that it may not have', fields: expect.any(Object) },
      ]);
    },
  );
});

describe('what is sent before the first event', () => {
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('is unpacked from %s', async (coding, pack) => {
    const pair = await start({
      http: governing(
        { 'X-SSE-Channel': 'clock', 'Content-Encoding': coding },
        pack(Buffer.from('data: 1\n\n')),
      ),
    });
    expect((await pair.ask()).text).toBe('data: 1\n\n');
  });

  test.each([
    ['an unknown coding', 'zstd', Buffer.from('x')],
    ['a broken one', 'gzip', Buffer.from('no gzip')],
    ['a bomb', 'gzip', gzipSync(Buffer.alloc(8 * 1024 * 1024), { level: 9 })],
  ])('in %s is refused', async (_, coding, body) => {
    const pair = await start(
      { http: governing({ 'X-SSE-Channel': 'clock', 'Content-Encoding': coding }, body) },
      { bufferSize: 65_536 },
    );
    expect((await pair.ask()).status).toBe(502);
    expect(pair.opened).toEqual([]);
  });

  test('is cut after the last whole event that fits, and the application’s connection with it', async () => {
    let cut: Promise<unknown> = Promise.resolve();
    const pair = await start(
      {
        http(request, response) {
          cut = once(request.socket, 'close');
          response.writeHead(200, { ...EVENTS, 'X-SSE-Channel': 'clock' });
          response.write(`data: 1\n\ndata: 2\r\n\r\ndata: ${'x'.repeat(100)}`);
        },
      },
      { bufferSize: 64 },
    );
    expect((await pair.ask()).text).toBe('data: 1\n\ndata: 2\r\n\r\n');
    await cut;
    expect(pair.upstream.inFlight).toBe(0);
  });

  test('may be as large as the buffer', async () => {
    const body = `data: ${'x'.repeat(56)}\n\n`;
    const pair = await start({ http: governing({ 'X-SSE-Channel': 'clock' }, body) }, { bufferSize: 64 });
    expect((await pair.ask()).text).toBe(body);
  });
});

describe('GRIP', () => {
  const grip = { key: 'a-key-that-both-know', issuer: 'pushpin' };

  test('holds a stream as Pushpin does', async () => {
    const pair = await start(
      {
        http: governing(
          {
            'Grip-Hold': 'stream',
            'Grip-Channel': ['a; prev-id=7', 'b'],
            'Grip-Keep-Alive': ':\\n\\n; format=cstring; timeout=20',
            'Grip-Link': '</next>; rel=next',
          },
          'data: 1\n\n',
        ),
      },
      { grip },
    );
    expect((await pair.ask()).text).toBe('data: 1\n\n');
    expect(pair.opened[0]).toMatchObject({
      channels: ['a', 'b'],
      lastEventId: '7',
      keepAlive: { content: Buffer.from(':\n\n'), afterMs: 20_000 },
    });
    expect(Object.keys(pair.opened[0]?.headers ?? {})).toEqual(['date']);
  });

  test('is signed, and a client’s own signature goes no further', async () => {
    let signature: unknown;
    const pair = await start(
      {
        http(request, response) {
          signature = request.headers['grip-sig'];
          response.end();
        },
      },
      { grip },
    );
    await pair.ask({ headers: { 'Grip-Sig': 'forged' } });
    const claims = jwt.verify(String(signature), grip.key, { algorithms: ['HS256'], issuer: 'pushpin' });
    expect(claims).toEqual({ iss: 'pushpin', exp: expect.any(Number) });
  });

  test.each([
    ['another mode', { 'Grip-Hold': 'response', 'Grip-Channel': 'a' }],
    ['no channel', { 'Grip-Hold': 'stream' }],
    ['a filter', { 'Grip-Hold': 'stream', 'Grip-Channel': 'a; filter=skip-self' }],
  ])('with %s is refused', async (_, headers) => {
    const pair = await start({ http: governing(headers) }, { grip });
    expect((await pair.ask()).status).toBe(502);
  });

  test('is nothing special on a route without it', async () => {
    const pair = await start({ http: governing({ 'Grip-Hold': 'stream', 'Grip-Channel': 'a' }) });
    expect((await pair.ask()).headers['grip-channel']).toBe('a');
    expect(pair.opened).toEqual([]);
  });
});

test('a client that goes while its stream is prepared gets none, and its application is let go', async () => {
  let arrived: () => void = () => {};
  let cut: Promise<unknown> = Promise.resolve();
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const pair = await start({
    http(request, response) {
      cut = once(request.socket, 'close');
      response.writeHead(200, { ...EVENTS, 'X-SSE-Channel': 'clock' });
      response.write('data: 1\n\n', () => arrived());
    },
  });
  const sent = httpRequest({ port: pair.port, agent: false }).end();
  sent.on('error', () => {});
  await arrival;
  sent.destroy();
  await cut;
  await pair.idle();
  expect([pair.opened, pair.upstream.inFlight, pair.lines]).toEqual([[], 0, []]);
});

test('a stream is opened while the rest of the request still comes', async () => {
  const pair = await start({
    http: (_, response) =>
      void response.writeHead(200, { ...EVENTS, 'X-SSE-Channel': 'clock' }).end('data: 1\n\n'),
  });
  const sent = httpRequest({ port: pair.port, method: 'POST', agent: false });
  sent.write('part');
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const ended = once(answer, 'end');
  expect(String((await once(answer, 'data'))[0])).toBe('data: 1\n\n');
  await ended;
  sent.end('rest');
  await once(sent, 'close');
  expect(pair.upstream.inFlight).toBe(0);
});
