import { afterEach, describe, expect, test } from '@jest/globals';
import type { Answer, Decider, Peer, Refusal, Saying } from '../../src/decider/decider.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';
import { ERRORS, type ErrorCode } from '../../src/protocol/native/error-codes.ts';
import type { Http } from '../../src/transport/http.ts';
import type { NativeHttpDeps } from '../../src/transport/http-native.ts';
import { serveHttp } from '../support/http-surface.ts';
import { ticketOf, tokenWith } from '../support/native-auth.ts';
import { nativeHttp } from '../support/native-http.ts';

const running: Http[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

type Headers = Readonly<Record<string, string>>;

const OF_TOKEN: Headers = { authorization: `Bearer ${tokenWith()}`, 'content-type': 'application/json' };
const OF_COOKIE: Headers = { cookie: `signalbox=${tokenWith()}`, 'content-type': 'application/json' };

async function serve(decider: Pick<Decider, 'ask' | 'tell'>, more: Partial<NativeHttpDeps> = {}) {
  const { http, url } = await serveHttp({ native: { ...nativeHttp(), decider, ...more } });
  running.push(http);
  return async (path: string, body: unknown, headers: Headers = OF_TOKEN, signal?: AbortSignal) => {
    const response = await fetch(url + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers,
      ...(signal && { signal }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as unknown };
  };
}

/** What an application was asked, and what it answers. */
function application(answer: Answer | Refusal = { data: '1' as RawJson }) {
  const heard: (Saying & { readonly user: string })[] = [];
  const note = ({ principal }: Peer, saying: Saying) => heard.push({ user: principal.user, ...saying });
  const decider: Pick<Decider, 'ask' | 'tell'> = {
    async ask(peer, ask) {
      note(peer, ask);
      return answer;
    },
    async tell(peer, tell) {
      note(peer, tell);
      return 'code' in answer ? answer : undefined;
    },
  };
  return { heard, decider };
}

describe('POST /ask', () => {
  test('is answered by the application, byte for byte in both directions', async () => {
    const data = '{"n":1.0, "big":12345678901234567890}';
    const { heard, decider } = application({ data: data as RawJson });
    const post = await serve(decider);
    const answer = await post('/ask', `{"topic":"price", "data": ${data}}`);
    expect(answer).toMatchObject({ status: 200, text: `{"data":${data}}` });
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(heard).toEqual([{ user: '5', topic: 'price', data }]);
  });

  test('is given up when nobody waits for it any more', async () => {
    const controller = new AbortController();
    let told = (_reason: unknown): void => {};
    const aborted = new Promise((resolve) => {
      told = resolve;
    });
    const post = await serve(
      {
        ask: (_peer, _ask, signal) =>
          new Promise(() => {
            signal.addEventListener('abort', () => told(signal.aborted));
            controller.abort();
          }),
      },
      { askTimeoutMs: 60_000 },
    );
    const asked = post('/ask', { topic: 'price' }, OF_TOKEN, controller.signal);
    await expect(asked).rejects.toThrow('abort');
    expect(await aborted).toBe(true);
  });

  test('is 504 when there was no answer in time, and then the application is told so', async () => {
    const happened: string[] = [];
    const post = await serve({
      ask: (_peer, _ask, signal) =>
        new Promise(() => signal.addEventListener('abort', () => happened.push('aborted'))),
    });
    expect(await post('/ask', { topic: 'price' })).toMatchObject({ status: 504, body: { code: 'timeout' } });
    expect(happened).toEqual(['aborted']);
  });

  test('is 429 for a user who has as many under way as it may, and for nobody else', async () => {
    const waiting: ((answer: Answer) => void)[] = [];
    let begun = (): void => {};
    const post = await serve(
      {
        ask: () =>
          new Promise((resolve) => {
            waiting.push(resolve);
            begun();
          }),
      },
      { askTimeoutMs: 60_000 },
    );
    const next = () =>
      new Promise<void>((resolve) => {
        begun = resolve;
      });
    const asked: Promise<{ status: number }>[] = [];
    for (const headers of [OF_TOKEN, OF_TOKEN]) {
      const reached = next();
      asked.push(post('/ask', { topic: 'price' }, headers));
      await reached;
    }
    const refused = await post('/ask', { topic: 'price' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    const reached = next();
    asked.push(
      post('/ask', { topic: 'price' }, { ...OF_TOKEN, authorization: `Bearer ${tokenWith({ sub: '6' })}` }),
    );
    await reached;
    for (const answer of waiting) answer({ data: '1' as RawJson });
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const again = next();
    const last = post('/ask', { topic: 'price' });
    await again;
    waiting.at(-1)?.({ data: '2' as RawJson });
    expect((await last).text).toBe('{"data":2}');
  });
});

describe.each(['/ask', '/tell'])('POST %s', (path) => {
  test('takes a token, a ticket that was not used, and a cookie from a page of its own', async () => {
    const { heard, decider } = application();
    const post = await serve(decider);
    const json = { 'content-type': 'application/json' };
    const query = `${path}?ticket=${ticketOf()}`;
    const statuses: number[] = [];
    for (const [target, headers] of [
      [path, OF_TOKEN],
      [query, json],
      [query, json],
      [path, { ...OF_COOKIE, 'sec-fetch-site': 'same-origin' }],
      [path, OF_COOKIE],
      [path, { ...OF_COOKIE, origin: 'https://evil.example' }],
      [path, { ...OF_COOKIE, 'sec-fetch-site': 'same-origin', 'content-type': 'text/plain' }],
      [path, json],
    ] as const) {
      statuses.push((await post(target, { topic: 'liked' }, headers)).status);
    }
    expect(statuses).toEqual([200, 200, 401, 200, 403, 403, 415, 401]);
    expect(heard.map(({ user }) => user)).toEqual(['5', '5', '5']);
  });

  test('is 404 where nobody answers', async () => {
    const post = await serve({});
    expect(await post(path, { topic: 'liked' })).toMatchObject({ status: 404, body: { code: 'no_handler' } });
  });

  test.each(Object.keys(ERRORS) as ErrorCode[])('has a status for a refusal with %s', async (code) => {
    const { decider } = application({ code, message: 'Because.' });
    const post = await serve(decider);
    const answer = await post(path, { topic: 'liked' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).toMatchObject({ status: answer.status, detail: 'Because.' });
  });

  test.each([
    ['no topic', {}, 422],
    ['a topic that is none', { topic: '$x' }, 422],
    ['something else', { topic: 'a', other: 1 }, 422],
    ['what is no JSON', '{', 400],
  ])('with %s is refused, and the application hears nothing', async (_, body, status) => {
    const { heard, decider } = application();
    const post = await serve(decider);
    expect((await post(path, body)).status).toBe(status);
    expect(heard).toEqual([]);
  });
});

test('POST /tell of a client answers once the application has it, and reaches nobody else', async () => {
  const { heard, decider } = application();
  const post = await serve(decider);
  expect(await post('/tell', '{"topic":"liked","data":{"n":1.0}}')).toMatchObject({
    status: 200,
    body: { status: 'ok' },
  });
  expect((await post('/tell', { topic: 'liked', everyone: true })).status).toBe(403);
  expect(heard).toEqual([{ user: '5', topic: 'liked', data: '{"n":1.0}' }]);
});
