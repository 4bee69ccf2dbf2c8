import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { redisUrl } from '../support/redis.ts';
import { killServer, type Server, type ServerOptions, startServer } from './server.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map(killServer));
});

const start = (options: ServerOptions): Server => {
  const server = startServer({ ...options, env: { REDIS_URL: redisUrl(), ...options.env } });
  servers.push(server);
  return server;
};

describe('`PING_SOCKETS_INTERVAL_MS=20s` pings 856 times a second; `MAX_*=many` is no limit', () => {
  test('F1.15 `NaN` config: all of it is refused at start, by name, with 78', async () => {
    const env = {
      PING_SOCKETS_INTERVAL_MS: '20s',
      MAX_TOTAL_CONNECTIONS: 'many',
      MAX_CONNECTIONS_PER_CHANNEL: 'NaN',
      MAX_SOCKET_BUFFER_BYTES: '-1',
      REDIS_STREAM_READ_BLOCK_MS: 'Infinity',
    };
    const { code, stdout, stderr } = await start({ env }).ended;
    expect([code, stdout]).toEqual([78, '']);
    for (const [name, value] of Object.entries(env)) {
      expect(stderr).toContain(name);
      expect(stderr).toContain(value);
    }
  });

  test('F1.15 REDIS_PORT=tcp://10.0.0.1:6379 is what Kubernetes injects: it is ignored, with a note', async () => {
    const server = start({ env: { REDIS_PORT: 'tcp://10.0.0.1:6379', STATSD_PORT: 'tcp://10.0.0.2:8125' } });
    await server.ready();
    const notes = server.log.filter(({ level }) => level === 'info').map(({ message }) => String(message));
    expect(notes.some((note) => note.startsWith('redis.port') && note.includes('REDIS_PORT'))).toBe(true);
    expect(notes.some((note) => note.startsWith('statsd.port') && note.includes('STATSD_PORT'))).toBe(true);
  });
});

describe('a broken `config.json` is reported as not found and ignored', () => {
  test('F1.16 broken config.json: it is refused at start with line and column', async () => {
    const configFile = '{\n  "port": 8080,\n  "logLevel": "info"\n  "redis": {}\n}\n';
    const { code, stdout, stderr } = await start({ configFile }).ended;
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toMatch(/config\.json/);
    expect(stderr).toMatch(/line 4,? column 3/);
    expect(stderr).not.toMatch(/not found/);
  });

  test('an unknown key and a wrong type are refused too, all at once', async () => {
    const configFile = '{ "prot": 8080, "redis": { "hots": "x", "port": [] } }';
    const { code, stderr } = await start({ configFile }).ended;
    expect(code).toBe(78);
    for (const key of ['prot', 'redis.hots', 'redis.port']) expect(stderr).toContain(key);
  });
});

describe('"Server started" is logged before the port is bound; a taken port ends the process later', () => {
  test('F1.22 `Server started on port N` is logged once it is bound', async () => {
    const server = start({});
    const port = await server.port();
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });

  test('F1.22 EADDRINUSE is one line, and 1, at once', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const server = start({ env: { PORT: String(port) } });
    const { code, stdout } = await server.ended;
    taken.close();
    expect(code).toBe(1);
    const errors = server.log.filter(({ level }) => level === 'error' || level === 'fatal');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.['message']).toContain(`port ${port} is in use`);
    expect(stdout).not.toContain('Server started');
  });
});
