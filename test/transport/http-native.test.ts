import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogged } from '../support/logged.ts';
import { streamId } from '../../src/event/stream-id.ts';
import type { Http, HttpDeps } from '../../src/transport/http.ts';
import type { HttpPublication } from '../../src/transport/http-publish.ts';
import { API_KEY, serveHttp } from '../support/http-surface.ts';
import { ticketOf, tokenWith } from '../support/native-auth.ts';
import { nativeHttp } from '../support/native-http.ts';

const running: Http[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

async function serve(overrides: Partial<HttpDeps> = {}) {
  const published: HttpPublication[] = [];
  const { http, url } = await serveHttp({
    publish: async (publications) =>
      publications.map((one) => {
        published.push(one);
        return { id: streamId(1, published.length) };
      }),
    ...overrides,
  });
  running.push(http);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init);
    const body: unknown = await response.json();
    return { status: response.status, headers: response.headers, body };
  };
  const post = (path: string, body: unknown, token = API_KEY, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
  return { published, post, ask };
}

describe('POST /publish', () => {
  test('of a list publishes in order, each with its data as it came', async () => {
    const { post, published } = await serve();
    const body = '[ {"channel":"a","data": {"n":1.0}} ,{"channel":"user:5","topic":"t","data":[1, 2]}]';
    expect(await post('/publish', body)).toMatchObject({ status: 201, body: [{ id: '1-1' }, { id: '1-2' }] });
    expect(published.map(({ channel, data }) => `${channel} ${data}`)).toEqual([
      'a {"n":1.0}',
      'user:5 [1, 2]',
    ]);
  });

  test('is 207 when one of a list was refused by the broker', async () => {
    const { post } = await serve({
      publish: async () => [{ id: streamId(1, 0) }, { error: new Error('WRONGTYPE') }],
    });
    const list = [
      { channel: 'a', data: 1 },
      { channel: 'b', data: 1 },
    ];
    expect(await post('/publish', list)).toMatchObject({
      status: 207,
      body: [{ id: '1-0' }, { code: 'unavailable' }],
    });
  });

  test('is 422 with the place in the list, for a list that is empty, and for one that is too long', async () => {
    const { post, published } = await serve();
    const one = { channel: 'a', data: 1 };
    expect(await post('/publish', [one, { channel: 'a b', data: 1 }])).toMatchObject({
      status: 422,
      body: { problems: [{ path: [1, 'channel'] }] },
    });
    expect((await post('/publish', [])).status).toBe(422);
    expect((await post('/publish', [one, one, one, one])).status).toBe(422);
    expect(published).toEqual([]);
  });

  test('takes a token that may publish there, for its own keys', async () => {
    const { post, published } = await serve();
    const event = { channel: 'chat', data: 1, key: 'k', snapshot: true };
    expect((await post('/publish', event, tokenWith())).status).toBe(201);
    expect((await post('/publish', event)).status).toBe(201);
    const [own, byKey] = published.map(({ key }) => key);
    expect(own).not.toBe(byKey);
    expect(published[0]?.snapshot).toBe(true);
  });

  test('takes one key on two channels for two', async () => {
    const { post, published } = await serve();
    const events = ['chat', 'sport'].map((channel) => ({ channel, data: 1, key: 'k' }));
    expect((await post('/publish', events)).status).toBe(201);
    expect((await post('/publish', events[0])).status).toBe(201);
    const [chat, sport, again] = published.map(({ key }) => key);
    expect(sport).not.toBe(chat);
    expect(again).toBe(chat);
  });

  test('takes a ticket, once, for the keys of its user', async () => {
    const { post, published } = await serve();
    const event = { channel: 'chat', data: 1, key: 'k' };
    expect((await post(`/publish?ticket=${ticketOf()}`, event, '')).status).toBe(201);
    expect((await post(`/publish?ticket=${ticketOf()}`, event, '')).status).toBe(401);
    expect((await post('/publish', event, tokenWith())).status).toBe(201);
    expect(published[0]?.key).toBe(published[1]?.key);
    expect(published).toHaveLength(2);
  });

  test('is 403 where a token may not publish, and 401 for one that may not at all, or a bad one', async () => {
    const { post, published } = await serve();
    expect((await post('/publish', { channel: 'sport', data: 1 }, tokenWith())).status).toBe(403);
    expect(
      (await post('/publish', { channel: 'user:5', data: 1 }, tokenWith({ publish: ['*'] }))).status,
    ).toBe(403);
    const nowhere = await post('/publish', { channel: 'chat', data: 1 }, tokenWith({ publish: [] }));
    expect(nowhere.status).toBe(401);
    expect(nowhere.body).toMatchObject({ detail: expect.stringContaining('publish nothing') });
    expect((await post('/publish', { channel: 'chat', data: 1 }, tokenWith({ exp: 1 }))).status).toBe(401);
    const cookie = { cookie: `signalbox=${tokenWith()}` };
    expect((await post('/publish', { channel: 'chat', data: 1 }, '', cookie)).status).toBe(401);
    expect(published).toEqual([]);
  });

  test('says so when nobody knows what was published', async () => {
    const { post } = await serve({
      isUnknown: () => true,
      publish: async () => {
        throw new Error('timeout');
      },
    });
    expect(await post('/publish', { channel: 'a', data: 1 })).toMatchObject({
      status: 503,
      body: { code: 'unavailable', detail: expect.stringContaining('same key') },
    });
  });
});

