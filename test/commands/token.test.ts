import { generateKeyPairSync } from 'node:crypto';
import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, test } from '@jest/globals';
import { verificationKeys } from '../../src/auth/key.ts';
import { verifyNativeToken } from '../../src/auth/native-token.ts';
import { secret } from '../config/loading.ts';
import { configured, ran } from './running.ts';

const NOW_MS = 1_800_000_000_000;
const now = () => NOW_MS;

const signed = async (argv: readonly string[], env: Readonly<Record<string, string>> = configured) => {
  const { exitCode, stdout, stderr } = await ran('token', argv, { env, now });
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout;
};

/** Who a server says that a token is of. */
const verified = (printed: string, { audience = 'signalbox', algorithm = 'HS256' as const } = {}) => {
  const keys = verificationKeys({ jwtSecret: secret, previousJwtSecret: '' });
  const answer = verifyNativeToken(printed.trimEnd(), {
    keys,
    algorithms: [algorithm],
    audience,
    now,
    maxTokenLifeMs: 2_592_000_000,
  });
  return isRight(answer) ? answer.right : answer.left;
};

describe('signalbox token', () => {
  test('prints a token that a server takes, and nothing else', async () => {
    const printed = await signed(['--user', '5']);
    expect(printed).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(verified(printed)).toEqual({
      user: '5',
      channels: [],
      publish: [],
      issuedAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 3_600_000,
    });
  });

  test('says what it is told to', async () => {
    const rights = ['--channel', 'sport', '--channel', 'public:*', '--publish', 'chat', '--publish', 'a*'];
    const printed = await signed(['--user', 'bob@example.com', '--session', 's 1', ...rights]);
    expect(verified(printed)).toMatchObject({
      user: 'bob@example.com',
      session: 's 1',
      channels: ['sport', 'public:*'],
      publish: ['chat', 'a*'],
    });
  });

  test.each([
    ['1s', 1],
    ['15m', 900],
    ['12h', 43_200],
    ['7d', 604_800],
  ])('--expires %s is after %i seconds', async (duration, seconds) => {
    const printed = await signed(['--user', '5', '--expires', duration]);
    expect(verified(printed)).toMatchObject({ expiresAtMs: NOW_MS + seconds * 1000 });
  });

  test('has the configured audience', async () => {
    const printed = await signed(['--user', '5'], { ...configured, SIGNALBOX_NATIVE_AUDIENCE: 'mine' });
    expect(verified(printed, { audience: 'mine' })).toMatchObject({ user: '5' });
    expect(verified(printed)).toMatchObject({ reason: 'audience' });
  });

  test('reads the config file as the server does', async () => {
    const config = { jwtSecret: secret, broker: 'memory' };
    const { exitCode, stdout } = await ran('token', ['--user', '5'], { config, now });
    expect([exitCode, verified(stdout)]).toEqual([0, expect.objectContaining({ user: '5' })]);
  });

  test.each([
    [[], '--user is missing'],
    [['--user', ''], "--user is ''; expected 1 to 128 bytes"],
    [['--user', '5', 'chat'], "Unknown argument 'chat'"],
    [['--user', '5', '--session', 'a\nb'], '--session is'],
    [['--user', '5', '--channel', 'a b'], "--channel is 'a b'; expected the name of a channel"],
    [['--user', '5', '--channel', 'user:5'], "--channel is 'user:5'; expected"],
    [['--user', '5', '--publish', '*a'], "--publish is '*a'; expected"],
    [['--user', '5', '--expires', '60'], "--expires is '60'; expected a number and s, m, h or d"],
    [['--user', '5', '--expires', '0s'], "--expires is '0s'"],
    [['--user', '5', '--expires', '99999999999999d'], '--expires is'],
    [['--usr', '5'], "Unknown option '--usr'"],
    [['--user'], "Option '--user <value>' argument missing"],
    [['--user', '5', '--config', ' '], "Option '--config' names no file"],
  ])('%j is not understood: 64', async (argv, words) => {
    const { exitCode, stdout, stderr } = await ran('token', argv, { env: configured });
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(`signalbox token: ${words}`);
    expect(stderr).toMatch(/\nTry signalbox token --help\n$/);
  });

  test('without a secret says how to have one, and ends with 78', async () => {
    const { exitCode, stdout, stderr } = await ran('token', ['--user', '5']);
    expect([exitCode, stdout]).toEqual([78, '']);
    expect(stderr).toContain('There is no jwtSecret to sign a token with');
    expect(stderr).toContain('> config.json');
  });

  test('with a public key says that it signs nothing: 78', async () => {
    const { publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const env = { ...configured, JWT_SECRET: publicKey, SIGNALBOX_JWT_ALGORITHMS: 'RS256' };
    const { exitCode, stderr } = await ran('token', ['--user', '5'], { env });
    expect([exitCode, stderr]).toEqual([78, expect.stringContaining('jwtSecret is a public key')]);
  });

  test('with a bad configuration prints every problem of it, and no secret: 78', async () => {
    const env = { JWT_SECRET: 'too-short', PORT: 'x' };
    const { exitCode, stdout, stderr } = await ran('token', ['--user', '5'], { env });
    expect([exitCode, stdout]).toEqual([78, '']);
    expect(stderr).toContain('2 problems');
    expect(stderr).not.toContain('too-short');
  });
});
