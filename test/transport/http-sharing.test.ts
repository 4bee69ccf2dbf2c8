import { afterEach, describe, expect, test } from '@jest/globals';
import type { Http, HttpDeps } from '../../src/transport/http.ts';
import { API_KEY, serveHttp } from '../support/http-surface.ts';
import { tokenWith } from '../support/native-auth.ts';
import { nativeHttp } from '../support/native-http.ts';

const LISTED = 'https://app.example';
const JSON_TYPE = { 'content-type': 'application/json' };
/** Every path that a credential is for, with a method of it, and whether a cookie is one. */
const PATHS = [
  ['POST', '/ticket', true],
  ['GET', '/history?channel=sport', true],
  ['POST', '/ask', true],
  ['POST', '/tell', true],
  ['POST', '/publish', false],
  ['POST', '/message', false],
] as const;
/** And every other. */
const OPEN = ['/', '/health', '/ready', '/front.css', '/openapi.json', '/nope'];

const running: Http[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

async function serve(allowedOrigins: readonly string[], overrides: Partial<HttpDeps> = {}) {
  const { http, url } = await serveHttp({ allowedOrigins, native: nativeHttp(allowedOrigins), ...overrides });
  running.push(http);
  return (method: string, path: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { method, headers });
}

const corsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));

