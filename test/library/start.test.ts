import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import {
  type Contract,
  createPublisher,
  createSignalbox,
  type SignalboxError,
  type SignalboxOptions,
} from '../../src/index.ts';
import { folder } from '../config/loading.ts';

/** Errors only: what is logged goes to standard output, and none of it is asked for here. */
const env = { PORT: '0', LOG_LEVEL: 'error', SIGNALBOX_DRAIN_MS: '0' };

const errorOf = (make: () => unknown): SignalboxError => {
  try {
    make();
  } catch (error) {
    return error as SignalboxError;
  }
  throw new Error('it threw nothing');
};

describe('a Signalbox in a program', () => {
  test('says where it listens, answers, and leaves nothing behind when it is stopped', async () => {
    const signalbox = createSignalbox({ env });
    const { host, port } = await signalbox.start();
    const url = `http://${host}:${port}/health`;
    expect((await fetch(url)).status).toBe(200);
    await signalbox.stop();
    expect(await signalbox.ended).toBe(0);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('takes a config file that is named, and reads none that is not', () => {
    const cwd = folder({ host: '127.0.0.1', broker: 'memory', jwtSecret: 'short' });
    expect(errorOf(() => createSignalbox({ env, cwd, file: 'config.json' })).code).toBe('config');
    expect(() => createSignalbox({ env, cwd })).not.toThrow();
  });

  test('takes its options over the environment, and says every problem of both at once', () => {
    const { code, problems } = errorOf(() =>
      createSignalbox({
        env: { PORT: 'x', JWT_SECRET: 'short' },
        config: { history: { maxLength: -1 }, nosuch: 1 } as object,
      }),
    );
    expect(code).toBe('config');
    expect(problems.map(({ key, source }) => `${key} in ${source}`).sort()).toEqual([
      'history.maxLength in the options',
      'jwtSecret in JWT_SECRET',
      'nosuch in the options',
      'port in PORT',
    ]);
  });

  test('needs no secret where the program says who its clients are', () => {
    const production = { ...env, NODE_ENV: 'production', SIGNALBOX_BROKER: 'memory' };
    const { problems } = errorOf(() => createSignalbox({ env: production }));
    expect(problems.map(({ code }) => code)).toEqual(['secret_missing']);
    expect(() => createSignalbox({ env: production, authenticate: () => null })).not.toThrow();
  });

  test('gives no tickets where there is no secret to sign them with, and says so', async () => {
    const production = {
      ...env,
      NODE_ENV: 'production',
      SIGNALBOX_BROKER: 'memory',
      SIGNALBOX_HOST: '127.0.0.1',
    };
    const signalbox = createSignalbox({ env: production, authenticate: () => ({ user: 'ann' }) });
    const { port } = await signalbox.start();
    const headers = { authorization: 'Bearer any' };
    const response = await fetch(`http://127.0.0.1:${port}/ticket`, { method: 'POST', headers });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('no jwtSecret') });
    await signalbox.stop();
  });

  test('refuses to have workers: it is one process, the one that makes it', () => {
    const several = { JWT_SECRET: 'x'.repeat(32), SIGNALBOX_WORKERS: '2', PORT: '0' };
    expect(errorOf(() => createSignalbox({ env: several })).problems.map(({ key }) => key)).toEqual([
      'workers',
    ]);
  });

  test('takes auto for one, so that a configuration may be shared with the command', async () => {
    const signalbox = createSignalbox({ env: { ...env, SIGNALBOX_WORKERS: 'auto' } });
    await signalbox.start();
    await signalbox.stop();
    expect(await signalbox.ended).toBe(0);
  });

  test('is started once, however often it is asked to', async () => {
    const signalbox = createSignalbox({ env });
    const [first, second] = await Promise.all([signalbox.start(), signalbox.start()]);
    expect(second).toEqual(first);
    expect(await signalbox.start()).toEqual(first);
    await signalbox.stop();
    await expect(fetch(`http://${first.host}:${first.port}/health`)).rejects.toThrow('fetch failed');
  });

  test('says in the message of the error what came, what was expected and what to do', () => {
    const { message } = errorOf(() =>
      createSignalbox({ env: { PORT: 'x', JWT_SECRET: 'short' }, port: 8080 } as object),
    );
    expect(message.split('\n')).toEqual([
      'The configuration has problems:',
      expect.stringMatching(/^ {2}- port \(from the options\): .* write config: \{ port: … \}\.$/),
      expect.stringMatching(/^ {2}- port \(from PORT\): "x"; expected a whole number from 0 to 65535\. /),
      expect.stringMatching(/^ {2}- jwtSecret \(from JWT_SECRET\): .*; expected .*\. /),
    ]);
    expect(message).not.toContain('short');
  });

  test('says nothing before its start and after its end, rather than something that nobody hears', async () => {
    const signalbox = createSignalbox({ env });
    const sayings = (): Promise<unknown>[] => [
      signalbox.publish('sport', 'article', 1),
      signalbox.publishToMany(['sport'], 'article', 1),
      signalbox.tell({ user: 'ann' }, 'notice'),
      signalbox.broadcast('notice'),
      signalbox.boot({ user: 'ann' }),
      signalbox.bootAll(),
    ];
    const early = { code: 'stopped', message: expect.stringContaining('call start first') };
    for (const said of sayings()) await expect(said).rejects.toMatchObject(early);
    await signalbox.start();
    await Promise.all(sayings());
    await signalbox.stop();
    for (const said of sayings()) await expect(said).rejects.toMatchObject({ code: 'stopped' });
    await expect(signalbox.start()).rejects.toMatchObject({ code: 'stopped' });
  });

  test('that was stopped before its start cannot be started', async () => {
    const signalbox = createSignalbox({ env });
    await signalbox.stop();
    await expect(signalbox.start()).rejects.toMatchObject({ code: 'stopped' });
    expect(await signalbox.ended).toBe(0);
  });

  test('rejects with the error of the bind when the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const starting = createSignalbox({ env: { ...env, PORT: String(port) } }).start();
    await expect(starting).rejects.toMatchObject({ code: 'listen', cause: { code: 'EADDRINUSE' } });
    await new Promise((resolve) => taken.close(resolve));
  });

  test.each(['signalbox', '/a/', '/a b', '/a/..', ''])('refuses the path %j', (path) => {
    expect(errorOf(() => createSignalbox({ env, path })).problems).toMatchObject([{ key: 'path' }]);
  });

  test('refuses options that it does not know or cannot use, all of them and the configuration at once', () => {
    const options = {
      env: { ...env, PORT: 'eighty' },
      authorise: () => false,
      onConnect: true,
      onAsk: { time: 5 },
      server: 7,
      logger: {},
      path: 'x',
    } as unknown as SignalboxOptions<Contract>;
    const { code, problems } = errorOf(() => createSignalbox(options));
    expect(code).toBe('config');
    expect(problems.map(({ key }) => key).sort()).toEqual(
      ['authorise', 'logger', 'onAsk', 'onConnect', 'path', 'port', 'server'].sort(),
    );
    expect(problems.find(({ key }) => key === 'authorise')?.advice).toBe('Did you mean authorize?');
  });

  test.each([null, 5, { env: null }, { config: 5 }])('refuses %j for its options', (options) => {
    expect(errorOf(() => createSignalbox(options as never))).toMatchObject({ code: 'config' });
    expect(errorOf(() => createPublisher(options as never))).toMatchObject({ code: 'config' });
  });

  test('takes an object of a class of the program, whatever else that has', async () => {
    class Application {
      readonly env = env;
      readonly members = new Set(['ann']);
      authenticate(): { user: string } {
        return { user: 'ann' };
      }
    }
    const signalbox = createSignalbox(new Application());
    await signalbox.stop();
    expect(await signalbox.ended).toBe(0);
  });

  test('gives its log lines to a logger of the program, redacted', async () => {
    const lines: [string, object, string][] = [];
    const level =
      (name: string) =>
      (fields: object, text: string): void =>
        void lines.push([name, fields, text]);
    const logger = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
    const signalbox = createSignalbox({ env: { ...env, LOG_LEVEL: 'info' }, logger });
    await signalbox.start();
    await signalbox.stop();
    expect(lines.map(([name]) => name)).toContain('info');
    expect(lines.map(([, , text]) => text)).toContain('This instance hears the others');
  });
});

describe('a publisher', () => {
  test('says nothing once it is closed', async () => {
    const publisher = createPublisher({ env: { ...env, REDIS_PORT: '1' }, logger: false });
    await publisher.close();
    await expect(publisher.publish('sport', 'article', 1)).rejects.toMatchObject({ code: 'stopped' });
    await expect(publisher.boot({ user: 'ann' })).rejects.toMatchObject({ code: 'stopped' });
  });

  test('says why nothing could be published or told', async () => {
    const nowhere = { redis: { url: 'redis://127.0.0.1:1' } };
    const publisher = createPublisher({ env: {}, config: nowhere, logger: false });
    const message = expect.stringMatching(/^The broker cannot be reached: .*ECONNREFUSED/);
    const refused = { code: 'unavailable', message };
    await expect(publisher.publish('a', 'b', 1)).rejects.toMatchObject(refused);
    await expect(publisher.tell({ user: 'ann' }, 'notice')).rejects.toMatchObject(refused);
    await publisher.close();
  });

  test('refuses the embedded broker, in which nobody would hear it', () => {
    expect(errorOf(() => createPublisher({ env })).problems).toMatchObject([
      { key: 'broker', code: 'conflict' },
    ]);
  });
});
