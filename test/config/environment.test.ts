import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { leaves } from '../../src/config/leaf.ts';
import { valueAt } from '../../src/config/print.ts';
import { about, folder, loaded, problems, secret } from './loading.ts';

const other = 'another-secret-of-more-than-thirty-two-bytes';
const hook = 'https://app.example/signalbox';
const apiKey = 'an-api-key-of-24-characters';

/** Typed from the specification, not from the schema: a variable that is renamed there fails here. */
const variables: readonly (readonly [name: string, key: string, text: string, value: unknown])[] = [
  ['PORT', 'port', '9090', 9090],
  ['LOG_LEVEL', 'logLevel', 'debug', 'debug'],
  ['LOG_TO_FILE', 'logToFile', 'true', true],
  ['LOG_FILENAME', 'logFilename', 'other.log', 'other.log'],
  ['REDIS_HOST', 'redis.host', 'redis.example', 'redis.example'],
  ['REDIS_PORT', 'redis.port', '6380', 6380],
  ['REDIS_USERNAME', 'redis.username', 'superset', 'superset'],
  ['REDIS_PASSWORD', 'redis.password', 'p w', 'p w'],
  ['REDIS_DB', 'redis.db', '3', 3],
  ['REDIS_SSL', 'redis.ssl', 'TRUE', true],
  ['SIGNALBOX_REDIS_VALIDATE_HOSTNAME', 'redis.validateHostname', 'false', false],
  ['SIGNALBOX_REDIS_PATH', 'redis.path', '/run/redis.sock', '/run/redis.sock'],
  ['REDIS_URL', 'redis.url', 'redis://h:1/2', 'redis://h:1/2'],
  ['SIGNALBOX_REDIS_NAME', 'redis.name', 'mymaster', 'mymaster'],
  ['SIGNALBOX_REDIS_SENTINEL_PASSWORD', 'redis.sentinelPassword', 's w', 's w'],
  [
    'SIGNALBOX_REDIS_CLUSTER',
    'redis.cluster',
    'a:7000, [::1]:7001',
    [
      { host: 'a', port: 7000 },
      { host: '::1', port: 7001 },
    ],
  ],
  ['REDIS_STREAM_PREFIX', 'redisStreamPrefix', 'jobs-', 'jobs-'],
  ['REDIS_STREAM_READ_COUNT', 'redisStreamReadCount', '500', 500],
  ['REDIS_STREAM_READ_BLOCK_MS', 'redisStreamReadBlockMs', '1000', 1000],
  ['JWT_SECRET', 'jwtSecret', other, other],
  ['PREVIOUS_JWT_SECRET', 'previousJwtSecret', other, other],
  ['SIGNALBOX_JWT_ALGORITHMS', 'jwtAlgorithms', 'HS256,HS512', ['HS256', 'HS512']],
  ['JWT_COOKIE_NAME', 'jwtCookieName', 'token', 'token'],
  ['SIGNALBOX_JWT_CHANNEL_ID_KEY', 'jwtChannelIdKey', 'chan', 'chan'],
  [
    'ALLOWED_ORIGINS',
    'allowedOrigins',
    ' https://a.example,, https://b.example ',
    ['https://a.example', 'https://b.example'],
  ],
  ['SOCKET_RESPONSE_TIMEOUT_MS', 'socketResponseTimeoutMs', '90000', 90_000],
  ['PING_SOCKETS_INTERVAL_MS', 'pingSocketsIntervalMs', ' 30000 ', 30_000],
  ['GC_CHANNELS_INTERVAL_MS', 'gcChannelsIntervalMs', '1', 1],
  ['MAX_SOCKET_BUFFER_BYTES', 'maxSocketBufferBytes', '2000000', 2_000_000],
  ['MAX_CONNECTIONS_PER_CHANNEL', 'maxConnectionsPerChannel', '7', 7],
  ['MAX_TOTAL_CONNECTIONS', 'maxTotalConnections', '8', 8],
  ['REALTIME_CHANNEL_PREFIX', 'realtimeChannelPrefix', 'prod:', 'prod:'],
  ['STATSD_HOST', 'statsd.host', 'statsd.example', 'statsd.example'],
  ['STATSD_PORT', 'statsd.port', '9125', 9125],
  ['STATSD_GLOBAL_TAGS', 'statsd.globalTags', 'env:prod, team:bi', ['env:prod', 'team:bi']],
  ['SIGNALBOX_BROKER', 'broker', 'memory', 'memory'],
  ['SIGNALBOX_HOST', 'host', '::1', '::1'],
  ['SIGNALBOX_TRUST_PROXY', 'trustProxy', 'true', true],
  ['SIGNALBOX_SUPERSET_PROTOCOL', 'superset.protocol', 'realtime', 'realtime'],
  ['SIGNALBOX_SUPERSET_REPLAY_SLACK_MS', 'superset.replaySlackMs', '0', 0],
  ['SIGNALBOX_NATIVE_PREFIX', 'native.prefix', 'sb:', 'sb:'],
  ['SIGNALBOX_NATIVE_AUDIENCE', 'native.audience', 'my-app', 'my-app'],
  ['SIGNALBOX_NATIVE_COOKIE_NAME', 'native.cookieName', 'my-cookie', 'my-cookie'],
  ['SIGNALBOX_NATIVE_MAX_TOKEN_LIFE_SECONDS', 'native.maxTokenLifeSeconds', '3600', 3600],
  ['SIGNALBOX_TICKET_TTL_SECONDS', 'ticket.ttlSeconds', '20', 20],
  ['SIGNALBOX_MAX_SUBSCRIPTIONS_PER_SOCKET', 'maxSubscriptionsPerSocket', '21', 21],
  ['SIGNALBOX_ASK_TIMEOUT_MS', 'askTimeoutMs', '22', 22],
  ['SIGNALBOX_PUBLISH_KEY_TTL_SECONDS', 'publish.keyTtlSeconds', '23', 23],
  ['SIGNALBOX_PUBLISH_MAX_BATCH', 'publish.maxBatch', '24', 24],
  ['SIGNALBOX_HOOKS_DISCONNECT', 'hooks.disconnect', hook, hook],
  ['SIGNALBOX_HOOKS_UNSUBSCRIBE', 'hooks.unsubscribe', hook, hook],
  ['SIGNALBOX_HOOKS_CONNECT', 'hooks.connect', hook, hook],
  ['SIGNALBOX_HOOKS_SUBSCRIBE', 'hooks.subscribe', hook, hook],
  ['SIGNALBOX_HOOKS_ASK', 'hooks.ask', hook, hook],
  ['SIGNALBOX_HOOKS_TELL', 'hooks.tell', hook, hook],
  ['SIGNALBOX_HOOKS_SNAPSHOT', 'hooks.snapshot', hook, hook],
  ['SIGNALBOX_HOOKS_SECRET', 'hooks.secret', apiKey, apiKey],
  ['SIGNALBOX_HOOKS_PREVIOUS_SECRET', 'hooks.previousSecret', apiKey, apiKey],
  ['SIGNALBOX_HOOKS_TIMEOUT_MS', 'hooks.timeoutMs', '28', 28],
  [
    'SIGNALBOX_ROUTES',
    'routes',
    '[{"path":"^/x$","channel":"x","format":"raw"}]',
    [expect.objectContaining({ path: '^/x$', channel: 'x', format: 'raw', redis: '' })],
  ],
  ['SIGNALBOX_LIMITS_FRAMES_PER_SECOND', 'limits.framesPerSecond', '25', 25],
  ['SIGNALBOX_LIMITS_ASKS_IN_FLIGHT', 'limits.asksInFlight', '26', 26],
  ['SIGNALBOX_COMPRESSION_ENABLED', 'compression.enabled', 'true', true],
  ['SIGNALBOX_COMPRESSION_THRESHOLD_BYTES', 'compression.thresholdBytes', '27', 27],
  ['SIGNALBOX_API_KEYS', 'apiKeys', `${apiKey},${other}`, [apiKey, other]],
  ['SIGNALBOX_WINDOW_MAX_EVENTS', 'window.maxEvents', '10', 10],
  ['SIGNALBOX_WINDOW_MAX_BYTES', 'window.maxBytes', '8388608', 8_388_608],
  ['SIGNALBOX_WINDOW_MAX_AGE_MS', 'window.maxAgeMs', '1000', 1000],
  ['SIGNALBOX_HISTORY_MAX_LENGTH', 'history.maxLength', '11', 11],
  ['SIGNALBOX_HISTORY_MAX_AGE_SECONDS', 'history.maxAgeSeconds', '12', 12],
  ['SIGNALBOX_HISTORY_FIREHOSE_MAX_LENGTH', 'history.firehoseMaxLength', '13', 13],
  ['SIGNALBOX_READ_PAUSE_MS', 'readPauseMs', '0', 0],
  ['SIGNALBOX_HANDSHAKE_TIMEOUT_MS', 'handshakeTimeoutMs', '14', 14],
  ['SIGNALBOX_SLOW_CONSUMER_TIMEOUT_MS', 'slowConsumerTimeoutMs', '15', 15],
  ['SIGNALBOX_WORKERS', 'workers', ' Auto ', 'auto'],
  ['SIGNALBOX_DRAIN_MS', 'drainMs', '16', 16],
  ['SIGNALBOX_MAX_TOTAL_BUFFER_BYTES', 'maxTotalBufferBytes', '100000', 100_000],
  ['SIGNALBOX_MAX_FRAME_BYTES', 'maxFrameBytes', '17', 17],
  ['SIGNALBOX_MAX_BODY_BYTES', 'maxBodyBytes', '18', 18],
  ['SIGNALBOX_LIMITS_REPLAYS', 'limits.replays', '19', 19],
  ['SIGNALBOX_LIMITS_CONNECTS_PER_IP_PER_SECOND', 'limits.connectsPerIpPerSecond', '5', 5],
  ['SIGNALBOX_LIMITS_REQUESTS_PER_SECOND', 'limits.requestsPerSecond', '30', 30],
  ['SIGNALBOX_ADMIN_ENABLED', 'admin.enabled', 'false', false],
  ['SIGNALBOX_ADMIN_HOST', 'admin.host', '0.0.0.0', '0.0.0.0'],
  ['SIGNALBOX_ADMIN_PORT', 'admin.port', '9999', 9999],
  ['SIGNALBOX_ADMIN_TOKEN', 'admin.token', apiKey, apiKey],
  ['SIGNALBOX_INSPECT_STATELY', 'inspect.stately', 'true', true],
  ['SIGNALBOX_INSPECT_JOURNAL_ENABLED', 'inspect.journal.enabled', 'false', false],
  ['SIGNALBOX_INSPECT_JOURNAL_KEEP_SECONDS', 'inspect.journal.keepSeconds', '60', 60],
  ['SIGNALBOX_INSPECT_JOURNAL_MAX_SOCKETS', 'inspect.journal.maxSockets', '100', 100],
  ['SIGNALBOX_STRICT', 'strict', 'false', false],
];

