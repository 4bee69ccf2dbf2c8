import { totalmem } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { memoryLimitBytes } from '../../src/config/memory.ts';
import { about, loaded, problems, secret } from './loading.ts';

const env = { JWT_SECRET: secret };
const production = (more: Readonly<Record<string, string>>) => loaded({ env: { ...env, ...more } });

describe('settled details of the configuration', () => {
  test('maxSocketBufferBytes 0 means the default, with a note', () => {
    const { config, notes } = production({ MAX_SOCKET_BUFFER_BYTES: '0' });
    expect(config.maxSocketBufferBytes).toBe(1_048_576);
    expect(about(notes, 'maxSocketBufferBytes')).toEqual([expect.stringContaining('1048576')]);
  });

  test('redisStreamReadBlockMs 0 is read as 30 s, with a note', () => {
    const { config, notes } = loaded({ config: { jwtSecret: secret, redisStreamReadBlockMs: '0' } });
    expect(config.redisStreamReadBlockMs).toBe(30_000);
    expect(about(notes, 'redisStreamReadBlockMs')).toHaveLength(2);
  });

  test('redisStreamReadCount 0 means the default, with a note', () => {
    const { config, notes } = production({ REDIS_STREAM_READ_COUNT: '0' });
    expect(config.redisStreamReadCount).toBe(100);
    expect(about(notes, 'redisStreamReadCount')).toHaveLength(1);
  });

  test('a value that is not 0 has no note', () => {
    expect(production({ MAX_SOCKET_BUFFER_BYTES: '70000', REDIS_STREAM_READ_BLOCK_MS: '1' }).notes).toEqual(
      [],
    );
  });

  test.each([
    ['INFO', 'info'],
    ['Warn', 'warn'],
    [' debug ', 'debug'],
    ['silly', 'debug'],
    ['http', 'info'],
  ])('the log level %j is %s', (text, level) => {
    expect(production({ LOG_LEVEL: text }).config.logLevel).toBe(level);
    expect(loaded({ config: { jwtSecret: secret, logLevel: text } }).config.logLevel).toBe(level);
  });

  test('the cookie is named by the protocol, unless it is named', () => {
    expect(production({}).config.jwtCookieName).toBe('async-token');
    expect(production({ SIGNALBOX_SUPERSET_PROTOCOL: 'realtime' }).config.jwtCookieName).toBe(
      'superset-ws-token',
    );
    const named = { SIGNALBOX_SUPERSET_PROTOCOL: 'realtime', JWT_COOKIE_NAME: 'async-token' };
    expect(production(named).config.jwtCookieName).toBe('async-token');
  });

  test.each([
    ['20000', '20000', 1],
    ['20001', '20000', 0],
    ['10', '0', 0],
  ])('a response timeout of %s with pings every %s: %d warnings', (timeout, interval, count) => {
    const { warnings } = production({
      SOCKET_RESPONSE_TIMEOUT_MS: timeout,
      PING_SOCKETS_INTERVAL_MS: interval,
    });
    expect(about(warnings, 'socketResponseTimeoutMs')).toHaveLength(count);
  });

  test.each([
    ['true', 'false', 1],
    ['true', 'true', 0],
    ['false', 'false', 0],
  ])("Stately's inspector %s with an admin listener %s: %d warnings", (stately, admin, count) => {
    const { warnings } = production({
      SIGNALBOX_INSPECT_STATELY: stately,
      SIGNALBOX_ADMIN_ENABLED: admin,
      SIGNALBOX_ADMIN_TOKEN: 'an-admin-token-of-24-characters',
    });
    expect(about(warnings, 'inspect.stately')).toHaveLength(count);
  });

  test.each([
    ['', 'secret_missing'],
    ['too-short', 'secret_short'],
    ['with spaces between its words', 'bad_value'],
  ])('an admin listener with the token %j is refused: %s', (token, code) => {
    const found = problems({
      env: { ...env, SIGNALBOX_ADMIN_ENABLED: 'true', SIGNALBOX_ADMIN_TOKEN: token },
    });
    expect(found).toEqual([expect.objectContaining({ code, key: 'admin.token' })]);
    expect(token === '' || !JSON.stringify(found).includes(token)).toBe(true);
  });

  test.each([
    ['', 1],
    ['*', 0],
    ['https://a.example,http://b.example:8088', 0],
    ['https://a.example/', 1],
    ['a.example', 1],
    ['https://a.example:443', 1],
  ])('ALLOWED_ORIGINS=%j: %d warnings', (text, count) => {
    expect(about(production({ ALLOWED_ORIGINS: text }).warnings, 'allowedOrigins')).toHaveLength(count);
  });

  test('no origins are no warning where Superset is not served: native clients are of the same host then', () => {
    const { warnings } = production({ SIGNALBOX_SUPERSET_PROTOCOL: 'off' });
    expect(about(warnings, 'allowedOrigins')).toEqual([]);
  });

  test('all sockets together may hold a quarter of the memory limit, unless it is said', () => {
    const quarter = Math.floor(memoryLimitBytes() / 4);
    expect(production({}).config.maxTotalBufferBytes).toBe(Math.max(65_536, quarter));
    expect(memoryLimitBytes()).toBeLessThanOrEqual(totalmem());
    expect(production({ SIGNALBOX_MAX_TOTAL_BUFFER_BYTES: '65536' }).config.maxTotalBufferBytes).toBe(65_536);
  });

  test.each([
    [{ SIGNALBOX_REDIS_SENTINELS: 's:1' }, 'redis.sentinels'],
    [{ SIGNALBOX_REDIS_CLUSTER: 'a:1', REDIS_DB: '1' }, 'redis.db'],
    [{ SIGNALBOX_REDIS_CLUSTER: 'a:1', REDIS_URL: 'redis://a/1' }, 'redis.db'],
    [
      { SIGNALBOX_REDIS_CLUSTER: 'a:1', SIGNALBOX_REDIS_SENTINELS: 's:1', SIGNALBOX_REDIS_NAME: 'm' },
      'redis.sentinels',
    ],
    [{ SIGNALBOX_REDIS_CLUSTER: 'a:1', REDIS_URL: 'unix:///run/redis.sock' }, 'redis.cluster'],
  ])('%j contradicts itself', (more, key) => {
    expect(problems({ env: { ...env, ...more } })).toEqual([
      expect.objectContaining({ code: 'conflict', key }),
    ]);
  });

  test('what is loaded is frozen, to its depth', () => {
    const { config } = production({ SIGNALBOX_REDIS_CLUSTER: 'a:1' });
    expect([config, config.redis, config.redis.cluster, config.redis.cluster[0]].every(Object.isFrozen)).toBe(
      true,
    );
  });
});
