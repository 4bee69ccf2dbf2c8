import { afterEach, expect, test } from '@jest/globals';
import type { Http } from '../../src/transport/http.ts';
import { serveHttp } from '../support/http-surface.ts';
import { ticketOf, tokenWith } from '../support/native-auth.ts';
import { nativeAccess, nativeHttp } from '../support/native-http.ts';

const running: Http[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

test.each([
  ['revoked', true, 401, 'unauthorized'],
  ['one of which nobody knows yet whether it was', undefined, 503, 'unavailable'],
])('a token that is %s does nothing', async (_what, isRevoked, status, code) => {
  let published = 0;
  const { http, url } = await serveHttp({
    native: { ...nativeHttp(), access: nativeAccess([], () => isRevoked) },
    publish: async () => {
      published += 1;
      return [];
    },
  });
  running.push(http);
  const authorization = `Bearer ${tokenWith()}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const body = JSON.stringify({ channel: 'chat', data: 1 });
  const answers = await Promise.all([
    fetch(`${url}/publish`, { method: 'POST', headers, body }),
    fetch(`${url}/ticket`, { method: 'POST', headers, body: '{}' }),
    fetch(`${url}/history?channel=sport`, { headers: { authorization } }),
    fetch(`${url}/history?channel=sport&ticket=${ticketOf()}`),
  ]);
  for (const answer of answers) {
    expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ code })]);
  }
  expect(published).toBe(0);
});
