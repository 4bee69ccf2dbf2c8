import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Application, startPair, type UpstreamPair } from '../support/upstream-pair.ts';
import type { UpstreamOptions } from '../../src/upstream/upstream.ts';

const pairs: UpstreamPair[] = [];
const start = async (application: Application, options?: Partial<UpstreamOptions>): Promise<UpstreamPair> => {
  const pair = await startPair(application, options);
  pairs.push(pair);
  return pair;
};
afterEach(async () => {
  await Promise.all(pairs.splice(0).map((pair) => pair.close()));
});

/** Answers with what it was asked, as JSON. */
const mirror: Extract<Application, { http: unknown }> = {
  http(request, response) {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, rawHeaders, headers } = request;
      const text = Buffer.concat(chunks).toString();
      response.end(JSON.stringify({ method, url, rawHeaders, headers, text }));
    });
  },
};
type Mirrored = {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly headers: Record<string, string>;
  readonly text: string;
};
const mirrored = (text: string): Mirrored => JSON.parse(text) as Mirrored;

describe('a request', () => {
  test.each(['/', '/a%2Fb/%C3%A9?x=%20&y=[1]|{}', '/?http://other.example/', "/a;b=c/:@!$&'()*+,=~_-"])(
    'for %s reaches the application as it was written',
    async (path) => {
      const pair = await start(mirror);
      expect(mirrored((await pair.ask({ path })).text).url).toBe(path);
    },
  );

  test.each(['http://other.example/', '//other.example/', '/a/../b', '/%2e%2e/', '*', '/a\\b'])(
    'for %s reaches nobody',
    async (target) => {
      const pair = await start(mirror);
      const answer = await pair.sendRaw(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"code":"bad_request"');
    },
  );

  test('goes on with its method, headers and body', async () => {
    const pair = await start(mirror);
    const headers = { 'Content-Type': 'text/plain', Cookie: 'a=1', 'X-Own': ['one', 'two'] };
    const { text } = await pair.ask({ method: 'PATCH', headers, body: 'hello' });
    expect(mirrored(text)).toMatchObject({
      method: 'PATCH',
      text: 'hello',
      headers: { 'content-type': 'text/plain', 'content-length': '5', cookie: 'a=1', 'x-own': 'one, two' },
    });
  });

  test('that is chunked goes on whole, and an expectation is answered here', async () => {
    const pair = await start(mirror);
    const headers = { 'Transfer-Encoding': 'chunked', Expect: '100-continue' };
    const { headers: sent, text } = mirrored(
      (await pair.ask({ method: 'POST', headers, body: 'hello' })).text,
    );
    expect(text).toBe('hello');
    expect(sent['expect']).toBeUndefined();
  });

  test('says where it came from, in our words only', async () => {
    const pair = await start(mirror);
    const { headers } = mirrored(
      (
        await pair.ask({
          headers: {
            Host: 'public.example',
            Forwarded: 'for=1.1.1.1',
            'X-Forwarded-For': '1.1.1.1',
            X_Forwarded_For: '2.2.2.2',
            'X-Forwarded-Prefix': '/evil',
            'X-Real-IP': '3.3.3.3',
            'X-SSE-Channel': 'mine',
            'X-Sse_Channel': 'mine',
            'Grip-Sig': 'forged',
          },
        })
      ).text,
    );
    const { host, connection: _, ...others } = headers;
    expect(host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(others).toEqual({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'public.example',
    });
  });

  test('behind a proxy that is trusted says what the proxy says', async () => {
    const pair = await start(mirror, { trustProxy: true });
    const { headers } = mirrored(
      (
        await pair.ask({
          headers: {
            'X-Forwarded-For': '1.1.1.1, 192.0.2.7',
            'X-Forwarded-Proto': 'https',
            'X-Forwarded-Host': 'public.example',
          },
        })
      ).text,
    );
    expect(headers).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example',
    });
  });

  test('loses what is hop by hop, and cannot take our headers away by naming them', async () => {
    const pair = await start(mirror);
    const { headers } = mirrored(
      (
        await pair.ask({
          headers: {
            Connection: 'close, X-Private, X-Forwarded-For, Host',
            'X-Private': '1',
            TE: 'trailers',
            'Proxy-Authorization': 'Basic x',
            'Keep-Alive': 'timeout=5',
          },
        })
      ).text,
    );
    expect(Object.keys(headers).sort()).toEqual([
      'connection',
      'host',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
    ]);
    expect(headers['connection']).toBe('keep-alive');
  });

  test.each([
    ['a header with a line break in it', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\rEvil: 1\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a coding that would be lost',
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('with %s reaches nobody', async (_, bytes) => {
    let requests = 0;
    const pair = await start({ http: (__, response) => void response.end(String(++requests)) });
    expect(await pair.sendRaw(bytes)).toMatch(/^HTTP\/1\.1 400 /);
    expect(requests).toBe(0);
  });

  test.each([
    ['says so', { 'Content-Length': '11' }],
    ['does not say so', { 'Transfer-Encoding': 'chunked' }],
  ])('that is too large and %s is refused', async (_, headers) => {
    const pair = await start(mirror, { maxBodyBytes: 10 });
    const answer = await pair.ask({ method: 'POST', headers, body: 'x'.repeat(11) });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      413,
      expect.objectContaining({ code: 'too_large' }),
    ]);
    expect((await pair.ask({ method: 'POST', body: 'x'.repeat(10) })).status).toBe(200);
  });

  test('meets a connection that another one left', async () => {
    const pair = await start(mirror);
    let connections = 0;
    pair.application.on('connection', () => {
      connections += 1;
    });
    for (let count = 0; count < 5; count += 1) await pair.ask({ method: 'POST', body: `${count}` });
    expect(connections).toBe(1);
  });

  test('reaches an application on IPv6', async () => {
    const pair = await start({ ...mirror, host: '::1' });
    const { headers } = mirrored((await pair.ask()).text);
    expect(headers['host']).toMatch(/^\[::1\]:\d+$/);
  });

  test('reaches an application on a Unix socket', async () => {
    const socketPath = join(tmpdir(), `signalbox-${randomUUID()}.sock`);
    const pair = await start({ ...mirror, socketPath });
    expect(mirrored((await pair.ask({ path: '/x' })).text)).toMatchObject({
      url: '/x',
      headers: { host: 'localhost' },
    });
  });
});

describe('an answer', () => {
  test('passes as it came: status, words, order and repetition of headers', async () => {
    const pair = await start({
      raw: (socket) =>
        socket.end(
          'HTTP/1.1 418 Short and Stout\r\nB-Two: 1\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nX-Latin: \xe9\r\n' +
            'ETag: "x"\r\nCache-Control: max-age=5\r\nDate: now\r\nContent-Length: 2\r\n\r\nhi',
          'latin1',
        ),
    });
    const text = await pair.sendRaw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(text).toBe(
      'HTTP/1.1 418 Short and Stout\r\nB-Two: 1\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nX-Latin: \xe9\r\n' +
        'ETag: "x"\r\nCache-Control: max-age=5\r\nDate: now\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
    );
  });

  test('loses what is hop by hop', async () => {
    const pair = await start({
      raw: (socket) =>
        socket.end(
          'HTTP/1.1 200 OK\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=9\r\nX-Own: 1\r\n' +
            'Proxy-Authenticate: Basic\r\nTrailer: X-T\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n',
        ),
    });
    const { headers } = await pair.ask();
    expect(Object.keys(headers).sort()).toEqual(['connection', 'content-length', 'date', 'x-own']);
  });

  test.each([204, 304])('%i has no body', async (status) => {
    const pair = await start({
      http: (_, response) => void response.writeHead(status, { 'X-Own': '1' }).end(),
    });
    expect(await pair.ask()).toMatchObject({ status, text: '', headers: { 'x-own': '1' } });
  });

  test.each([301, 302, 307, 308])('%i is not followed', async (status) => {
    const seen: string[] = [];
    const pair = await start({
      http(request, response) {
        seen.push(request.url ?? '');
        response.writeHead(status, { Location: '/elsewhere' }).end();
      },
    });
    expect(await pair.ask({ path: '/here' })).toMatchObject({ status, headers: { location: '/elsewhere' } });
    expect(seen).toEqual(['/here']);
  });

  test.each([400, 404, 500, 503])('%i is the application’s own', async (status) => {
    const pair = await start({ http: (_, response) => void response.writeHead(status).end('own words') });
    expect(await pair.ask()).toMatchObject({ status, text: 'own words' });
  });

  test('to HEAD has the length of what there would be', async () => {
    const pair = await start({
      http: (_, response) => void response.writeHead(200, { 'Content-Length': 9 }).end(),
    });
    expect(await pair.ask({ method: 'HEAD' })).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-length': '9' },
    });
  });

  test('comes as soon as its headers are there, and each part as it is', async () => {
    let write: (text: string) => void = () => {};
    const pair = await start({
      http(_, response) {
        write = (text) => void response.write(text);
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.flushHeaders();
      },
    });
    const sent = httpRequest({ port: pair.port, agent: false }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    for (const part of ['data: 1\n\n', 'data: 2\n\n']) {
      write(part);
      expect(String((await once(answer, 'data'))[0])).toBe(part);
    }
    answer.destroy();
    await pair.idle();
    expect(pair.upstream.inFlight).toBe(0);
  });

  test('waits for a client that takes nothing, in little memory', async () => {
    const total = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    const pair = await start({
      http(_, response) {
        response.writeHead(200, { 'Content-Length': total });
        const fill = (): void => {
          for (let isTaken = true; isTaken && written < total; written += chunk.length)
            isTaken = response.write(chunk);
          if (written < total) response.once('drain', fill);
          else response.end();
        };
        fill();
      },
    });
    const socket = connect(pair.port, '127.0.0.1').pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await standsStill(() => written);
    // What the kernel holds for two connections, and little else.
    expect(written).toBeLessThan(total / 2);
    let received = 0;
    socket.on('data', (data: Buffer) => {
      received += data.length;
    });
    await once(socket.resume(), 'close');
    expect(received).toBeGreaterThan(total);
  });
});

