import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { Client } from '../support/superset.ts';
import { cookieOf, exchange, openRaw, upgrade } from './raw.ts';
import { killServer, type Server, startServer } from './server.ts';

const SOCKETS = 40;
const DRAIN_MS = 2_000;

describe('SIGTERM kills every connection at once (1006)', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(killServer));
  });

  const start = (drainMs = DRAIN_MS): Server => {
    const prefix = uniquePrefix();
    const server = startServer({
      env: {
        REDIS_URL: redisUrl(),
        REDIS_STREAM_PREFIX: prefix,
        SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
        SIGNALBOX_DRAIN_MS: String(drainMs),
      },
    });
    servers.push(server);
    return server;
  };
  const openMany = (port: number): Promise<Client[]> =>
    Promise.all(Array.from({ length: SOCKETS }, (_, at) => Client.open(port, { channel: `c${at}` })));

  test('F1.21 no graceful shutdown: 1001 for each, spread over drainMs, then exit 0', async () => {
    const server = start();
    const clients = await openMany(await server.ready());
    const startedMs = performance.now();
    const closedAtMs: number[] = [];
    for (const { socket } of clients) {
      socket.on('close', () => closedAtMs.push(performance.now() - startedMs));
    }
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(DRAIN_MS + 2_000);
    await eventually('all are closed', () => closedAtMs.length === SOCKETS);
    expect(clients.map(({ closed }) => closed?.code)).toEqual(Array.from({ length: SOCKETS }, () => 1001));
    const perQuarter = [0, 1, 2, 3].map(
      (quarter) => closedAtMs.filter((ms) => Math.min(3, Math.floor((ms * 4) / DRAIN_MS)) === quarter).length,
    );
    for (const count of perQuarter) expect(count).toBeGreaterThan(SOCKETS / 16);
  });

  test('while it drains, upgrades are answered with 503, /ready too, and /health with 200', async () => {
    const server = start();
    const port = await server.ready();
    const clients = await openMany(port);
    server.child.kill('SIGTERM');
    await eventually('it drains', () => clients.some(({ closed }) => closed !== undefined));
    const refused = await exchange(port, upgrade({ cookie: cookieOf({ channel: 'a' }) }));
    expect([refused.status, refused.body]).toEqual([503, 'draining']);
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(503);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect((await server.ended).code).toBe(0);
  });

  test('a second signal ends it at once', async () => {
    const server = start(60_000);
    const clients = await openMany(await server.ready());
    server.child.kill('SIGTERM');
    await eventually('it drains', () => clients.some(({ closed }) => closed !== undefined));
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(1);
    expect(server.log.some(({ message }) => String(message).includes('ending at once'))).toBe(true);
  });

  test('while Redis is away too it ends at once with 0, when no socket is left', async () => {
    const server = startServer({ env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    servers.push(server);
    await server.port();
    const startedMs = performance.now();
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test('a client that never answers the close does not keep it', async () => {
    const server = start(0);
    const port = await server.ready();
    const silent = await openRaw(port, { cookie: cookieOf({ channel: 'a' }) });
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    silent.destroy();
  });
});
