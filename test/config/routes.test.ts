import { describe, expect, test } from '@jest/globals';
import { printConfig } from '../../src/config/print.ts';
import { about, loaded, problems, secret } from './loading.ts';

const env = { JWT_SECRET: secret };
const clock = { path: '^/whattimeisit$', channel: 'clock' };
const given = (...routes: readonly object[]) => ({ env, config: { routes } });

/** What is wrong with one route: the field, and the code. */
const faults = (route: object, more: object = {}) =>
  problems({ env, config: { ...more, routes: [route] } }).map(({ key, code }) => `${code} ${key}`);

describe('routes', () => {
  test('are a list of objects, whose fields have defaults', () => {
    expect(loaded(given(clock)).config.routes).toEqual([
      {
        ...clock,
        channels: [],
        source: 'pubsub',
        format: 'sse',
        contentType: 'text/event-stream',
        redis: '',
        bufferSize: 4096,
        upstream: '',
        channelHeader: 'X-SSE-Channel',
        collect: {},
        pull: [],
      },
    ]);
  });

  test('are JSON in a variable', () => {
    const { config, origins } = loaded({ env: { ...env, SIGNALBOX_ROUTES: JSON.stringify([clock]) } });
    expect([config.routes.length, config.routes[0]?.channel]).toEqual([1, 'clock']);
    expect(origins.get('routes')).toBe('SIGNALBOX_ROUTES');
  });

  test.each([
    ['[{"path":"^/x$" "channel":"x"}]', 'not JSON: "\\"" at line 1, column 17'],
    ['clock', 'not JSON: "c" at line 1, column 1'],
    ['{"path":"^/x$","channel":"x"}', 'an object'],
  ])('%s is no list, with where that shows', (text, got) => {
    expect(problems({ env: { ...env, SIGNALBOX_ROUTES: text } })).toEqual([
      expect.objectContaining({ code: 'bad_value', key: 'routes', source: 'SIGNALBOX_ROUTES', got }),
    ]);
  });

  test('every problem of every route has its field, with what would do', () => {
    expect(
      problems(given({ ...clock, chanel: 'x', format: 'xml' }, { channel: 'x' }, [])).map(
        ({ key, got, expected, advice }) => ({ key, got, expected, advice }),
      ),
    ).toEqual([
      { key: 'routes[0].format', got: '"xml"', expected: 'sse or raw', advice: 'Correct it.' },
      {
        key: 'routes[0].chanel',
        got: 'an unknown field',
        expected: expect.stringContaining('path, channel, channels'),
        advice: 'Did you mean channel?',
      },
      {
        key: 'routes[1].path',
        got: 'nothing',
        expected: 'a regular expression that starts with ^/',
        advice: 'Add it.',
      },
      expect.objectContaining({ key: 'routes[2]', got: '[]' }),
    ]);
  });

  test('an unknown field is a problem also where unknown keys are not: it may be auth, mistyped', () => {
    expect(faults({ ...clock, aut: 'token' }, { strict: false })).toEqual(['unknown_key routes[0].aut']);
  });

  test.each([
    ['/x', 'it does not start with ^/'],
    ['^x', 'it does not start with ^/'],
    ['^/(x', 'missing closing ): `^/(x`'],
    ['^/(?=x)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['^/(?<!x)y', 'invalid named capture: `(?<!x)y`'],
    ['^/(x)\\1', 'invalid escape sequence: `\\1`'],
    ['^/x{1001}', 'invalid repeat count: `{1001}`'],
  ])('the path %s is refused with what the engine says: %s', (path, fault) => {
    expect(problems(given({ ...clock, path }))).toEqual([
      expect.objectContaining({
        code: 'bad_value',
        key: 'routes[0].path',
        got: `${JSON.stringify(path)}: ${fault}`,
      }),
    ]);
  });

  describe('a channel', () => {
    test.each([
      ['$', 'a $ in it is neither'],
      ['a$b', 'a $ in it is neither'],
      ['$0', 'groups are counted from $1'],
    ])('%s is refused: %s', (channel, fault) => {
      expect(problems(given({ ...clock, channel }))).toEqual([
        expect.objectContaining({ key: 'routes[0].channel', got: expect.stringContaining(fault) }),
      ]);
    });

    test('must be captured where it says so', () => {
      const route = { path: '^/(a)/(b)$', channel: '$1:$3', channels: ['*'] };
      expect(problems(given(route))).toEqual([
        expect.objectContaining({ key: 'routes[0].channel', got: '"$1:$3": path has no group 3' }),
      ]);
    });

    test('of a capture needs channels or auth: anybody could read any channel', () => {
      const route = { path: '^/(\\w+)$', channel: 'public:$1' };
      expect(faults(route)).toEqual(['conflict routes[0].channel']);
      expect(faults({ ...route, channels: ['public:*'] })).toEqual([]);
      expect(faults({ ...route, auth: 'token' })).toEqual([]);
      expect(faults({ ...clock, channel: '$$1' })).toEqual([]);
    });

    test('must be one of channels', () => {
      expect(faults({ ...clock, channels: ['news', 'cl*'] })).toEqual([]);
      expect(faults({ ...clock, channels: ['news'] })).toEqual(['conflict routes[0].channels']);
      expect(faults({ ...clock, channels: ['*x'] })).toEqual(['bad_value routes[0].channels[0]']);
    });

    test.each([
      'signalbox:$all',
      'signalbox:c:sport',
      '{signalbox:}$control',
      'user:5',
      'session:5',
      'async-events-full',
      'async-events-5',
      'realtime',
      '__keyspace@0__:x',
      'a\nb',
      '\ud800',
      'x'.repeat(1_001),
    ])('%j is no route’s', (channel) => {
      expect(faults({ ...clock, channel: channel.replaceAll('$', '$$$$') })).toEqual([
        'bad_value routes[0].channel',
      ]);
    });

    test('of this installation is none, whatever its prefixes are', () => {
      const names = { native: { prefix: 'sb:' }, redisStreamPrefix: 'jobs-', realtimeChannelPrefix: 'prod:' };
      for (const channel of ['sb:x', 'jobs-1', 'prod:realtime']) {
        expect(faults({ ...clock, channel }, names)).toEqual(['bad_value routes[0].channel']);
      }
      for (const channel of ['signalbox:x', 'async-events-1', 'realtime', 'prod:news']) {
        expect(faults({ ...clock, channel }, names)).toEqual([]);
      }
      const everything = { redisStreamPrefix: '' };
      expect(faults({ ...clock, channel: 'full' }, everything)).toEqual(['bad_value routes[0].channel']);
      expect(faults(clock, everything)).toEqual([]);
    });

    test('of Redis may have any other name; a native one has rules', () => {
      const channel = 'Größe ☃';
      expect(faults({ ...clock, channel })).toEqual([]);
      expect(faults({ ...clock, channel, source: 'native' })).toEqual(['bad_value routes[0].channel']);
      expect(faults({ ...clock, source: 'native' })).toEqual([]);
    });
  });

  test.each<[string, object]>([
    ['conflict routes[0].channel', { path: '^/x' }],
    ['conflict routes[0].channel', { ...clock, upstream: 'http://127.0.0.1:8000' }],
    ['conflict routes[0].collect', { ...clock, collect: { 'Content-Type': 'text/event-stream' } }],
    ['conflict routes[0].pull', { ...clock, pull: ['X-Internal'] }],
    ['conflict routes[0].grip', { ...clock, grip: {} }],
    ['unknown_key routes[0].grip.kye', { path: '^/', upstream: 'http://a', grip: { kye: 'x' } }],
    ['conflict routes[0].format', { ...clock, source: 'native', format: 'raw' }],
    ['conflict routes[0].contentType', { ...clock, contentType: 'text/plain' }],
    ['conflict routes[0].redis', { ...clock, source: 'native', redis: 'redis://other' }],
    ['bad_value routes[0].redis', { ...clock, redis: '/run/redis.sock' }],
    ['bad_value routes[0].auth', { ...clock, auth: 'none' }],
    ['bad_value routes[0].bufferSize', { ...clock, bufferSize: 1_048_577 }],
    ['bad_value routes[0].contentType', { ...clock, contentType: 'text/plain\r\nX: y' }],
    ['bad_value routes[0].channelHeader', { path: '^/', upstream: 'http://a', channelHeader: 'a b' }],
    ['bad_value routes[0].collect.X', { path: '^/', upstream: 'http://a', collect: { X: 'a\nb' } }],
    ...['ftp://a', 'http://a/path', 'http://u:p@a', 'http://a?x', 'http://a#x', '127.0.0.1:8000'].map(
      (upstream): [string, object] => ['bad_value routes[0].upstream', { path: '^/', upstream }],
    ),
  ])('%s: %j', (fault, route) => {
    expect(faults(route)).toEqual([fault]);
  });

  test.each<object>([
    { path: '^/app/', upstream: 'http://127.0.0.1:8000', collect: { 'Content-Type': 'text/event-stream' } },
    { path: '^/app/', upstream: 'https://app.example', channels: ['public:*'], pull: ['X-Internal'] },
    { path: '^/app/', upstream: 'unix:/run/app.sock', grip: { key: 'x', issuer: 'me' } },
    { ...clock, format: 'raw', contentType: 'application/x-ndjson' },
    { ...clock, contentType: 'text/event-stream; charset=utf-8' },
    { ...clock, redis: 'unix:///run/redis.sock', bufferSize: 0 },
    { ...clock, redis: 'rediss://user:p%40ss@other:6380/2' },
  ])('%j is taken', (route) => {
    expect(faults(route)).toEqual([]);
  });

  test('a password in the URL of a route is neither printed nor told in a problem', () => {
    const password = 'very-secret';
    const printed = printConfig(
      loaded(
        given(
          { ...clock, redis: `redis://me:${password}@other:1` },
          { ...clock, redis: `unix:///run/redis.sock?db=1&password=${password}` },
          { path: '^/', upstream: 'http://a', grip: { key: password } },
        ),
      ),
    );
    expect(printed).toContain('redis://me:********@other:1');
    expect(printed).toContain('unix:///run/redis.sock?db=1&password=********"');
    expect(printed).toContain('"key":"********"');
    expect(printed).not.toContain(password);
    const found = problems(
      given(
        { ...clock, redis: `http://me:${password}@other` },
        { ...clock, redis: [password] },
        { path: '^/', upstream: `http://me:${password}@app` },
        { ...clock, grip: { key: [password], other: password } },
      ),
    );
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found)).not.toContain(password);
  });

  test('of Pub/Sub channels on the embedded broker are warned of', () => {
    const { warnings } = loaded({ env: { ...env, SIGNALBOX_BROKER: 'memory' }, config: { routes: [clock] } });
    expect(about(warnings, 'routes[0]')).toEqual([expect.stringContaining('where nobody publishes')]);
  });
});
