import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { SignalboxError, start } from '../src/index.ts';
import { folder } from './config/loading.ts';

/** Errors only: what is logged goes to standard output, and none of it is asked for here. */
const env = { PORT: '0', LOG_LEVEL: 'error', SIGNALBOX_DRAIN_MS: '0' };

describe('start', () => {
  test('resolves with where it listens, answers, and leaves nothing behind when it is stopped', async () => {
    const server = await start({ env, cwd: folder() });
    const url = `http://${server.host}:${server.port}/health`;
    expect((await fetch(url)).status).toBe(200);
    await server.stop();
    expect(await server.ended).toBe(0);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('takes a config file as the command does', async () => {
    const cwd = folder({ host: '127.0.0.1', broker: 'memory', jwtSecret: 'x'.repeat(32) });
    const server = await start({ env, cwd, file: 'config.json' });
    await server.stop();
    expect(server.host).toBe('127.0.0.1');
  });

  test('rejects with every problem of its configuration', async () => {
    const starting = start({ env: { PORT: 'x', JWT_SECRET: 'short' }, cwd: folder() });
    const error = await starting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignalboxError);
    const { code, problems } = error as SignalboxError;
    expect([code, problems.map(({ key }) => key)]).toEqual(['config', ['port', 'jwtSecret']]);
  });

  test('rejects when it is to have workers: it is one process, the one that calls it', async () => {
    const several = { JWT_SECRET: 'x'.repeat(32), SIGNALBOX_WORKERS: '2', PORT: '0' };
    const error = await start({ env: several, cwd: folder() }).catch((reason: unknown) => reason);
    const { code, problems } = error as SignalboxError;
    expect([code, problems.map(({ key }) => key)]).toEqual(['config', ['workers']]);
  });

  test('takes auto for one, so that a configuration may be shared with the command', async () => {
    const server = await start({ env: { ...env, SIGNALBOX_WORKERS: 'auto' }, cwd: folder() });
    await server.stop();
    expect(await server.ended).toBe(0);
  });

  test('rejects with the error of the bind when the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const starting = start({ env: { ...env, PORT: String(port) }, cwd: folder() });
    await expect(starting).rejects.toMatchObject({ code: 'listen', cause: { code: 'EADDRINUSE' } });
    await new Promise((resolve) => taken.close(resolve));
  });
});
