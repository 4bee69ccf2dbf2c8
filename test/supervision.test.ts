import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { LoadedConfig } from '../src/config/loaded.ts';
import { type Log, type StartReport, type Supervised, supervise } from '../src/supervision.ts';
import { loaded as load, secret } from './config/loading.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
});

/** The least that is a whole server: it listens, and ends when it is told to or crashes. */
const tcpServer = (port: number, failing: { readonly stop?: Error } = {}) => {
  const server = createServer();
  servers.push(server);
  let end: (code: number) => void = () => {};
  let bound: Promise<unknown> = Promise.resolve();
  const system: Supervised = {
    ended: new Promise((resolve) => {
      end = resolve;
    }),
    start: async () => {
      const listening = once(server, 'listening');
      bound = listening.catch(() => {});
      server.listen(port, '127.0.0.1');
      await listening;
      return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    },
    stop: async () => {
      if (failing.stop !== undefined) throw failing.stop;
      await bound;
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      end(0);
    },
  };
  return { system, server, crash: (code: number) => end(code) };
};

const development = (): LoadedConfig => load({ env: { SIGNALBOX_DRAIN_MS: '0' } });

/** Supervises a server in a process of its own kind: signals are emitted, and the exit is awaited. */
const run = (system: Supervised, loaded: LoadedConfig, report?: StartReport) => {
  const process = new EventEmitter();
  const lines: string[] = [];
  const written = new EventEmitter();
  const write = (level: string) => (_: object, text: string) => {
    lines.push(`${level} ${text}`);
    written.emit('line');
  };
  const log: Log = { info: write('info'), warn: write('warn'), error: write('error'), fatal: write('fatal') };
  const codes: number[] = [];
  const exited = new Promise<number>((resolve) => {
    void supervise(system, loaded, {
      process,
      log,
      ...(report !== undefined && { report }),
      exit: (code) => {
        codes.push(code);
        resolve(code);
      },
    });
  });
  const said = async (text: string): Promise<void> => {
    while (!lines.some((line) => line.includes(text)))
      await new Promise((resolve) => written.once('line', resolve));
  };
  return { process, lines, codes, exited, said };
};

describe('supervision', () => {
  test('says that the server started once the port is bound, and what to open in development mode', async () => {
    const { system, server } = tcpServer(0);
    const { process, lines, exited, said } = run(system, development());
    expect(lines).toEqual([]);
    await said('Open');
    const { port } = server.address() as AddressInfo;
    expect(lines).toEqual([`info Server started on port ${port}`, `info Open http://127.0.0.1:${port}/`]);
    process.emit('SIGTERM', 'SIGTERM');
    expect(await exited).toBe(0);
  });

  test('has no address to open in production mode', async () => {
    const { system } = tcpServer(0);
    const { process, lines, exited, said } = run(system, load({ env: { JWT_SECRET: secret } }));
    await said('Server started');
    process.emit('SIGTERM', 'SIGTERM');
    await exited;
    expect(lines.some((line) => line.includes('Open'))).toBe(false);
  });

  test.each(['SIGTERM', 'SIGINT'])('%s stops in order and ends with 0', async (signal) => {
    const { system, server } = tcpServer(0);
    const { process, exited, said } = run(system, development());
    await said('Server started');
    process.emit(signal, signal);
    expect(await exited).toBe(0);
    expect(server.listening).toBe(false);
  });

  test('a second signal ends at once with 1, whatever is still open', async () => {
    const { system, server } = tcpServer(0);
    const never = { ...system, stop: () => new Promise<void>(() => {}) };
    const { process, exited, said } = run(never, development());
    await said('Server started');
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGINT', 'SIGINT');
    expect(await exited).toBe(1);
    expect(server.listening).toBe(true);
  });

  test('a taken port is one line and 1', async () => {
    const first = tcpServer(0);
    const { port } = await first.system.start();
    const loaded = load({ env: { PORT: String(port) } });
    const { lines, exited } = run(tcpServer(port).system, loaded);
    expect(await exited).toBe(1);
    expect(lines).toEqual([`error Cannot listen: 127.0.0.1 port ${port} is in use by another process`]);
  });

  test('a taken port of the admin listener is another line', async () => {
    const first = tcpServer(0);
    const { port } = await first.system.start();
    const loaded = load({ env: { PORT: '1', SIGNALBOX_ADMIN_PORT: String(port) } });
    const { lines, exited } = run(tcpServer(port).system, loaded);
    expect(await exited).toBe(1);
    expect(lines).toEqual([
      `error Cannot listen: 127.0.0.1 port ${port} (admin.port) is in use by another process`,
    ]);
  });

  test('tells of the start where it is asked to, and leaves the log alone', async () => {
    const told: unknown[] = [];
    const report: StartReport = {
      started: ({ port }) => told.push(port),
      failed: ({ code }) => told.push(code),
    };
    const first = tcpServer(0);
    const { process, lines, exited } = run(first.system, development(), report);
    await once(first.server, 'listening');
    const { port } = first.server.address() as AddressInfo;
    const second = run(tcpServer(port).system, development(), report);
    expect(await second.exited).toBe(1);
    expect(told).toEqual([port, 'EADDRINUSE']);
    process.emit('SIGTERM', 'SIGTERM');
    expect(await exited).toBe(0);
    expect([...lines, ...second.lines]).toEqual(['info Draining']);
  });

  test.each(['uncaughtException', 'unhandledRejection'])(
    '%s is logged, drained and ends with 1',
    async (event) => {
      const { system, server } = tcpServer(0);
      const { process, lines, exited, said } = run(system, development());
      await said('Server started');
      process.emit(event, new Error('a bug'));
      process.emit(event, new Error('another'));
      expect(await exited).toBe(1);
      expect(server.listening).toBe(false);
      expect(lines.filter((line) => line.startsWith('fatal'))).toHaveLength(2);
    },
  );

  test('a server that ends by itself ends the process with its code', async () => {
    const { system, crash } = tcpServer(0);
    const { exited, said } = run(system, development());
    await said('Server started');
    crash(1);
    expect(await exited).toBe(1);
  });

  test('a stop that fails ends with 1', async () => {
    const { system } = tcpServer(0, { stop: new Error('stuck') });
    const { process, exited, said } = run(system, development());
    await said('Server started');
    process.emit('SIGTERM', 'SIGTERM');
    expect(await exited).toBe(1);
  });

  test.each([
    ['settles late', (start: Promise<never>) => start],
    ['never settles', () => new Promise<never>(() => {})],
    ['is refused', () => Promise.reject(new Error('stopped'))],
  ])('a signal during a start that %s is no failure', async (_, start) => {
    const { system } = tcpServer(0);
    const { process, codes, exited } = run(
      { ...system, start: () => start(system.start() as Promise<never>) },
      development(),
    );
    process.emit('SIGTERM', 'SIGTERM');
    expect(await exited).toBe(0);
    expect(codes).toEqual([0]);
  });
});
