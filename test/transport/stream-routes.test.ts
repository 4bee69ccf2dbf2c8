import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import { createLogged } from '../support/logged.ts';
import type { Actors } from '../../src/actors/actors.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createRoutes } from '../../src/routes/routes.ts';
import type { Http } from '../../src/transport/http.ts';
import { sendProblem } from '../../src/transport/http-problem.ts';
import {
  type AskUpstream,
  createStreamRoutes,
  type RouteStream,
  type StreamRoutesDeps,
} from '../../src/transport/stream-routes.ts';
import { serveHttp } from '../support/http-surface.ts';
import { NOW_MS, principal, tokenWith } from '../support/native-auth.ts';
import { nativeAccess } from '../support/native-http.ts';

const running: Http[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

const clock = { path: '^/whattimeisit$', channel: 'clock' };
const captured = { path: '^/raw/([^/]+)$', channel: 'public:$1', channels: ['public:*'] };
const withToken = { path: '^/mine/(.+)$', channel: '$1', auth: 'token' };
const text = { format: 'raw', contentType: 'text/plain' };
const governed = { path: '^/app/', upstream: 'http://127.0.0.1:8000' };

interface ServeOptions extends Partial<Pick<StreamRoutesDeps, 'allowedOrigins' | 'principalOf'>> {
  readonly askUpstream?: AskUpstream;
}

/** Serves routes; a stream that is opened is answered with nothing, and remembered. */
async function serve(settings: readonly object[], options: ServeOptions = {}) {
  const opened: RouteStream[] = [];
  const { logger, logged } = createLogged();
  const access = nativeAccess();
  const { allowedOrigins = [] } = options;
  const streamRoutes = createStreamRoutes({
    routes: createRoutes(configSchema.parse({ routes: settings })),
    actorsOf: ({ settings: { source, format } }) => `${source} ${format}` as unknown as Actors,
    openStream(_request, response, stream) {
      opened.push(stream);
      response.writeHead(200, stream.headers).end(stream.prelude);
    },
    askUpstream: async (_request, response) => void response.writeHead(502).end(),
    async principalOf({ headers, url: target }, reply) {
      const found = await access.authenticate({ headers, target });
      if (Either.isRight(found)) return found.right.principal;
      void sendProblem(reply, 'unauthorized');
      return undefined;
    },
    now: () => NOW_MS,
    random: () => 0.5,
    allowedOrigins,
    logger,
    ...options,
  });
  const { http, url, port } = await serveHttp({ streamRoutes: () => streamRoutes, allowedOrigins });
  running.push(http);
  return { opened, logged, port, ask: (path: string, init?: RequestInit) => fetch(url + path, init) };
}

/** As `fetch`, which would change the path. */
const askRaw = (port: number, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

describe('routes over HTTP', () => {
  test('open a stream of their channel, with their Content-Type', async () => {
    const { ask, opened } = await serve([clock, { ...captured, format: 'raw', contentType: 'text/plain' }]);
    expect((await ask('/whattimeisit?x=1')).headers.get('content-type')).toBe('text/event-stream');
    expect((await ask('/raw/b%C3%A4h')).headers.get('content-type')).toBe('text/plain');
    expect(
      opened.map(({ actors, channels, isRaw, lifetimeMs }) => ({ actors, channels, isRaw, lifetimeMs })),
    ).toEqual([
      { actors: 'pubsub sse', channels: ['clock'], isRaw: false },
      { actors: 'pubsub raw', channels: ['public:bäh'], isRaw: true },
    ]);
  });

  test('leave alone what they do not match, and what they match of this server’s own', async () => {
    const { ask, opened, logged } = await serve([{ path: '^/(?:health|openapi.json)?$', channel: 'x' }]);
    expect([(await ask('/other')).status, await (await ask('/health')).text()]).toEqual([404, 'OK']);
    expect((await ask('/')).status).toBe(200);
    expect((await ask('/health', { method: 'POST' })).status).toBe(404);
    expect(opened).toEqual([]);
    const warned = logged.filter(({ level }) => level === 40).map(({ paths }) => paths);
    expect(warned).toEqual([expect.arrayContaining(['/health', '/openapi.json'])]);
  });

  test('say at the start who may read what without a token', async () => {
    const { logged } = await serve([clock, withToken, captured, governed]);
    expect(logged).toEqual([
      expect.objectContaining({
        msg: 'Routes that anybody may read',
        routes: ['^/whattimeisit$ clock', '^/raw/([^/]+)$ public:$1'],
      }),
    ]);
    expect((await serve([withToken])).logged).toEqual([]);
  });

  test('answer HEAD without a stream, OPTIONS with what they take, and nothing else', async () => {
    const { ask, opened } = await serve([clock]);
    const head = await ask('/whattimeisit', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(head.headers.get('cache-control')).toBe('private, no-store, no-transform');
    expect(head.headers.get('x-accel-buffering')).toBe('no');
    const options = await ask('/whattimeisit', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const post = await ask('/whattimeisit', { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect(await post.json()).toMatchObject({ code: 'method_not_allowed' });
    expect(opened).toEqual([]);
  });

  test('refuse a channel that they do not give, with a problem that does not name it', async () => {
    const { ask, port, opened } = await serve([{ ...captured, channel: '$1' }]);
    for (const name of ['private', 'user:5', 'signalbox:$all', '%70rivate']) {
      const response = await ask(`/raw/${name}`);
      expect([response.status, await response.json()]).toEqual([
        403,
        expect.objectContaining({
          code: 'forbidden',
          detail: 'This path is for no channel that may be read here.',
        }),
      ]);
    }
    expect(
      await Promise.all(
        ['//raw/x', '/raw/../x', '/raw/%2e%2e', '/raw/%C3'].map((path) => askRaw(port, path)),
      ),
    ).toEqual([400, 400, 400, 400]);
    expect(opened).toEqual([]);
  });

  test('with auth need a token that allows the channel, and end with it', async () => {
    const { ask, opened } = await serve([withToken]);
    const as = (token: string, path: string) => ask(path, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask('/mine/sport')).status).toBe(401);
    expect((await as(tokenWith(), '/mine/other')).status).toBe(403);
    expect((await as(tokenWith({ channels: ['*'] }), '/mine/user:5')).status).toBe(403);
    expect(opened).toEqual([]);
    expect((await as(tokenWith(), '/mine/public:x')).status).toBe(200);
    expect(opened).toEqual([
      expect.objectContaining({
        channels: ['public:x'],
        lifetimeMs: principal.expiresAtMs - NOW_MS,
      }),
    ]);
  });

  test('with auth tell an EventSource that nobody can be known for now to come back, and others the status', async () => {
    const { ask, opened } = await serve([withToken, { ...withToken, path: '^/text/(.+)$', ...text }], {
      async principalOf(_request, reply, later) {
        if (later === undefined) void sendProblem(reply, 'unavailable');
        else later(4_000);
        return undefined;
      },
    });
    const response = await ask('/mine/sport');
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/event-stream',
      'retry: 4000\n\n',
    ]);
    expect((await ask('/text/sport')).status).toBe(503);
    expect(opened).toEqual([]);
  });

  test('of native channels begin where the client says, the header before the parameter', async () => {
    const { ask, opened } = await serve([
      { ...clock, source: 'native' },
      { ...clock, path: '^/plain$' },
    ]);
    const headers = { 'last-event-id': 'e.5-0' };
    await ask('/whattimeisit?lastEventId=e.4-0', { headers });
    await ask('/whattimeisit?lastEventId=e.4-0');
    await ask('/whattimeisit');
    await ask('/plain', { headers });
    expect(opened.map(({ lastEventId }) => lastEventId)).toEqual(['e.5-0', 'e.4-0', undefined, undefined]);
  });

  test('let the pages of listed origins read them, with a cookie where one counts', async () => {
    const origin = 'https://app.example';
    const { ask } = await serve([clock, withToken], { allowedOrigins: [origin] });
    const headers = { origin, authorization: `Bearer ${tokenWith()}` };
    const open = (await ask('/whattimeisit', { headers })).headers;
    expect([
      open.get('access-control-allow-origin'),
      open.get('access-control-allow-credentials'),
      open.get('vary'),
    ]).toEqual([origin, null, 'Accept, Origin, Cookie, Authorization']);
    const mine = (await ask('/mine/sport', { headers })).headers;
    expect(mine.get('access-control-allow-credentials')).toBe('true');
    const other = (await ask('/whattimeisit', { headers: { origin: 'https://other.example' } })).headers;
    expect(other.get('access-control-allow-origin')).toBeNull();
  });

  describe('with an upstream', () => {
    test('ask it, whatever the method is, and open the stream that it names', async () => {
      const asked: string[] = [];
      const { ask, opened } = await serve([governed], {
        async askUpstream({ method, url }, _response, { settings }, open) {
          asked.push(`${method} ${url} ${settings.upstream}`);
          open({ channels: ['a', 'b'], headers: { 'x-app': '1' }, prelude: Buffer.from('data: 0\n\n') });
        },
      });
      const response = await ask('/app/x?y', { method: 'POST', body: 'z' });
      expect([response.headers.get('x-app'), await response.text()]).toEqual(['1', 'data: 0\n\n']);
      expect(asked).toEqual(['POST /app/x?y http://127.0.0.1:8000']);
      expect(opened.map(({ channels }) => channels)).toEqual([['a', 'b']]);
    });

    test('leave the answer to it', async () => {
      const { ask, opened } = await serve([governed]);
      expect([(await ask('/app/x')).status, opened]).toEqual([502, []]);
    });

    test('and auth ask it only for who has a token', async () => {
      const { ask } = await serve([{ ...governed, auth: 'token' }]);
      expect((await ask('/app/x')).status).toBe(401);
      const headers = { authorization: `Bearer ${tokenWith()}` };
      expect((await ask('/app/x', { headers })).status).toBe(502);
    });

    test('cut the connection when that fails, and say so', async () => {
      const { ask, logged } = await serve([governed], {
        askUpstream: () => Promise.reject(new Error('a bug')),
      });
      await expect(ask('/app/x')).rejects.toThrow('fetch failed');
      expect(logged).toEqual([
        expect.objectContaining({ level: 50, err: expect.objectContaining({ message: 'a bug' }) }),
      ]);
    });
  });
});