describe('CORS', () => {
  describe.each(PATHS)('%s %s', (method, path, takesCookie) => {
    test('tells a page of a listed origin that it may read every answer, refusals included', async () => {
      const ask = await serve([LISTED]);
      const refused = await ask(method, path, { origin: LISTED });
      expect(refused.status).toBeGreaterThanOrEqual(401);
      expect(corsOf(refused)).toEqual({
        'access-control-allow-origin': LISTED,
        'access-control-expose-headers': 'Retry-After',
        ...(takesCookie && { 'access-control-allow-credentials': 'true' }),
      });
      expect(refused.headers.get('vary')).toContain('Origin');
    });

    test('answers the preflight of a listed origin', async () => {
      const ask = await serve([LISTED]);
      const preflight = await ask('OPTIONS', path, {
        origin: LISTED,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type',
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('vary')).toContain('Origin');
      const { 'access-control-allow-methods': methods, ...rest } = corsOf(preflight);
      expect(methods?.split(', ')).toContain(method);
      expect(rest).toEqual({
        'access-control-allow-origin': LISTED,
        'access-control-allow-headers': 'Authorization, Content-Type, Last-Event-ID',
        'access-control-max-age': '7200',
        ...(takesCookie && { 'access-control-allow-credentials': 'true' }),
      });
    });

    test.each(['https://evil.example', 'https://app.example.evil', 'http://app.example', 'null', '*'])(
      'tells %s nothing',
      async (origin) => {
        const ask = await serve([LISTED]);
        expect(corsOf(await ask(method, path, { origin }))).toEqual({});
        expect(corsOf(await ask('OPTIONS', path, { origin }))).toEqual({});
      },
    );

    test('tells nobody anything while no origin is listed', async () => {
      const ask = await serve([]);
      expect(corsOf(await ask(method, path, { origin: LISTED }))).toEqual({});
      expect(corsOf(await ask('OPTIONS', path, { origin: LISTED }))).toEqual({});
    });

    test('with * lets any origin read, and never with a cookie', async () => {
      const ask = await serve(['*']);
      for (const origin of [LISTED, 'null', '*']) {
        for (const asked of [method, 'OPTIONS']) {
          const cors = corsOf(await ask(asked, path, { origin }));
          expect(cors['access-control-allow-origin']).toBe('*');
          expect(cors).not.toHaveProperty('access-control-allow-credentials');
        }
      }
    });

    test('with * keeps the rights of an origin that is listed too', async () => {
      const ask = await serve(['*', LISTED]);
      const { 'access-control-allow-origin': origin, 'access-control-allow-credentials': credentials } =
        corsOf(await ask(method, path, { origin: LISTED }));
      expect([origin, credentials]).toEqual([LISTED, takesCookie ? 'true' : undefined]);
    });
  });

  test('lets a page of a listed origin read what its cookie is answered', async () => {
    const ask = await serve([LISTED]);
    const cookie = `signalbox=${tokenWith()}`;
    const answer = await ask('GET', '/history?channel=sport', { origin: LISTED, cookie });
    expect([answer.status, answer.headers.get('access-control-allow-credentials')]).toEqual([200, 'true']);
  });

  test('says nothing where no credential is for', async () => {
    const ask = await serve([LISTED, '*']);
    for (const path of OPEN) {
      for (const method of ['GET', 'OPTIONS']) {
        expect([path, corsOf(await ask(method, path, { origin: LISTED }))]).toEqual([path, {}]);
      }
    }
  });
});

describe('what depends on who asks', () => {
  const authorization = `Bearer ${API_KEY}`;
  const token = `Bearer ${tokenWith()}`;

  test.each<[string, string, string, Record<string, string>, number]>([
    ['let in', 'GET', '/history?channel=sport', { authorization: token }, 200],
    ['without a credential', 'GET', '/history?channel=sport', {}, 401],
    ['that is not allowed', 'GET', '/history?channel=secret', { authorization: token }, 403],
    ['that cannot be read', 'GET', '/history?after=x', { authorization: token }, 400],
    ['let in', 'POST', '/ticket', { authorization: token }, 201],
    ['without a credential', 'POST', '/ticket', JSON_TYPE, 401],
    ['of another type', 'POST', '/ticket', {}, 415],
    ['without a credential', 'POST', '/publish', JSON_TYPE, 401],
    ['of another type', 'POST', '/publish', { authorization }, 415],
    ['that cannot be read', 'POST', '/publish', { authorization, ...JSON_TYPE }, 400],
    ['that cannot be read', 'POST', '/message', { authorization, ...JSON_TYPE }, 400],
    ['by another method', 'PUT', '/publish', { authorization }, 405],
    ['by another method', 'DELETE', '/history', { authorization: token }, 405],
  ])('is kept by nobody in between: %s, %s %s', async (_, method, path, headers, status) => {
    const ask = await serve([]);
    const answer = await ask(method, path, headers);
    expect([answer.status, ...keepingOf(answer)]).toEqual([status, ...PRIVATE]);
  });

  test.each<[string, number, Partial<HttpDeps>]>([
    ['{"channel":"c","data":1}', 201, {}],
    ['{"channel":"c"}', 422, {}],
    ['{"channel":"c","data":1}', 413, { maxBodyBytes: 10 }],
    ['{"channel":"c","data":1}', 503, { publish: async () => Promise.reject(new Error('away')) }],
    [
      '{"channel":"c","data":1}',
      500,
      {
        publish: async () => Promise.reject(new Error('away')),
        isUnknown: () => {
          throw new Error('a bug');
        },
      },
    ],
  ])('is kept by nobody in between: POST /publish of %s, which is %d', async (body, status, overrides) => {
    const { http, url } = await serveHttp(overrides);
    running.push(http);
    const answer = await fetch(`${url}/publish`, {
      method: 'POST',
      body,
      headers: { authorization, ...JSON_TYPE },
    });
    expect([answer.status, ...keepingOf(answer)]).toEqual([status, ...PRIVATE]);
  });
});

describe('the methods of a path', () => {
  test.each([
    ['/', 'GET, HEAD, OPTIONS'],
    ['/health', 'GET, HEAD, OPTIONS'],
    ['/ready', 'GET, HEAD, OPTIONS'],
    ['/openapi.json', 'GET, HEAD, OPTIONS'],
    ['/history', 'GET, HEAD, OPTIONS'],
    ['/publish', 'POST, OPTIONS'],
    ['/message', 'POST, OPTIONS'],
    ['/ticket', 'POST, OPTIONS'],
  ])('OPTIONS %s is 204 with Allow: %s', async (path, allow) => {
    const ask = await serve([]);
    const answer = await ask('OPTIONS', path);
    expect([answer.status, sorted(answer.headers.get('allow')), await answer.text()]).toEqual([
      204,
      sorted(allow),
      '',
    ]);
  });

  test.each([
    ['GET', '/publish'],
    ['PUT', '/publish?a=1'],
    ['DELETE', '/ticket'],
    ['POST', '/history'],
    ['POST', '/'],
    ['PROPFIND', '/'],
    ['PATCH', '/openapi.json'],
  ])('%s %s is 405 with those that there are', async (method, path) => {
    const ask = await serve([]);
    const answer = await ask(method, path);
    const options = await ask('OPTIONS', path);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, options.headers.get('allow')]);
    expect(await answer.json()).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  test('of what is answered to GET, HEAD is answered alike, without a body', async () => {
    const ask = await serve([]);
    for (const path of [
      '/',
      '/front.css',
      '/favicon.svg',
      '/openapi.json',
      '/health',
      '/history?channel=sport',
    ]) {
      const headers = { authorization: `Bearer ${tokenWith()}` };
      const [get, head] = [await ask('GET', path, headers), await ask('HEAD', path, headers)];
      const same = ['content-type', 'cache-control', 'vary', 'content-security-policy', 'content-length'];
      expect([path, head.status, ...same.map((name) => head.headers.get(name))]).toEqual([
        path,
        200,
        ...same.map((name) => get.headers.get(name)),
      ]);
      expect(await head.text()).toBe('');
    }
  });
});

const PRIVATE = ['private, no-store', 'Accept, Origin, Cookie, Authorization'];
const keepingOf = ({ headers }: Response) => [headers.get('cache-control'), headers.get('vary')];
const sorted = (list: string | null): string[] => (list ?? '').split(', ').sort();