describe('a large body', () => {
  test('goes up at the pace of its application, in little memory', async () => {
    const total = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let begun: (request: IncomingMessage) => void = () => {};
    const arrival = new Promise<IncomingMessage>((resolve) => {
      begun = resolve;
    });
    const pair = await start(
      {
        http(request, response) {
          begun(request);
          request.on('end', () => response.end('done'));
        },
      },
      { maxBodyBytes: total },
    );
    let written = 0;
    const sent = httpRequest({
      port: pair.port,
      method: 'POST',
      agent: false,
      headers: { 'Content-Length': total },
    });
    const fill = (): void => {
      for (let isTaken = true; isTaken && written < total; written += chunk.length)
        isTaken = sent.write(chunk);
      if (written < total) sent.once('drain', fill);
      else sent.end();
    };
    fill();
    const request = await arrival;
    await standsStill(() => written);
    expect(written).toBeLessThan(total / 2);
    request.resume();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    answer.resume();
    expect(written).toBe(total);
  });
});

/** Resolves when a figure has begun and does not change any more: nothing tells that nobody reads. */
async function standsStill(figure: () => number): Promise<void> {
  let before = 0;
  while (figure() === 0 || figure() !== before) {
    before = figure();
    await new Promise((later) => setTimeout(later, 100));
  }
}