const sentinels = ['SIGNALBOX_REDIS_SENTINELS', 'redis.sentinels'] as const;
/** What names a file, which must be there: `redis-tls.test.ts`. */
const files = ['ca', 'cert', 'key'].map((name) => `redis.${name} SIGNALBOX_REDIS_${name.toUpperCase()}`);

describe('environment', () => {
  test.each(variables)('%s sets %s', (name, key, text, value) => {
    // Any hook needs it.
    const SIGNALBOX_HOOKS_SECRET = other;
    const { config, origins } = loaded({ env: { JWT_SECRET: secret, SIGNALBOX_HOOKS_SECRET, [name]: text } });
    expect(valueAt(config, key)).toEqual(value);
    expect(origins.get(key)).toBe(name);
  });

  test('SIGNALBOX_REDIS_SENTINELS sets redis.sentinels, with the name of their master', () => {
    const env = { JWT_SECRET: secret, [sentinels[0]]: 's1:26379,s2:26380', SIGNALBOX_REDIS_NAME: 'mymaster' };
    expect(loaded({ env }).config.redis.sentinels).toEqual([
      { host: 's1', port: 26_379 },
      { host: 's2', port: 26_380 },
    ]);
  });

  test('there is no key beside these', () => {
    const listed = [
      ...variables.map(([name, key]) => `${key} ${name}`),
      `${sentinels[1]} ${sentinels[0]}`,
      ...files,
    ];
    expect(leaves.map(({ path, meta }) => `${path} ${meta.env}`).toSorted()).toEqual(listed.toSorted());
  });

  test("a variable of a key that Superset does not have is SIGNALBOX_ and the key's path", () => {
    const own = leaves.filter(({ meta }) => meta.env.startsWith('SIGNALBOX_'));
    for (const { path, meta } of own) {
      expect(meta.env).toBe(
        `SIGNALBOX_${path.replaceAll('.', '_').replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`,
      );
    }
  });

  test('an empty or blank variable is unset', () => {
    const env = { JWT_SECRET: secret, PORT: '', LOG_LEVEL: '  ', REDIS_DB: '\t', SIGNALBOX_CONFIG: ' ' };
    const { config, origins } = loaded({ env });
    expect([config.port, config.logLevel, config.redis.db]).toEqual([8080, 'info', 0]);
    expect(origins.get('port')).toBe('default');
  });

  test('a secret keeps its spaces', () => {
    expect(loaded({ env: { JWT_SECRET: ` ${secret} ` } }).config.jwtSecret).toBe(` ${secret} `);
  });

  test.each([
    ['PING_SOCKETS_INTERVAL_MS', '20s', 'Write 20000.'],
    ['MAX_SOCKET_BUFFER_BYTES', '1MiB', 'Write 1048576.'],
    ['MAX_TOTAL_CONNECTIONS', 'many', 'Correct it, or remove it for the default: 0.'],
    ['PORT', '70000', 'Correct it, or remove it for the default: 8080.'],
    ['PORT', '0x50', 'Correct it, or remove it for the default: 8080.'],
    ['REDIS_DB', '-1', 'Correct it, or remove it for the default: 0.'],
    ['REDIS_SSL', '1', 'Correct it, or remove it for the default: false.'],
    ['LOG_LEVEL', 'loud', 'Correct it, or remove it for the default: info.'],
    ['SIGNALBOX_REDIS_CLUSTER', 'a:7000,b', 'Correct it, or remove it for the default: none.'],
    ['PORT', '99999999999999999999', 'Correct it, or remove it for the default: 8080.'],
  ])('%s=%s is refused, with what to do', (name, text, advice) => {
    const found = problems({ env: { JWT_SECRET: secret, [name]: text } });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ code: 'bad_value', source: name, advice });
  });

  test.each(['REDIS_PORT', 'STATSD_PORT'])('what Kubernetes puts into %s is ignored, with a note', (name) => {
    const { config, notes } = loaded({ env: { JWT_SECRET: secret, [name]: 'tcp://10.0.0.1:6379' } });
    expect([config.redis.port, config.statsd.port]).toEqual([6379, 8125]);
    expect(notes.map(({ text }) => text)).toEqual([expect.stringContaining('Kubernetes')]);
  });

  test('it is no redis key either: with nothing else it is development mode', () => {
    expect(loaded({ env: { REDIS_PORT: 'tcp://10.0.0.1:6379' } }).mode).toBe('development');
  });

  test('an unknown SIGNALBOX_ variable is a warning, those of Kubernetes are not', () => {
    const env = {
      JWT_SECRET: secret,
      SIGNALBOX_DRAIN_MSS: '1',
      SIGNALBOX_SERVICE_HOST: '10.0.0.2',
      SIGNALBOX_PORT: 'tcp://10.0.0.2:80',
      SIGNALBOX_REDIS_PORT_6379_TCP_ADDR: '10.0.0.3',
    };
    const { warnings } = loaded({ env });
    expect(warnings.filter(({ key }) => key.startsWith('SIGNALBOX_'))).toEqual([
      { key: 'SIGNALBOX_DRAIN_MSS', text: expect.stringContaining('did you mean SIGNALBOX_DRAIN_MS?') },
    ]);
  });

  test('EVENT_YIELD_BATCH_SIZE is known and ignored, with a note, whatever it says', () => {
    const { notes } = loaded({ env: { JWT_SECRET: secret, EVENT_YIELD_BATCH_SIZE: 'any' } });
    expect(about(notes, 'EVENT_YIELD_BATCH_SIZE')).toHaveLength(1);
  });
});

