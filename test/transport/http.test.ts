import { type AddressInfo, connect, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogged } from '../support/logged.ts';
import { streamId } from '../../src/event/stream-id.ts';
import { createHttp, type Http, type HttpDeps } from '../../src/transport/http.ts';
import type { HttpPublication } from '../../src/transport/http-publish.ts';
import { API_KEY, httpDeps, serveHttp } from '../support/http-surface.ts';

const running: Http[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

describe('http', () => {
  describe('probes', () => {
    test('GET /health is 200 OK, whatever its query', async () => {
      const { url } = await serve();
      const response = await fetch(`${url}/health?a=1`);
      expect([response.status, await response.text()]).toEqual([200, 'OK']);
      expect(response.headers.get('cache-control')).toBe('no-store');
    });

    test('HEAD /health has no body', async () => {
      const { port } = await serve();
      const answer = await raw(port, 'HEAD /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe('');
    });

    test('/ready follows isReady', async () => {
      let ready = false;
      const { url } = await serve({ isReady: () => ready });
      const before = await fetch(`${url}/ready`);
      expect([before.status, await before.text()]).toEqual([503, 'SUBSCRIBER_UNAVAILABLE']);
      ready = true;
      const after = await fetch(`${url}/ready`);
      expect([after.status, await after.text()]).toEqual([200, 'OK']);
      expect((await fetch(`${url}/ready`, { method: 'HEAD' })).status).toBe(200);
    });
  });

  describe('GET /', () => {
    test('says what this is, with nothing about how it is run, and no script', async () => {
      const { url } = await serve();
      const page = await fetch(`${url}/`);
      const body = await page.text();
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(body).toContain('<h1>Signalbox</h1>');
      expect(body).not.toMatch(
        /<script|<style|\sstyle=|\son[a-z]+=|\d+\.\d+\.\d+|(?:src|href)="(?!\.\/[a-z])/,
      );
      expect(page.headers.get('set-cookie')).toBeNull();
    });

    test('says it in development mode too, where there is nothing to show', async () => {
      const { url } = await serve({ mode: 'development' });
      expect(await (await fetch(url)).text()).toContain('This server is running');
    });

    test('has the headers of the page of development mode, as each of its files has', async () => {
      const { url } = await serve();
      for (const path of ['/', '/front.css', '/favicon.svg']) {
        const { headers, status } = await fetch(url + path);
        expect([path, status, headers.get('content-security-policy')]).toEqual([
          path,
          200,
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ]);
        expect(headers.get('cache-control')).toBe('no-store');
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('x-frame-options')).toBe('DENY');
        expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
        expect(headers.get('referrer-policy')).toBe('no-referrer');
      }
    });
  });

  describe('what is not served', () => {
    test.each([
      ['GET', '/nope'],
      ['POST', '/health'],
      ['POST', '/nope'],
      ['OPTIONS', '/nope'],
      ['DELETE', '/ready'],
      ['GET', '/health/'],
      ['GET', '/package.json'],
      ['GET', '/page.js'],
      ['PROPFIND', '/nope'],
    ])('%s %s is 404 Not Found', async (method, path) => {
      const { url } = await serve();
      const response = await fetch(url + path, { method });
      expect([response.status, await response.text()]).toEqual([404, 'Not Found']);
    });

    test('a body of any type and size does not change that', async () => {
      const { url } = await serve({ maxBodyBytes: 10 });
      const response = await fetch(`${url}/nope`, {
        method: 'POST',
        body: 'x'.repeat(100_000),
        headers: { 'content-type': 'made/up' },
      });
      expect([response.status, await response.text()]).toEqual([404, 'Not Found']);
    });
  });

  describe('a hostile request line', () => {
    test.each([
      '//',
      '//x',
      '/%',
      '/%ff',
      '/%zz',
      'http://127.0.0.1/health',
      'http://',
      '/../health',
      '/a/%2e%2e/health',
      '/.%2E/health',
      '/a\\..\\health',
      '/a%5c',
      '/a%00b',
      '/a\tb',
      '/\x01',
      '/\x7f',
      '/#',
      '*',
      'health',
      '?',
      '/health health',
      '/constructor%',
    ])('GET %j is answered with 400 and the process lives', async (target) => {
      const { port, url } = await serve();
      const answer = await raw(
        port,
        `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(problemIn(answer)).toMatchObject({ status: 400, code: 'bad_request', title: 'Bad Request' });
      expect((await fetch(`${url}/health`)).status).toBe(200);
    });

    test('is told what a target is', async () => {
      const { port } = await serve();
      const answer = await raw(port, 'GET /a/../b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      expect(problemIn(answer)).toMatchObject({
        detail: expect.stringMatching(/expected .*exactly one \/.*dot segment/),
      });
    });

    test.each([
      ['no HTTP at all', '\x16\x03\x01\x02\x00\r\n\r\n', 400, 'bad_request'],
      [
        'two lengths',
        'POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
        400,
        'bad_request',
      ],
      [
        'a length and chunks',
        'POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
        'bad_request',
      ],
      [
        'endless headers',
        `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
        431,
        'headers_too_large',
      ],
    ])('%s is refused and the process lives', async (_what, bytes, status, code) => {
      const { port, url } = await serve();
      const answer = await raw(port, bytes);
      expect(answer.split(' ')[1]).toBe(String(status));
      expect(problemIn(answer)).toMatchObject({ status, code });
      expect((await fetch(`${url}/health`)).status).toBe(200);
    });
  });

  test('a request without a Host is 400', async () => {
    const { port } = await serve();
    expect(await raw(port, 'GET /health HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  describe('POST /publish', () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` };

    test('is 201 with the id once the broker has the event', async () => {
      const { url, published } = await serve();
      const response = await post(url, '{"channel":"news:a/b","topic":"article","data":{"a":1}}', headers);
      expect([response.status, await response.json()]).toEqual([201, { id: '1700000000000-0' }]);
      expect(response.headers.get('cache-control')).toBe('private, no-store');
      expect(published).toEqual([{ channel: 'news:a/b', topic: 'article', data: '{"a":1}' }]);
    });

    test('keeps data as it was written: numbers beyond 2^53, key order, escapes', async () => {
      const { url, published } = await serve();
      await post(
        url,
        '{"data": {"b":12345678901234567890.10,"a":"\\ud800", "2":1, "1":2} ,"channel":"c"}',
        headers,
      );
      expect(published[0]?.data).toBe('{"b":12345678901234567890.10,"a":"\\ud800", "2":1, "1":2}');
    });

    test('data may be null or false, and may not be missing', async () => {
      const { url, published } = await serve();
      expect((await post(url, '{"channel":"c","data":null}', headers)).status).toBe(201);
      expect((await post(url, '{"channel":"c","data":false}', headers)).status).toBe(201);
      expect(published.map(({ data }) => JSON.parse(data))).toEqual([null, false]);
      expect((await post(url, '{"channel":"c"}', headers)).status).toBe(422);
    });

    test.each([
      ['{"channel":', 'The body is not JSON: it is broken where it ends, too early.'],
      ['{"channel":"c","data":}', 'The body is not JSON: it is broken at position 22.'],
      ['', 'The body is not JSON: it is broken where it ends, too early.'],
    ])('is 400 with the position for %j', async (body, detail) => {
      const { url } = await serve();
      const response = await post(url, body, headers);
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail,
        code: 'bad_request',
      });
    });

    test('is 400 for bytes that are not UTF-8', async () => {
      const { url } = await serve();
      const body = Buffer.concat([
        Buffer.from('{"channel":"c","data":"'),
        Buffer.from([0xff]),
        Buffer.from('"}'),
      ]);
      const response = await post(url, body, headers);
      expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
        400,
        'The body is not UTF-8.',
      ]);
    });

    test('is 422 with every problem at once', async () => {
      const { url, published } = await serve();
      const response = await post(url, '{"channel":"_x","topic":7,"other":"k"}', headers);
      expect(response.status).toBe(422);
      const problem = (await response.json()) as {
        code: string;
        problems: { path: string[]; message: string }[];
      };
      expect(problem.code).toBe('invalid');
      expect(problem.problems.map(({ path }) => path.join('.')).toSorted()).toEqual([
        '',
        'channel',
        'data',
        'topic',
      ]);
      expect(published).toEqual([]);
    });

    test.each(['', 'a b', '_a', '$a', 'full', 'ä', 'a'.repeat(201), 'a\n'])(
      'refuses the channel %j',
      async (channel) => {
        const { url } = await serve();
        expect((await post(url, JSON.stringify({ channel, data: 1 }), headers)).status).toBe(422);
      },
    );

    test.each(['constructor', 'proto__', 'a'.repeat(200), '0', 'A-z_.:/'])(
      'takes the channel %j',
      async (channel) => {
        const { url } = await serve();
        expect((await post(url, JSON.stringify({ channel, data: 1 }), headers)).status).toBe(201);
      },
    );

    test.each(['', '$a', '_a', 'gap', 'a'.repeat(101)])('refuses the topic %j', async (topic) => {
      const { url } = await serve();
      expect((await post(url, JSON.stringify({ channel: 'c', topic, data: 1 }), headers)).status).toBe(422);
    });

    test.each(['[]', 'null', '"text"', '1'])('is 422 for %s, which is JSON and no object', async (body) => {
      const { url } = await serve();
      expect((await post(url, body, headers)).status).toBe(422);
    });

    test('is 401 without a key, with a wrong one, or with another scheme, and never reads the body', async () => {
      const { url, port } = await serve();
      for (const authorization of [
        undefined,
        'Bearer',
        'Bearer wrong',
        `Bearer ${API_KEY}x`,
        `Basic ${API_KEY}`,
        API_KEY,
      ]) {
        const { authorization: _, ...json } = headers;
        const response = await post(
          url,
          '{',
          authorization === undefined ? json : { ...json, authorization },
        );
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
        expect(await response.json()).toMatchObject({ code: 'unauthorized' });
      }
      const answer = await raw(
        port,
        'POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n{',
        (text) => text.includes('"code"'),
      );
      expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    });

    test('takes any of several keys', async () => {
      const { url } = await serve({ apiKeys: ['another-key-of-24-characters-', API_KEY] });
      expect((await post(url, '{"channel":"c","data":1}', headers)).status).toBe(201);
    });

    test('is 413 for a body over maxBodyBytes, announced or chunked', async () => {
      const { url } = await serve({ maxBodyBytes: 64 });
      const body = JSON.stringify({ channel: 'c', data: 'x'.repeat(64) });
      const announced = await post(url, body, headers);
      expect([announced.status, await announced.json()]).toMatchObject([
        413,
        { code: 'too_large', detail: 'The body is larger than maxBodyBytes, which is 64.' },
      ]);
      const chunked = await fetch(`${url}/publish`, {
        method: 'POST',
        headers,
        body: new Blob([body]).stream(),
        duplex: 'half',
      });
      expect([chunked.status, await chunked.json()]).toMatchObject([413, { code: 'too_large' }]);
    });

    test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', undefined])(
      'is 415 for %s',
      async (type) => {
        const { url } = await serve();
        const response = await fetch(`${url}/publish`, {
          method: 'POST',
          body: Buffer.from('{"channel":"c","data":1}'),
          headers: {
            authorization: headers.authorization,
            ...(type === undefined ? {} : { 'content-type': type }),
          },
        });
        expect([response.status, await response.json()]).toMatchObject([
          415,
          { code: 'unsupported_media_type' },
        ]);
      },
    );

    test('is 415 for a body that is compressed, and says so', async () => {
      const { url } = await serve();
      const body = gzipSync('{"channel":"c","data":1}');
      const response = await post(url, body, { ...headers, 'content-encoding': 'gzip' });
      expect([response.status, await response.json()]).toMatchObject([
        415,
        { code: 'unsupported_media_type', detail: expect.stringContaining('"gzip"') },
      ]);
    });

    test('is 503 while the broker is away, logged when that begins and when it ends', async () => {
      let away = true;
      const { url, logged } = await serve({
        publish: async () => {
          if (away) throw new Error('connect ECONNREFUSED');
          return [{ id: streamId(1, 0) }];
        },
      });
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const response = await post(url, '{"channel":"c","data":1}', headers);
        expect([response.status, await response.json()]).toMatchObject([503, { code: 'unavailable' }]);
      }
      away = false;
      expect((await post(url, '{"channel":"c","data":1}', headers)).status).toBe(201);
      expect(logged.map(({ msg }) => msg)).toEqual(['publish failed; answering 503', 'publish works again']);
      expect(JSON.stringify(logged)).not.toContain(API_KEY);
    });
  });

  describe('listen and close', () => {
    test('rejects with the error of the bind when the port is taken', async () => {
      const { port } = await serve();
      const second = await createHttp(httpDeps());
      await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await second.close();
    });

    test('close ends keep-alive connections and frees the port', async () => {
      const { url, port, http } = await serve();
      await fetch(`${url}/health`);
      await http.close();
      const probe = createServer();
      await new Promise<void>((resolve, reject) => {
        probe.once('error', reject);
        probe.listen(port, '127.0.0.1', resolve);
      });
      expect((probe.address() as AddressInfo).port).toBe(port);
      await new Promise((resolve) => probe.close(resolve));
    });

    test('close does not wait for a client that never finishes its request', async () => {
      const { port, http } = await serve();
      const socket = connect(port, '127.0.0.1');
      const ended = new Promise((resolve) => socket.once('close', resolve));
      await new Promise<void>((resolve) =>
        socket.write('POST /publish HTTP/1.1\r\nHost: a\r\n', () => resolve()),
      );
      await http.close();
      await expect(ended).resolves.toBeDefined();
    });
  });
});

type Served = {
  http: Http;
  url: string;
  port: number;
  published: PublishedOne[];
  logged: Record<string, unknown>[];
};

type PublishedOne = Omit<HttpPublication, 'data'> & { readonly data: string };

async function serve(overrides: Partial<HttpDeps> = {}): Promise<Served> {
  const published: PublishedOne[] = [];
  const { logger, logged } = createLogged();
  const served = await serveHttp({
    logger,
    publish: async (publications) =>
      publications.map(({ data, ...one }, at) => {
        published.push(JSON.parse(JSON.stringify({ ...one, data: data.toString() })) as PublishedOne);
        return { id: streamId(1_700_000_000_000, at) };
      }),
    ...overrides,
  });
  running.push(served.http);
  return { ...served, published, logged };
}

function post(url: string, body: string | Buffer, headers: Record<string, string>): Promise<Response> {
  return fetch(`${url}/publish`, { method: 'POST', body, headers });
}

/** Sends bytes and resolves with everything that came back, at the end of the connection or once `enough`. */
function raw(port: number, bytes: string, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (enough(text)) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
    socket.write(bytes, 'latin1');
  });
}

function problemIn(answer: string): unknown {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}
