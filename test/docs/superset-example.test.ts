import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { decide } from '../../src/config/command.ts';
import { folder } from '../config/loading.ts';

const read = (name: string): string => readFileSync(`examples/superset/${name}`, 'utf8');

/** The environment of one service: this file's own form, `NAME: value # note`, and not all of YAML. */
const environmentOf = (service: string): Record<string, string> => {
  const body = new RegExp(`^  ${service}:\n((?:    .*\n)+)`, 'm').exec(read('docker-compose.yml'))?.[1] ?? '';
  const lines = /^ {4}environment:\n((?: {6}.*\n)+)/m.exec(body)?.[1] ?? '';
  return Object.fromEntries(
    [...lines.matchAll(/^ {6}(\w+): ["']?([^"'#\n]*?)["']?(?: #.*)?$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
};

/** What superset_config.py assigns to a name, when it is a plain text or number. */
const assigned = (name: string): string | undefined =>
  new RegExp(`^${name} = "?([^"#\n]+?)"?(?: *#.*)?$`, 'm').exec(read('superset_config.py'))?.[1];

const environment = environmentOf('signalbox');

describe('examples/superset', () => {
  test('signalbox --check takes its environment without a warning', () => {
    const { JWT_SECRET = '' } = environment;
    expect(JWT_SECRET).toMatch(/^\$\{ASYNC_JWT_SECRET:\?/);
    const env = { ...environment, JWT_SECRET: 'x'.repeat(56) };
    const command = decide({ argv: ['--check'], env, cwd: folder(), version: '0' });
    expect(command).toMatchObject({ kind: 'end', exitCode: 0, stderr: '' });
    expect(command).toMatchObject({ stdout: expect.stringContaining('production mode, broker redis') });
  });

  test('what must agree between Superset and Signalbox agrees', () => {
    expect(read('superset_config.py')).toContain(
      'GLOBAL_ASYNC_QUERIES_JWT_SECRET = os.environ["ASYNC_JWT_SECRET"]',
    );
    expect(environment).toMatchObject({
      JWT_COOKIE_NAME: assigned('GLOBAL_ASYNC_QUERIES_JWT_COOKIE_NAME'),
      REDIS_HOST: assigned('REDIS_HOST'),
      REDIS_PORT: assigned('REDIS_PORT'),
      REDIS_DB: assigned('REDIS_DB'),
      REDIS_STREAM_PREFIX: assigned('GLOBAL_ASYNC_QUERIES_REDIS_STREAM_PREFIX'),
    });
  });

  test('browsers reach both under one host, from an origin that is allowed', () => {
    const socket = new URL(assigned('GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL') ?? '');
    const origin = new URL(environment['ALLOWED_ORIGINS'] ?? '');
    expect(socket.host).toBe(origin.host);
    expect(read('nginx.conf')).toContain(`location ${socket.pathname} {`);
  });
});