test('POST /message goes to the channel of its user, with an API key only', async () => {
  const { post, published } = await serve();
  const message = { username: 'bob@example.com', content: { text: 'hi' } };
  expect(await post('/message', message)).toMatchObject({ status: 200, body: { status: 'ok', id: '1-1' } });
  expect(published).toMatchObject([{ channel: 'user:bob%40example.com', topic: 'message' }]);
  expect((await post('/message', message, tokenWith({ publish: ['*'] }))).status).toBe(403);
  expect((await post('/message', { username: '', content: 1 })).status).toBe(422);
});

describe('POST /ticket', () => {
  test('gives a ticket for a token, which is good once and gives no other', async () => {
    const { post, ask } = await serve();
    const { status, body, headers } = await post('/ticket', {}, tokenWith());
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('private, no-store');
    const { ticket } = body as { ticket: string };
    expect((await ask(`/history?channel=sport&ticket=${ticket}`)).status).toBe(200);
    expect((await ask(`/history?channel=sport&ticket=${ticket}`)).status).toBe(401);
    const second = (await post('/ticket', {}, tokenWith())).body as { ticket: string };
    expect((await post(`/ticket?ticket=${second.ticket}`, {}, '')).status).toBe(403);
  });

  test('needs no body where there is a token', async () => {
    const { ask } = await serve();
    const headers = { authorization: `Bearer ${tokenWith()}` };
    expect((await ask('/ticket', { method: 'POST', headers })).status).toBe(201);
  });

  test('takes the cookie from a page of this host only, and JSON only', async () => {
    const { post, ask } = await serve();
    const cookie = `signalbox=${tokenWith()}`;
    expect((await post('/ticket', {}, '', { cookie, origin: 'https://evil.example' })).status).toBe(403);
    expect((await post('/ticket', {}, '', { cookie })).status).toBe(403);
    expect((await ask('/ticket', { method: 'POST', headers: { cookie } })).status).toBe(415);
    expect((await post('/ticket', {}, '')).status).toBe(401);
  });

  test('is 429 for a user who asks too often, and not for another', async () => {
    const { post } = await serve();
    const answers = await Promise.all(Array.from({ length: 21 }, () => post('/ticket', {}, tokenWith())));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.map(({ headers }) => headers.get('retry-after'))).toEqual(['1']);
    expect((await post('/ticket', {}, tokenWith({ sub: '6' }))).status).toBe(201);
  });
});

