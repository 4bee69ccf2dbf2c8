import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Http, HttpDeps } from '../../src/transport/http.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { API_KEY, serveHttp } from '../support/http-surface.ts';
import { NOW_MS, tokenWith } from '../support/native-auth.ts';
import { nativeHttp } from '../support/native-http.ts';

const HISTORY = '/history?channel=sport';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

let http: Http;
let url: string;
let nowMs: number;
let metrics: CountingMetrics;

async function serve(overrides: Partial<HttpDeps> = {}): Promise<void> {
  ({ http, url } = await serveHttp({
    // Two at once, and one a second.
    limits: { requestsPerSecond: 1 },
    metrics,
    native: { ...nativeHttp(), now: () => nowMs },
    ...overrides,
  }));
}

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(url + path, { method, headers });
async function statuses(times: number, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const seen: number[] = [];
  for (let time = 0; time < times; time += 1) seen.push((await ask(path, headers, method)).status);
  return seen;
}

beforeEach(() => {
  nowMs = NOW_MS;
  metrics = new CountingMetrics();
});
afterEach(() => http.close());

describe('the limit of HTTP requests', () => {
  test('refuses a user who asks too often with when to come back, and then lets him go on', async () => {
    await serve();
    expect(await statuses(2, HISTORY, bearer(tokenWith()))).toEqual([200, 200]);
    const refused = await ask(HISTORY, bearer(tokenWith()));
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('content-type')]).toEqual(
      [429, '1', 'application/problem+json; charset=utf-8'],
    );
    expect(refused.headers.get('cache-control')).toBe('private, no-store');
    expect(await refused.json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(metrics.of('signalbox.rate_limited principal')).toBe(1);
    nowMs += 1_000;
    expect((await ask(HISTORY, bearer(tokenWith()))).status).toBe(200);
  });

  test('is each user’s own, whatever of his he asks for, by whatever credential', async () => {
    await serve();
    await ask(HISTORY, bearer(tokenWith()));
    await ask('/ticket', bearer(tokenWith()), 'POST');
    const cookie = { cookie: `signalbox=${tokenWith()}`, 'sec-fetch-site': 'same-origin' };
    expect((await ask(HISTORY, cookie)).status).toBe(429);
    expect((await ask(HISTORY, bearer(tokenWith({ sub: '6' })))).status).toBe(200);
  });

  test('counts a user’s publishes, by his token', async () => {
    await serve();
    const headers = { ...bearer(tokenWith()), 'content-type': 'application/json' };
    expect(await statuses(3, '/publish', headers, 'POST')).toEqual([400, 400, 429]);
  });

  test('counts no holder of an API key', async () => {
    await serve();
    const headers = { ...bearer(API_KEY), 'content-type': 'application/json' };
    expect(new Set(await statuses(20, '/publish', headers, 'POST'))).toEqual(new Set([400]));
  });

  test.each<[string, string, Record<string, string>, string, number]>([
    ['without a token', HISTORY, {}, 'GET', 401],
    ['with a bad token', HISTORY, bearer('x.y.z'), 'GET', 401],
    ['from another origin', HISTORY, { origin: 'https://evil.example' }, 'GET', 403],
    ['without a key', '/publish', {}, 'POST', 401],
    ['with a wrong key', '/message', bearer('not-a-key-not-a-key-not-a'), 'POST', 401],
    ['for the page', '/', {}, 'GET', 200],
    ['for the description', '/openapi.json', {}, 'GET', 200],
  ])('counts who comes %s by his address', async (_, path, headers, method, status) => {
    await serve();
    expect(await statuses(3, path, headers, method)).toEqual([status, status, 429]);
    expect(metrics.of('signalbox.rate_limited address')).toBe(1);
  });

  test('of an address is not that of the users who come from there', async () => {
    await serve();
    expect(await statuses(3, HISTORY)).toEqual([401, 401, 429]);
    expect((await ask(HISTORY, bearer(tokenWith()))).status).toBe(200);
  });

  test('is for no probe, no preflight, and nothing that is not served', async () => {
    await serve();
    for (const [path, method, status] of [
      ['/health', 'GET', 200],
      ['/ready', 'HEAD', 200],
      ['/history', 'OPTIONS', 204],
      ['/nope', 'GET', 404],
      ['/publish', 'GET', 405],
    ] as const) {
      expect([path, ...new Set(await statuses(10, path, {}, method))]).toEqual([path, status]);
    }
  });

  test('behind a proxy counts the address that the proxy says, and otherwise does not listen to it', async () => {
    await serve({ trustProxy: true });
    const from = (address: string) => ({ 'x-forwarded-for': address });
    expect(await statuses(3, '/', from('192.0.2.1'))).toEqual([200, 200, 429]);
    expect(await statuses(1, '/', from('192.0.2.9, 192.0.2.1'))).toEqual([429]);
    expect(await statuses(1, '/', from('192.0.2.2'))).toEqual([200]);
    expect(await statuses(2, '/', from('2001:db8::1'))).toEqual([200, 200]);
    expect(await statuses(1, '/', from('2001:db8::2'))).toEqual([429]);
    await http.close();
    await serve();
    expect(await statuses(2, '/', from('192.0.2.1'))).toEqual([200, 200]);
    expect(await statuses(1, '/', from('192.0.2.3'))).toEqual([429]);
  });

  test('keeps a ticket good that was presented too soon', async () => {
    await serve();
    const given = await ask('/ticket', bearer(tokenWith()), 'POST');
    const { ticket } = (await given.json()) as { ticket: string };
    await ask(HISTORY, bearer(tokenWith()));
    expect((await ask(`${HISTORY}&ticket=${ticket}`)).status).toBe(429);
    nowMs += 1_000;
    expect((await ask(`${HISTORY}&ticket=${ticket}`)).status).toBe(200);
  });

  test('of 0 is none', async () => {
    await serve({ limits: { requestsPerSecond: 0 } });
    expect(new Set(await statuses(50, '/'))).toEqual(new Set([200]));
  });
});
