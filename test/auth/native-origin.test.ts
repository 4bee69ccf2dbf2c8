import { describe, expect, test } from '@jest/globals';
import { isAllowedNativeOrigin } from '../../src/auth/native-origin.ts';

const HOST = 'push.example.com';
const app = 'https://app.example.com';
const same = `https://${HOST}`;
const isAllowed = (
  origin: string | undefined,
  allowed: readonly string[],
  withCookie: boolean,
  more: Readonly<Record<string, string>> = {},
) =>
  isAllowedNativeOrigin(
    { host: HOST, ...(origin !== undefined && { origin }), ...more },
    { allowed, withCookie },
  );

describe('the origin of a native client', () => {
  test.each([same, `http://${HOST}`])('may be %s, the very host, when none are listed', (origin) => {
    expect([isAllowed(origin, [], true), isAllowed(origin, [], false)]).toEqual([true, true]);
  });

  test.each([
    app,
    'null',
    '',
    `https://${HOST}:8443`,
    `https://${HOST}/`,
    `https://${HOST}.evil.example`,
    `https://evil.example?${HOST}`,
    `ftp://${HOST}`,
    `chrome-extension://${HOST}`,
    HOST,
  ])('is not %j when none are listed', (origin) => {
    expect([isAllowed(origin, [], true), isAllowed(origin, [], false)]).toEqual([false, false]);
  });

  test('is the host with or without its default port', () => {
    expect(isAllowed('https://a.example', [], true, { host: 'a.example:443' })).toBe(true);
    expect(isAllowed('http://a.example', [], true, { host: 'A.example:80' })).toBe(true);
    expect(isAllowed('http://a.example', [], true, { host: 'a.example:443' })).toBe(false);
    expect(isAllowed('http://[::1]:8080', [], true, { host: '[::1]:8080' })).toBe(true);
    expect(isAllowedNativeOrigin({ origin: same }, { allowed: [], withCookie: false })).toBe(false);
  });

  test('is one of the list where there is one, letter by letter, and no other', () => {
    expect(isAllowed(app, [app], true)).toBe(true);
    expect(isAllowed(`${app}:443`, [app], true)).toBe(false);
    expect(isAllowed(same, [app], true)).toBe(false);
  });

  test('may be left out by who has no cookie: that is no page', () => {
    expect([isAllowed(undefined, [], false), isAllowed(undefined, [app], false)]).toEqual([true, true]);
    expect([isAllowed(undefined, [], true), isAllowed(undefined, [app], true)]).toEqual([false, false]);
  });

  test('is left out by browsers for a GET of the same origin, which they say in another header', () => {
    expect(isAllowed(undefined, [], true, { 'sec-fetch-site': 'same-origin' })).toBe(true);
    expect(isAllowed(undefined, [], true, { 'sec-fetch-site': 'same-site' })).toBe(false);
    expect(isAllowed(undefined, [], true, { 'sec-fetch-site': 'cross-site' })).toBe(false);
    expect(isAllowed(undefined, [], true, { 'sec-fetch-site': 'none' })).toBe(false);
  });

  test('may be any with `*`, but not with a cookie, which the browser would send for every page', () => {
    expect(isAllowed(app, ['*'], false)).toBe(true);
    expect(isAllowed(app, ['*'], true)).toBe(false);
    expect(isAllowed(same, ['*'], true)).toBe(true);
    expect(isAllowed(app, ['*', app], true)).toBe(true);
    expect(isAllowed('*', ['*'], true)).toBe(false);
  });
});