describe('a secret in a file', () => {
  const withFile = (content: string): string => {
    const cwd = folder();
    writeFileSync(join(cwd, 'secret'), content);
    return cwd;
  };

  test.each([
    ['JWT_SECRET', 'jwtSecret', `${secret}\n`, secret],
    ['PREVIOUS_JWT_SECRET', 'previousJwtSecret', `${secret}\r\n`, secret],
    ['REDIS_PASSWORD', 'redis.password', ' p ', ' p '],
    ['REDIS_URL', 'redis.url', 'redis://h\n', 'redis://h'],
    ['SIGNALBOX_API_KEYS', 'apiKeys', `${apiKey}\n`, [apiKey]],
    ['SIGNALBOX_HOOKS_SECRET', 'hooks.secret', `${other}\n`, other],
    ['SIGNALBOX_HOOKS_PREVIOUS_SECRET', 'hooks.previousSecret', other, other],
  ])('%s_FILE sets %s', (name, key, content, value) => {
    const env = { ...(name === 'JWT_SECRET' ? {} : { JWT_SECRET: secret }), [`${name}_FILE`]: 'secret' };
    const { config, origins } = loaded({ cwd: withFile(content), env });
    expect(valueAt(config, key)).toEqual(value);
    expect(origins.get(key)).toBe(`${name}_FILE`);
  });

  test.each([
    ['is not there', 'elsewhere'],
    ['is empty', 'secret'],
  ])('that %s is one problem, and no reason for development mode', (_, file) => {
    expect(problems({ cwd: withFile('\n'), env: { JWT_SECRET_FILE: file } })).toEqual([
      expect.objectContaining({ code: 'file_unreadable', key: 'jwtSecret', source: 'JWT_SECRET_FILE' }),
    ]);
  });

  test('beside the variable itself is a conflict', () => {
    const env = { JWT_SECRET: secret, JWT_SECRET_FILE: 'secret' };
    expect(problems({ cwd: withFile(secret), env })).toEqual([
      expect.objectContaining({ code: 'conflict', source: 'JWT_SECRET_FILE' }),
    ]);
  });
});