describe('GET /history', () => {
  const headers = { authorization: `Bearer ${tokenWith()}` };

  test('gives the events of a channel that may be subscribed, where to go on, and what is gone', async () => {
    const { ask } = await serve();
    expect(await ask('/history?channel=sport&after=1-0&limit=7', { headers })).toMatchObject({
      status: 200,
      body: {
        events: [{ type: 'event', channel: 'sport', id: '5-0', data: 7 }],
        next: '5-0',
        gap: { after: '1-0', reason: 'trimmed' },
        epoch: 'e1',
      },
    });
    expect((await ask('/history?channel=user:5', { headers })).status).toBe(200);
  });

  test.each([
    ['channel=secret', 403],
    ['channel=user:6', 403],
    ['', 400],
    ['channel=a%20b', 400],
    ['channel=user:a%20b', 400],
    ['channel=sport&after=x', 400],
    ['channel=sport&limit=0', 400],
    ['channel=sport&limit=1001', 400],
    ['channel=sport&channel=chat', 400],
  ])('with ?%s is %d', async (query, status) => {
    const { ask } = await serve();
    expect((await ask(`/history?${query}`, { headers })).status).toBe(status);
  });

  test('says what is wrong with a channel that there cannot be', async () => {
    const { ask } = await serve();
    const detail = async (query: string): Promise<unknown> =>
      (await ask(`/history?${query}`, { headers })).body;
    expect(await detail('channel=a%20b')).toMatchObject({
      detail: expect.stringContaining('"a b": expected 1 to 200'),
    });
    expect(await detail('')).toMatchObject({ detail: expect.stringContaining('?channel= is ""') });
  });

  test.each([
    [undefined, 200],
    ['forbidden', 403],
    ['unauthorized', 401],
    ['rate_limited', 429],
    ['unavailable', 503],
    ['internal', 500],
  ] as const)('where the application decides about subscriptions and says %s is %d', async (code, status) => {
    const asked: unknown[] = [];
    const { ask } = await serve({
      native: {
        ...nativeHttp(),
        decider: {
          async subscribe({ principal: { user } }, wish) {
            asked.push([user, wish]);
            return code && { code };
          },
        },
      },
    });
    expect((await ask('/history?channel=sport', { headers })).status).toBe(status);
    // Whatever the token says.
    expect((await ask('/history?channel=secret', { headers })).status).toBe(status);
    expect(asked).toEqual([
      ['5', { channel: 'sport' }],
      ['5', { channel: 'secret' }],
    ]);
    expect((await ask('/history?channel=user:5', { headers })).status).toBe(200);
    expect((await ask('/history?channel=user:6', { headers })).status).toBe(403);
    expect((await ask('/history?channel=_no', { headers })).status).toBe(400);
    expect(asked).toHaveLength(2);
  });

  test('is 503 while the broker is away, logged when that begins and when it ends', async () => {
    let away = true;
    const { logger, logged } = createLogged();
    const native = nativeHttp();
    const { ask } = await serve({
      logger,
      native: {
        ...native,
        async history(...about) {
          if (away) throw new Error('connect ECONNREFUSED');
          return native.history(...about);
        },
      },
    });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await ask('/history?channel=sport', { headers })).toMatchObject({
        status: 503,
        body: { code: 'unavailable' },
      });
    }
    away = false;
    expect((await ask('/history?channel=sport', { headers })).status).toBe(200);
    const [began, ended, ...rest] = logged;
    expect(began).toMatchObject({
      msg: 'history cannot be read; answering 503',
      err: { message: 'connect ECONNREFUSED' },
    });
    expect([ended?.['msg'], rest]).toEqual(['history can be read again', []]);
  });

  test('is 401 without a token', async () => {
    const { ask } = await serve();
    expect((await ask('/history?channel=sport')).status).toBe(401);
  });
});
