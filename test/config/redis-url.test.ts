import { describe, expect, test } from '@jest/globals';
import { about, loaded, problems, secret } from './loading.ts';

const redis = (url: string, more: Readonly<Record<string, string>> = {}) =>
  loaded({ env: { JWT_SECRET: secret, REDIS_URL: url, ...more } });

describe('redis.url', () => {
  test.each([
    ['redis://h', { host: 'h', port: 6379, db: 0, ssl: false, path: '' }],
    ['redis://h:7000/3', { host: 'h', port: 7000, db: 3 }],
    ['rediss://h', { host: 'h', ssl: true }],
    ['REDIS://user:p%40ss%2F@h:1', { host: 'h', port: 1, username: 'user', password: 'p@ss/' }],
    ['redis://:pw@h', { username: 'default', password: 'pw' }],
    ['redis://user@h', { username: 'user', password: '' }],
    ['redis://[2001:db8::1]:7000', { host: '2001:db8::1', port: 7000 }],
    ['redis://h/?db=4', { db: 4 }],
    ['redis://', { host: '127.0.0.1' }],
    ['unix:///run/redis%20a.sock', { path: '/run/redis a.sock', host: '127.0.0.1' }],
    ['unix://user:pw@/run/r.sock?db=2', { path: '/run/r.sock', username: 'user', password: 'pw', db: 2 }],
  ])('%s', (url, parts) => {
    expect(redis(url).config.redis).toMatchObject(parts);
  });

  test('its parts win over the keys they give, with a note, and over no others', () => {
    const { config, notes, origins } = redis('redis://h/5', {
      REDIS_HOST: 'other',
      REDIS_PORT: '7',
      REDIS_DB: '5',
    });
    expect(config.redis).toMatchObject({ host: 'h', port: 7, db: 5 });
    expect(about(notes, 'redis.host')).toEqual([expect.stringContaining('REDIS_HOST')]);
    expect(about(notes, 'redis.db')).toEqual([]);
    expect(origins.get('redis.host')).toBe('redis.url (REDIS_URL)');
  });

  test('redis:// does not turn TLS off where it was asked for', () => {
    expect(redis('redis://h', { REDIS_SSL: 'true' }).config.redis.ssl).toBe(true);
  });

  test('parameters of other clients are ignored, with a note', () => {
    const { notes } = redis('rediss://h?ssl_cert_reqs=none');
    expect(about(notes, 'redis.url')).toEqual([expect.stringContaining('ssl_cert_reqs')]);
  });

  test.each([
    'http://h',
    'h:6379',
    'redis://h:0',
    'redis://h:99999',
    'redis://h:port',
    'redis://h/one',
    'redis://h/1/2',
    'redis://u:p%@h',
    'redis://u:hunter2@with@h',
    'unix://run/redis.sock',
    'unix:///',
  ])('%s is refused, and not shown', (url) => {
    const found = problems({ env: { JWT_SECRET: secret, REDIS_URL: url } });
    expect(found).toEqual([
      expect.objectContaining({ code: 'bad_value', key: 'redis.url', source: 'REDIS_URL' }),
    ]);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});
