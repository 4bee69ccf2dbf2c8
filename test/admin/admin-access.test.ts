import { describe, expect, test } from '@jest/globals';
import { AdminAccess, isOwnPage } from '../../src/admin/admin-access.ts';

const TOKEN = 'correct horse battery staple';
const HOUR_MS = 3_600_000;

describe('access to the admin listener', () => {
  const accessAt = (clock: { nowMs: number }, token = TOKEN): AdminAccess =>
    new AdminAccess({ token, now: () => clock.nowMs });
  const cookieOf = (setCookie: string): string => setCookie.split(';')[0] as string;

  test('has who knows the token, as Bearer', () => {
    const access = accessAt({ nowMs: 0 });
    const key = 'some-key-that-is-long-enough';
    const judged = accessAt({ nowMs: 0 }, key).judgeBearer(`Bearer ${key}`, '10.0.0.1');
    expect(judged).toBe('right');
    expect(access.judgeBearer('Bearer other', '10.0.0.1')).toBe('wrong');
    expect(access.judgeBearer('Basic abc', '10.0.0.1')).toBeUndefined();
    expect(access.judgeBearer(undefined, '10.0.0.1')).toBeUndefined();
  });

  test('has who has logged in, for twelve hours, at every process with this token and at none with another', () => {
    const clock = { nowMs: 1_000_000 };
    const setCookie = accessAt(clock).login(false);
    expect(setCookie).toMatch(/^signalbox-admin-[0-9a-f]{8}=\d+\.[\w-]{43}; /);
    expect(setCookie).toContain('HttpOnly');
    expect(setCookie).toContain('SameSite=Strict');
    expect(setCookie).toContain('Path=/inspect');
    expect(setCookie).not.toContain('Secure');
    expect(setCookie).not.toContain(TOKEN);
    const cookie = `other=1; ${cookieOf(setCookie)}`;
    const another = accessAt(clock);
    expect(another.isLoggedIn({ cookie })).toBe(true);
    clock.nowMs += 12 * HOUR_MS - 1;
    expect(another.isLoggedIn({ cookie })).toBe(true);
    clock.nowMs += 1;
    expect(another.isLoggedIn({ cookie })).toBe(false);
    const foreign = accessAt({ nowMs: 1_000_000 }, `${TOKEN}!`);
    const renamed = cookie.replace(/signalbox-admin-\w+/, foreign.cookieName);
    expect(foreign.isLoggedIn({ cookie: renamed })).toBe(false);
  });

  test('is not to be had by a cookie that was changed or made up', () => {
    const access = accessAt({ nowMs: 1_000_000 });
    const cookie = cookieOf(access.login(true));
    const [name, value = ''] = cookie.split('=');
    const [until = '', seal = ''] = value.split('.');
    const later = String(Number(until) + 1);
    for (const bad of [
      '',
      `${later}.${seal}`,
      `${until}.${'A'.repeat(43)}`,
      until,
      `.${seal}`,
      `${until}.`,
    ]) {
      expect(access.isLoggedIn({ cookie: `${name}=${bad}` })).toBe(false);
    }
    expect(access.isLoggedIn({})).toBe(false);
    expect(access.isLoggedIn({ cookie })).toBe(true);
    expect(access.login(true)).toContain('Secure');
  });

  test('is asked for by guessing only so often; the right token is never held up by it', () => {
    const clock = { nowMs: 0 };
    const access = accessAt(clock);
    const judged = Array.from({ length: 12 }, (_, at) => access.judge(`guess ${at}`, '10.0.0.1'));
    expect(judged.filter((one) => one === 'wrong')).toHaveLength(10);
    expect(judged.at(-1)).toEqual({ waitMs: 5000 });
    expect(access.judge('guess', '10.0.0.2')).toBe('wrong');
    expect(access.judge(TOKEN, '10.0.0.1')).toBe('right');
  });
});

describe('a change', () => {
  test.each([
    [{ host: 'box:8090', origin: 'http://box:8090', 'sec-fetch-site': 'same-origin' }, true],
    [{ host: 'box:8090', origin: 'https://box:8090' }, true],
    [{ host: 'box:8090' }, true],
    [{ host: 'box:8090', 'sec-fetch-site': 'none' }, true],
    [{ host: 'box:8090', origin: 'http://box:8091' }, false],
    [{ host: 'box:8090', origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }, false],
    [{ host: 'box:8090', 'sec-fetch-site': 'same-site' }, false],
    // nginx names the address that it passes on to, unless it is told otherwise.
    [{ host: '127.0.0.1:8090', origin: 'https://ops.example', 'sec-fetch-site': 'same-origin' }, true],
    [{ host: 'box:8090', origin: 'null' }, false],
  ])('with %j is taken: %s', (headers, isTaken) => {
    expect(isOwnPage(headers)).toBe(isTaken);
  });
});
