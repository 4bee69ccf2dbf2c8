import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { about, folder, loaded, problems, secret } from './loading.ts';

/** As Superset ships it, with a secret that is long enough. */
const supersetExample = {
  port: 8080,
  logLevel: 'info',
  logToFile: false,
  logFilename: 'app.log',
  statsd: { host: '127.0.0.1', port: 8125, globalTags: [] },
  redis: { port: 6379, host: '127.0.0.1', password: '', db: 0, ssl: false },
  redisStreamPrefix: 'async-events-',
  jwtAlgorithms: ['HS256'],
  jwtSecret: 'CHANGE-ME-IN-PRODUCTION-GOTTA-BE-LONG-AND-SECRET',
  jwtCookieName: 'async-token',
};

/** Every key the streams sidecar had. */
const supersetEverything = {
  ...supersetExample,
  redis: { ...supersetExample.redis, username: 'default', validateHostname: false },
  redisStreamReadCount: 100,
  redisStreamReadBlockMs: 5000,
  jwtChannelIdKey: 'channel',
  allowedOrigins: ['https://superset.example.com'],
  socketResponseTimeoutMs: 60_000,
  pingSocketsIntervalMs: 20_000,
  gcChannelsIntervalMs: 120_000,
  maxSocketBufferBytes: 0,
  eventYieldBatchSize: 100,
  maxConnectionsPerChannel: 0,
  maxTotalConnections: 0,
};

describe('config file', () => {
  test.each([
    ['example', supersetExample],
    ['file with every key', supersetEverything],
  ])("Superset's %s is taken as it is", (_, config) => {
    const result = loaded({ config });
    expect(result.mode).toBe('production');
    expect(result.brokerChoice.name).toBe('redis');
    expect(result.config.redis.host).toBe('127.0.0.1');
  });

  test("Superset's example with its own secret has one problem: the secret", () => {
    expect(problems({ config: { ...supersetExample, jwtSecret: 'CHANGE-ME' } })).toEqual([
      expect.objectContaining({ code: 'secret_short', key: 'jwtSecret', source: 'config.json' }),
    ]);
  });

  test('the environment wins over it, key by key, and it over the defaults', () => {
    const config = { jwtSecret: secret, redis: { host: 'from-file', db: 2 }, port: 1111 };
    const result = loaded({ config, env: { REDIS_HOST: 'from-env', PORT: '2222' } });
    expect(result.config.redis).toMatchObject({ host: 'from-env', db: 2, port: 6379 });
    expect(result.config.port).toBe(2222);
    expect(['redis.host', 'redis.db', 'redis.port'].map((key) => result.origins.get(key))).toEqual([
      'REDIS_HOST',
      'config.json',
      'default',
    ]);
  });

  test('no config.json is nothing to talk about', () => {
    expect(loaded({ env: { JWT_SECRET: secret } }).file).toBeUndefined();
  });

  test('the command line names another, before SIGNALBOX_CONFIG', () => {
    const cwd = folder({ port: 1 });
    writeFileSync(join(cwd, 'a.json'), JSON.stringify({ jwtSecret: secret, port: 2 }));
    writeFileSync(join(cwd, 'b.json'), JSON.stringify({ jwtSecret: secret, port: 3 }));
    const env = { SIGNALBOX_CONFIG: 'a.json' };
    expect(loaded({ cwd, env }).config.port).toBe(2);
    expect(loaded({ cwd, env, file: 'b.json' }).config.port).toBe(3);
  });

  test('one that is named and missing is an error, and the only one', () => {
    expect(problems({ env: { SIGNALBOX_CONFIG: 'none.json' } })).toEqual([
      expect.objectContaining({ code: 'file_missing', key: 'none.json' }),
    ]);
  });

  test('a folder of that name, as a container makes for a missing mount, is an error', () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'config.json'));
    expect(problems({ cwd })).toEqual([
      expect.objectContaining({ code: 'file_unreadable', got: 'a folder' }),
    ]);
  });

  test('broken JSON is refused with line and column, not reported as not found', () => {
    const [problem, ...others] = problems({ config: `{\n  "port": 8080,\n  "jwtSecret": "${secret}",\n}` });
    expect(problem).toMatchObject({
      code: 'file_syntax',
      key: 'config.json',
      got: 'not JSON: "}" at line 4, column 1',
    });
    expect(others).toEqual([]);
  });

  test('problems of the environment are reported beside a broken file', () => {
    const found = problems({ config: '{', env: { PORT: 'x', JWT_SECRET: 'short' } });
    expect(found.map(({ key }) => key)).toEqual(['config.json', 'port', 'jwtSecret']);
  });

  test.each([
    ['[]', 'a list'],
    ['null', 'null'],
    ['"x"', 'a string'],
  ])('%s is no configuration', (config, got) => {
    expect(problems({ config })).toEqual([expect.objectContaining({ code: 'bad_value', got })]);
  });

  test('a byte order mark and a $schema do no harm', () => {
    const config = `\uFEFF${JSON.stringify({ $schema: './config.schema.json', jwtSecret: secret })}`;
    expect(loaded({ config }).config.jwtSecret).toBe(secret);
  });

  test('a text that is exactly a number or a truth value is accepted, with a note', () => {
    const config = { jwtSecret: secret, port: '9000', logToFile: 'true', redis: { db: '1' } };
    const result = loaded({ config });
    expect([result.config.port, result.config.logToFile, result.config.redis.db]).toEqual([9000, true, 1]);
    expect(result.notes.map(({ key }) => key)).toEqual(['port', 'logToFile', 'redis.db']);
  });

  test.each([
    ['port', '80x'],
    ['port', ' 80'],
    ['port', 80.5],
    ['port', null],
    ['logToFile', 'yes'],
    ['logToFile', 1],
    ['allowedOrigins', 'https://a.example'],
    ['redisStreamPrefix', 7],
    ['jwtAlgorithms', ['none']],
    ['jwtAlgorithms', []],
    ['jwtCookieName', 'a b'],
    ['redis', 'localhost'],
    ['superset', []],
  ])('a wrong type or value is refused: %s = %j', (key, value) => {
    const found = problems({ config: { jwtSecret: secret, [key]: value } });
    expect(found).toEqual([expect.objectContaining({ code: 'bad_value', key, source: 'config.json' })]);
  });

  test('a value that the environment overrides is checked all the same', () => {
    expect(problems({ config: { jwtSecret: secret, port: 'x' }, env: { PORT: '1' } })).toHaveLength(1);
  });
});

