import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DEMO_CHANNEL } from '../../src/demo/publisher.ts';
import type { Http } from '../../src/transport/http.ts';
import { API_KEY, serveHttp } from '../support/http-surface.ts';
import { principal, ticketOf } from '../support/native-auth.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PUBLICATION = '{"channel":"demo","data":1}';
const FOLDER = new URL('../../public/', import.meta.url);

let http: Http;
let port: number;
let opened = 0;

beforeAll(async () => {
  ({ http, port } = await serveHttp({
    mode: 'development',
    page: {
      token: () => ({ cookieName: 'async-token', token: 'head.body.mark' }),
      opened: () => {
        opened += 1;
      },
    },
  }));
});

afterAll(() => http.close());

describe('http in development mode', () => {
  describe('Host', () => {
    test.each(['localhost', 'localhost:8080', 'LOCALHOST', '127.0.0.1', '127.1.2.3:80', '[::1]:8080'])(
      '%s is answered',
      async (host) => {
        expect((await send('GET', '/health', { host })).status).toBe(200);
      },
    );

    test.each([
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      'evil:127',
      '::1',
    ])('%j is refused, on every path', async (host) => {
      for (const path of ['/', '/health', '/page.js', '/nope']) {
        expect((await send('GET', path, { host })).status).toBe(403);
      }
      expect((await send('POST', '/publish', { host, ...JSON_TYPE }, PUBLICATION)).status).toBe(403);
    });
  });

  describe('POST /publish', () => {
    test('needs no key', async () => {
      expect((await send('POST', '/publish', JSON_TYPE, PUBLICATION)).status).toBe(201);
    });

    test('refuses a wrong key all the same', async () => {
      const wrong = { ...JSON_TYPE, authorization: 'Bearer wrong' };
      expect((await send('POST', '/publish', wrong, PUBLICATION)).status).toBe(401);
      const right = { ...JSON_TYPE, authorization: `Bearer ${API_KEY}` };
      expect((await send('POST', '/publish', right, PUBLICATION)).status).toBe(201);
    });

    test('lets who comes with a ticket do no more than that says', async () => {
      const ticket = ticketOf({ ...principal, publish: ['chat'] });
      const other = JSON.stringify({ channel: 'sport', data: 1 });
      expect((await send('POST', `/publish?ticket=${ticket}`, JSON_TYPE, other)).status).toBe(403);
    });

    test("takes the page's own fetch", async () => {
      const own = { ...JSON_TYPE, origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
      expect((await send('POST', '/publish', own, PUBLICATION)).status).toBe(201);
    });

    test.each([
      ['another site', { origin: 'http://evil.example' }],
      ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
      ['another scheme', { origin: 'https://127.0.0.1' }],
      ['an opaque origin', { origin: 'null' }],
      ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }],
      ['a same-site fetch of another origin', { 'sec-fetch-site': 'same-site' }],
    ])('refuses %s', async (_who, headers) => {
      const refused = await send('POST', '/publish', { ...JSON_TYPE, ...headers }, PUBLICATION);
      expect([refused.status, JSON.parse(refused.body)]).toMatchObject([403, { code: 'forbidden' }]);
    });

    test('refuses the types that a form can send', async () => {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
      ]) {
        expect((await send('POST', '/publish', { 'content-type': type }, PUBLICATION)).status).toBe(415);
      }
    });
  });

  describe('GET /', () => {
    beforeEach(() => {
      opened = 0;
    });

    test('is the page, sets the cookie and says that a page was opened', async () => {
      const page = await send('GET', '/');
      expect(page.status).toBe(200);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.headers['set-cookie']).toEqual([
        'async-token=head.body.mark; Path=/; HttpOnly; SameSite=Strict',
      ]);
      expect(page.body).toContain('<title>Signalbox</title>');
      expect(opened).toBe(1);
    });

    test('to HEAD has the same headers, and counts as no page', async () => {
      const [get, head] = [await send('GET', '/'), await send('HEAD', '/')];
      expect([head.status, head.body, head.headers['set-cookie']]).toEqual([
        200,
        '',
        get.headers['set-cookie'],
      ]);
      expect(opened).toBe(1);
    });

    test('lets nothing in but files of its own', async () => {
      const { headers, body } = await send('GET', '/');
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('DENY');
      expect(body).not.toMatch(
        /\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc="\/)|(?:src|href)="(?!\/[a-z])/,
      );
    });

    test('serves every file the page has, as it is', async () => {
      const names = readdirSync(FOLDER).filter((name) => name !== 'index.html' && name.includes('.'));
      expect(names).toEqual(expect.arrayContaining(['page.js', 'page.css', 'favicon.svg']));
      for (const name of names) {
        const file = await send('GET', `/${name}`);
        expect([file.status, file.body]).toEqual([200, readFileSync(new URL(name, FOLDER), 'utf8')]);
        expect(file.headers['set-cookie']).toBeUndefined();
      }
      expect(opened).toBe(0);
    });

    test('names the channel that the demo publishes on', async () => {
      expect((await send('GET', '/')).body).toContain(`data-channel="${DEMO_CHANNEL}"`);
    });
  });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Unlike `fetch`, it sends whatever Host and Origin it is told. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
