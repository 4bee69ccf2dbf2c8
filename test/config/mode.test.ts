import { describe, expect, test } from '@jest/globals';
import { loaded, problems, secret } from './loading.ts';

describe('development mode', () => {
  test('is when nothing is configured: memory broker, random secret, loopback, streams', () => {
    const { mode, brokerChoice, config, warnings } = loaded({ env: { NODE_ENV: 'development', PORT: '0' } });
    expect(mode).toBe('development');
    expect(brokerChoice.name).toBe('memory');
    expect(config).toMatchObject({ host: '127.0.0.1', superset: { protocol: 'streams' } });
    expect(Buffer.byteLength(config.jwtSecret)).toBeGreaterThanOrEqual(32);
    expect(warnings).toEqual([]);
  });

  test('has another secret each time', () => {
    expect(loaded({}).config.jwtSecret).not.toBe(loaded({}).config.jwtSecret);
  });

  test.each([['localhost'], ['::1'], ['127.0.0.2']])('may listen on %s', (host) => {
    expect(loaded({ env: { SIGNALBOX_HOST: host } }).config.host).toBe(host);
  });

  test.each([['0.0.0.0'], ['::'], ['192.0.2.1'], ['127.example']])('may not listen on %s', (host) => {
    expect(problems({ env: { SIGNALBOX_HOST: host } })).toEqual([
      expect.objectContaining({ code: 'conflict', key: 'host', source: 'SIGNALBOX_HOST' }),
    ]);
  });

  test('may be asked for by the name of its broker', () => {
    const { mode, brokerChoice } = loaded({ env: { SIGNALBOX_BROKER: 'memory' } });
    expect([mode, brokerChoice.name]).toEqual(['development', 'memory']);
  });
});

describe('production mode', () => {
  test.each([
    [{ REDIS_HOST: 'r' }, 'REDIS_HOST is set'],
    [{ REDIS_URL: 'redis://r' }, 'REDIS_URL is set'],
    [{ REDIS_STREAM_PREFIX: 'p-' }, 'REDIS_STREAM_PREFIX is set'],
    [{ SIGNALBOX_API_KEYS: 'a-key-of-at-least-24-characters' }, 'SIGNALBOX_API_KEYS is set'],
    [{ NODE_ENV: 'production' }, 'NODE_ENV is production'],
    [{ SIGNALBOX_BROKER: 'redis' }, 'broker is redis in SIGNALBOX_BROKER'],
    [{ SIGNALBOX_BROKER: 'memory', NODE_ENV: 'production' }, 'broker is memory in SIGNALBOX_BROKER'],
  ])('is when %j, and then a secret is required', (env, reason) => {
    const [problem, ...others] = problems({ env });
    expect(problem).toMatchObject({ code: 'secret_missing', key: 'jwtSecret' });
    expect(problem?.got).toContain(reason);
    expect(others).toEqual([]);
    expect(loaded({ env: { ...env, JWT_SECRET: secret } }).brokerChoice.reason).not.toBe('');
  });

  test('is when there is a config file, even an empty one', () => {
    expect(problems({ config: {} })).toEqual([expect.objectContaining({ code: 'secret_missing' })]);
  });

  test('with a secret alone it takes Redis, where Superset has it', () => {
    const { mode, brokerChoice, config } = loaded({ env: { JWT_SECRET: secret } });
    expect([mode, brokerChoice.name, brokerChoice.reason]).toEqual([
      'production',
      'redis',
      'JWT_SECRET is set',
    ]);
    expect(config).toMatchObject({ host: '', redis: { host: '127.0.0.1', port: 6379 } });
  });

  test('the memory broker may be chosen, with a secret', () => {
    const { mode, brokerChoice } = loaded({ env: { SIGNALBOX_BROKER: 'memory', JWT_SECRET: secret } });
    expect([mode, brokerChoice.name]).toEqual(['production', 'memory']);
  });
});
