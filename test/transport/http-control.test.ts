import { afterEach, describe, expect, test } from '@jest/globals';
import type { Target } from '../../src/protocol/native/target.ts';
import type { Http, HttpDeps } from '../../src/transport/http.ts';
import { API_KEY, serveHttp } from '../support/http-surface.ts';
import { tokenWith } from '../support/native-auth.ts';

const running: Http[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

type Done = readonly [target: Target, word?: string | undefined, data?: string | undefined];

async function serve(overrides: Partial<HttpDeps> = {}) {
  const done: Done[] = [];
  const { http, url } = await serveHttp({
    control: {
      tell: async (...tell) => void done.push(tell),
      async end(...end) {
        done.push(end);
        return { closed: 2, unconfirmed: ['other:1'] };
      },
    },
    ...overrides,
  });
  running.push(http);
  /** A header that is empty is left out. */
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const all = { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}`, ...headers };
    const response = await fetch(url + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: Object.entries(all).filter(([, value]) => value !== ''),
    });
    const answer: unknown = await response.json();
    return { status: response.status, headers: response.headers, body: answer };
  };
  return { done, post };
}

describe('POST /tell', () => {
  test.each<Target>([
    { user: 'bob@example.com' },
    { session: 'x 1' },
    { socket: '7d8e' },
    { channel: 'user:bob%40example.com' },
    { everyone: true },
  ])('to %j is 202, with its data as it came', async (target) => {
    const { post, done } = await serve();
    const text = `{"topic":"hi", "data": {"n":1.0, "big":12345678901234567890}, ${JSON.stringify(target).slice(1)}`;
    const answer = await post('/tell', text);
    expect(answer).toMatchObject({ status: 202, body: { status: 'ok' } });
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(done).toEqual([[target, 'hi', '{"n":1.0, "big":12345678901234567890}']]);
  });

  test('may have no data', async () => {
    const { post, done } = await serve();
    await post('/tell', { user: '5', topic: 'hi' });
    expect(done).toEqual([[{ user: '5' }, 'hi', undefined]]);
  });

  test('with more than is kept for reconnecting instances is 413', async () => {
    const { post, done } = await serve();
    const tell = (length: number) => post('/tell', { user: '5', topic: 'hi', data: 'x'.repeat(length - 2) });
    expect(await tell(65_537)).toMatchObject({ status: 413, body: { code: 'too_large' } });
    expect((await tell(65_536)).status).toBe(202);
    expect(done).toHaveLength(1);
  });

  test.each([
    ['nobody', { topic: 'hi' }, ['']],
    ['two', { topic: 'hi', user: '5', socket: 's' }, ['']],
    ['not everyone', { topic: 'hi', everyone: false }, ['everyone']],
    ['no topic', { user: '5' }, ['topic']],
    ['two, of which one is no text', { topic: 'hi', user: 5, session: 's' }, ['user', '']],
    ['a bad one of each', { user: 'a\n', topic: 'gap', extra: 1 }, ['user', 'topic', '']],
  ])('to %s is 422, with all that is wrong', async (_what, body, paths) => {
    const { post, done } = await serve();
    const answer = await post('/tell', body);
    expect(answer.status).toBe(422);
    const { problems } = answer.body as { problems: { path: string[] }[] };
    expect(problems.map(({ path }) => path.join('.')).toSorted()).toEqual(paths.toSorted());
    expect(done).toEqual([]);
  });
});

describe('POST /disconnect', () => {
  test('is 200 with how many were closed, and who did not answer', async () => {
    const { post, done } = await serve();
    expect(await post('/disconnect', { user: '5', reason: 'signed out' })).toMatchObject({
      status: 200,
      body: { closed: 2, unconfirmed: ['other:1'] },
    });
    await post('/disconnect', { session: 'x' });
    await post('/disconnect', { socket: 's' });
    await post('/disconnect', { channel: 'sport' });
    expect(done).toEqual([
      [{ user: '5' }, 'signed out'],
      [{ session: 'x' }, undefined],
      [{ socket: 's' }, undefined],
      [{ channel: 'sport' }, undefined],
    ]);
  });

  test.each([
    ['everyone', { everyone: true }],
    ['nobody', {}],
    ['a reason that no close frame has room for', { user: '5', reason: 'x'.repeat(124) }],
    ['a reason that is not printable', { user: '5', reason: 'é' }],
    ['a channel that is none', { channel: 'a b' }],
    ['a user who is no text', { user: 5 }],
  ])('of %s is 422', async (_what, body) => {
    const { post, done } = await serve();
    expect((await post('/disconnect', body)).status).toBe(422);
    expect(done).toEqual([]);
  });
});

describe.each(['/tell', '/disconnect'])('POST %s', (path) => {
  const body = path === '/tell' ? { user: '5', topic: 'hi' } : { user: '5' };

  test('takes an API key for what is done to others, and neither a token nor a cookie', async () => {
    const { post, done } = await serve();
    const token = tokenWith({ publish: ['*'] });
    for (const headers of [
      { authorization: '' },
      { authorization: '', cookie: `signalbox=${token}` },
      { authorization: `Bearer ${API_KEY}x` },
    ]) {
      const answer = await post(path, body, headers);
      // A client may tell the application, but by a cookie only from its own page.
      const isFromNowhere = path === '/tell' && 'cookie' in headers;
      expect(answer.body).toMatchObject({ code: isFromNowhere ? 'forbidden' : 'unauthorized' });
      expect(answer.headers.get('www-authenticate')).toBe(isFromNowhere ? null : 'Bearer');
    }
    const asUser = await post(path, body, { authorization: `Bearer ${token}` });
    expect(asUser).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(done).toEqual([]);
  });

  test('is for this machine’s own pages in development mode', async () => {
    const { post, done } = await serve({ mode: 'development' });
    expect((await post(path, body, { authorization: '', origin: 'https://evil.example' })).status).toBe(403);
    expect((await post(path, body, { authorization: `Bearer ${tokenWith()}` })).status).toBe(403);
    expect(done).toEqual([]);
    expect((await post(path, body, { authorization: '' })).status).toBeLessThan(300);
    expect(done).toHaveLength(1);
  });

  test('is 400 for what is no JSON, 415 for another type', async () => {
    const { post } = await serve();
    expect((await post(path, '{')).status).toBe(400);
    expect((await post(path, body, { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('is 503 when the broker did not confirm it', async () => {
    const away = async () => {
      throw new Error('away');
    };
    const { post } = await serve({ control: { tell: away, end: away } });
    expect(await post(path, body)).toMatchObject({
      status: 503,
      body: { code: 'unavailable', detail: expect.stringContaining('may be repeated') },
    });
  });
});
