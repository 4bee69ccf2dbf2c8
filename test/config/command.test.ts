import { describe, expect, test } from '@jest/globals';
import { type Command, decide } from '../../src/config/command.ts';
import { leaves } from '../../src/config/leaf.ts';
import { folder, secret } from './loading.ts';

const run = (
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  config?: unknown,
): Command => decide({ argv, env, cwd: folder(config), version: '1.2.3' });

const ended = (command: Command) => {
  if (command.kind !== 'end') throw new Error('serves');
  return command;
};

describe('command line', () => {
  test.each([[[]], [['start']], [['start', '--config', 'config.json']], [['--config=config.json']]])(
    '%j serves',
    (argv) => {
      const command = run(argv, {}, { jwtSecret: secret });
      expect(command).toMatchObject({ kind: 'serve', loaded: { file: 'config.json' } });
    },
  );

  test.each([
    [['--port', '80'], "'--port'"],
    [['stop'], "'stop'"],
    [['start', 'start'], "'start'"],
    [['-x'], "'-x'"],
    [['--config'], '--config'],
    [['--config', ' '], '--config'],
    [['--check=1'], '--check'],
  ])('%j is not understood: 64, and nothing is read', (argv, named) => {
    const { exitCode, stdout, stderr } = ended(run(argv, {}, '{'));
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(named);
    expect(stderr.split('\n')).toHaveLength(3);
  });

  test.each([['--help'], ['-h']])(
    '%s explains options, signals and exit codes, whatever the configuration',
    (argument) => {
      const { exitCode, stdout } = ended(run([argument], {}, '{'));
      expect(exitCode).toBe(0);
      for (const word of ['--config', '--check', '--print-config', '--version', 'SIGTERM', '78', '64']) {
        expect(stdout).toContain(word);
      }
    },
  );

  test('--version prints the version', () => {
    expect(ended(run(['--version']))).toMatchObject({ exitCode: 0, stdout: '1.2.3\n', stderr: '' });
  });
});

describe('--check', () => {
  test('of a valid configuration says what it amounts to, its warnings, and ends with 0', () => {
    const { exitCode, stdout, stderr } = ended(
      run(['--check'], { JWT_SECRET: secret, EVENT_YIELD_BATCH_SIZE: '1' }),
    );
    expect([exitCode, stdout]).toEqual([0, 'valid: production mode, broker redis (JWT_SECRET is set)\n']);
    expect(stderr).toContain('note: EVENT_YIELD_BATCH_SIZE');
    expect(stderr).toContain('warning: allowedOrigins');
  });

  test.each([['--check'], ['--print-config'], ['start']])(
    '%s of an invalid one prints every problem: 78',
    (argument) => {
      const { exitCode, stdout, stderr } = ended(
        run([argument], { PORT: 'x', JWT_SECRET: 'short' }, { prot: 1 }),
      );
      expect([exitCode, stdout]).toEqual([78, '']);
      for (const word of [
        '3 problems',
        'port (from PORT)',
        'jwtSecret (from JWT_SECRET)',
        'prot (from config.json)',
      ]) {
        expect(stderr).toContain(word);
      }
    },
  );
});

describe('--print-config', () => {
  const secrets = {
    JWT_SECRET: `${secret}-1`,
    PREVIOUS_JWT_SECRET: `${secret}-2`,
    REDIS_URL: 'redis://user:hunter2@h:1',
    SIGNALBOX_API_KEYS: `${secret}-3,${secret}-4`,
  };

  test('prints every key, with where its value came from', () => {
    const { exitCode, stdout } = ended(
      run(['--print-config'], { JWT_SECRET: secret, PORT: '9' }, { logLevel: 'WARN' }),
    );
    expect(exitCode).toBe(0);
    const lines = new Map(stdout.split('\n').map((line) => [line.split(' = ')[0], line]));
    for (const { path } of leaves) expect(lines.has(path)).toBe(true);
    expect(lines.get('port')).toMatch(/^port = 9 +# PORT$/);
    expect(lines.get('logLevel')).toMatch(/^logLevel = "warn" +# config.json$/);
    expect(lines.get('redis.host')).toMatch(/^redis.host = "127.0.0.1" +# default$/);
  });

  test('masks every secret, and how long it is', () => {
    const { stdout } = ended(run(['--print-config'], secrets));
    for (const hidden of [secret, 'hunter2']) expect(stdout).not.toContain(hidden);
    expect(stdout).toMatch(/^jwtSecret = "\*{8}" +# JWT_SECRET$/m);
    expect(stdout).toMatch(/^apiKeys = \["\*{8}","\*{8}"\] +# SIGNALBOX_API_KEYS$/m);
    expect(stdout).toMatch(/^redis.host = "h" +# redis.url \(REDIS_URL\)$/m);
  });

  test('masks the random secret of development mode', () => {
    expect(ended(run(['--print-config'])).stdout).toMatch(/^jwtSecret = "\*{8}" +# development mode$/m);
  });
});
