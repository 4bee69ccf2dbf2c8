import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';

const run = promisify(execFile);
/** Runs the engine's client; resolves with what it printed. */
const docker = async (...args: string[]) => (await run('docker', args, { maxBuffer: 2 ** 26 })).stdout.trim();

const tag = `signalbox-test:${randomUUID()}`;
const SECRET = 'JWT_SECRET=a-secret-of-the-container-image-test';

describe('the container image', () => {
  let container: string;

  const inspect = (format: string) => docker('inspect', '--format', format, container);

  beforeAll(async () => {
    // BASE_IMAGE: a local stand-in where no registry can be reached; npm is then reached through the host.
    const base = process.env.BASE_IMAGE;
    const local = base === undefined ? [] : ['--network', 'host', '--build-arg', `BASE=${base}`];
    await docker('build', '--quiet', ...local, '--tag', tag, '.');
    const settings = ['--env', SECRET, '--env', 'SIGNALBOX_BROKER=memory'];
    container = await docker('run', '--detach', '--publish', '127.0.0.1::8080', ...settings, tag);
  }, 300_000);

  afterAll(async () => {
    await docker('rm', '--force', '--volumes', container);
    await docker('rmi', '--force', tag);
  });

  test('starts, and is healthy', async () => {
    await eventually(
      'the container is healthy',
      async () => (await inspect('{{.State.Health.Status}}')) === 'healthy',
    );
    const [address] = (await docker('port', container, '8080')).split('\n');
    const { status } = await fetch(`http://${address}/health`);
    expect(status).toBe(200);
  });

  test('does not run as root', async () => {
    expect(await docker('exec', container, 'node', '-p', 'process.getuid()')).toBe('1000');
  });

  test('holds no development dependency and no source', async () => {
    const script = `JSON.stringify(['node_modules/typescript', 'node_modules/jest', 'src', 'node_modules/ws', 'dist']
      .filter((path) => require('node:fs').existsSync(path)))`;
    const there = JSON.parse(await docker('exec', container, 'node', '-p', script)) as unknown;
    expect(there).toEqual(['node_modules/ws', 'dist']);
  });

  test('hands its arguments to the server', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await docker('run', '--rm', tag, '--version')).toContain(version);
  });

  test('refuses to start without a secret, saying so', async () => {
    const refused = run('docker', ['run', '--rm', tag]);
    await expect(refused).rejects.toMatchObject({ code: 78, stderr: expect.stringContaining('jwtSecret') });
  });

  test('ends with exit code 0 on SIGTERM', async () => {
    await docker('stop', '--time', '20', container);
    expect(await inspect('{{.State.ExitCode}}')).toBe('0');
  });
});