describe('an unknown key', () => {
  test.each([
    [{ prot: 1 }, 'prot', 'Did you mean port?'],
    [{ loglevel: 'info' }, 'loglevel', 'Did you mean logLevel?'],
    [{ redis: { hots: 'x' } }, 'redis.hots', 'Did you mean redis.host?'],
    [{ JWT_SECRET: secret }, 'JWT_SECRET', 'Did you mean jwtSecret?'],
    [{ password: 'x' }, 'password', 'Did you mean redis.password?'],
    [{ somethingElseEntirely: {} }, 'somethingElseEntirely', 'Remove it.'],
    [JSON.parse('{"__proto__": {"port": 1}}'), '__proto__', 'Remove it.'],
    [{ constructor: 1 }, 'constructor', 'Remove it.'],
  ])('%j is an error that says what was probably meant', (config, key, advice) => {
    const merged: unknown = JSON.parse(JSON.stringify(config).replace(/}$/, `,"jwtSecret":"${secret}"}`));
    expect(problems({ config: merged })).toEqual([
      expect.objectContaining({ code: 'unknown_key', key, source: 'config.json', advice }),
    ]);
  });

  test('is never shown with its value, which may be a secret', () => {
    const text = JSON.stringify(problems({ config: { jwtSecert: 'hunter2-hunter2', jwtSecret: secret } }));
    expect(text).toContain('jwtSecert');
    expect(text).not.toContain('hunter2');
  });

  test.each([
    ['the file', { jwtSecret: secret, prot: 1, strict: false }, {}],
    ['the environment', { jwtSecret: secret, prot: 1 }, { SIGNALBOX_STRICT: 'false' }],
  ])('is a warning when %s says that strict is false', (_, config, env) => {
    expect(about(loaded({ config, env }).warnings, 'prot')).toEqual([
      expect.stringContaining('Did you mean port?'),
    ]);
  });

  test('eventYieldBatchSize is none: known and ignored, with a note', () => {
    const { notes } = loaded({ config: { jwtSecret: secret, eventYieldBatchSize: 'x' } });
    expect(about(notes, 'eventYieldBatchSize')).toHaveLength(1);
  });
});
