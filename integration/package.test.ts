import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  compile,
  type InstalledPackage,
  installPackage,
  namedInTypes,
  problemsOf,
  runProgram,
  USER_ENV as env,
} from './support/package.ts';

const run = promisify(execFile);

/** Starts a server and answers where it is, once it says so. */
async function started(child: ChildProcess): Promise<string> {
  let output = '';
  const said = new Promise<string>((done, fail) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const port = /Server started on port (\d+)/.exec(output)?.[1];
      if (port !== undefined) done(`http://127.0.0.1:${port}`);
    });
    child.once('close', () => fail(new Error(`it ended: ${output}`)));
  });
  return said;
}

describe('the package', () => {
  let installed: InstalledPackage;

  beforeAll(async () => {
    installed = await installPackage();
  }, 60_000);

  afterAll(() => installed.remove());

  test('holds what is needed to run, and nothing else', () => {
    expect(installed.files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'config.schema.json',
        'dist/machines/socket.machine.js',
        'dist/panel/index.html',
        'dist/src/index.d.ts',
        'dist/src/index.js',
        'dist/src/main.js',
        'docs/configuration.md',
        'docs/library.md',
        'package.json',
        'public/index.html',
      ]),
    );
    const needed =
      /^(?:LICENSE|README\.md|config\.schema\.json|package\.json|dist\/.*\.(?:js|d\.ts)|docs\/.*\.(?:md|svg)|dist\/panel\/(?:index\.html|assets\/[\w-]+\.(?:js|css|svg))|public\/(?:front\/)?[\w.-]+)$/;
    expect(installed.files.filter((path) => !needed.test(path))).toEqual([]);
  });

  test('its command says its version', async () => {
    const main = join(installed.path, 'dist/src/main.js');
    const { stdout } = await run(process.execPath, [main, '--version'], { env });
    expect(stdout).toBe(`${installed.manifest.version}\n`);
  });

  test.each(['token', 'publish', 'tail'])('its command %s is there', async (name) => {
    const main = join(installed.path, 'dist/src/main.js');
    const { stdout } = await run(process.execPath, [main, name, '--help'], { env });
    expect(stdout).toContain(`Usage: signalbox ${name} `);
  });

  test('its command serves the page in development mode, and ends with 0', async () => {
    const main = join(installed.path, 'dist/src/main.js');
    const child = spawn(process.execPath, [main], { cwd: installed.folder, env: { ...env, PORT: '0' } });
    const page = await fetch(await started(child));
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Signalbox')]);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('starts a server where it is imported', async () => {
    const printed = await runProgram(
      installed,
      'app.mjs',
      `import { createSignalbox } from 'signalbox';
       const signalbox = createSignalbox({ env: {}, config: { port: 0, logLevel: 'error', drainMs: 0 } });
       const { port } = await signalbox.start();
       const { status } = await fetch('http://127.0.0.1:' + port + '/health');
       await signalbox.stop();
       console.log(status, await signalbox.ended);`,
    );
    expect(printed).toBe('200 0\n');
  });

  test('can be required', async () => {
    const printed = await runProgram(
      installed,
      'app.cjs',
      `const { createSignalbox, SignalboxError } = require('signalbox');
       const { title } = require('signalbox/config.schema.json');
       try {
         createSignalbox({ env: { PORT: 'x' } });
       } catch (error) {
         console.log(error instanceof SignalboxError, error.code, typeof title);
       }`,
    );
    expect(printed).toBe('true config string\n');
  });

  test.each(['app.ts', 'app.cts'] as const)('has types that a strict %s compiles with', async (name) => {
    const source = `import { createPublisher, createSignalbox, type Signalbox, SignalboxError } from 'signalbox';
       import type { Callbacks, CallContext, Channel, SignalboxOptions, Socket, Speaker } from 'signalbox';
       interface Chat {
         channels: { lobby: { line: string }; [room: \`room:\${string}\`]: { line: string; topic: string } };
         asks: { time: { data: void; answer: number } };
       }
       export async function run(): Promise<string> {
         const signalbox: Signalbox<Chat> = createSignalbox<Chat>({
           config: { port: 0, history: { maxLength: 10 } },
           authenticate: ({ cookies }) => (cookies['user'] === undefined ? null : { user: cookies['user'] }),
           onAsk: { time: (_, { socket }) => socket.id.length },
         });
         const { port } = await signalbox.start();
         signalbox.onSocket((socket) => void socket.publish('lobby', 'line', 'hello'));
         // @ts-expect-error: a line is a text
         await createPublisher<Chat>().publish('lobby', 'line', 5);
         await signalbox.publishToMany(['lobby', 'room:7'], 'line', 'hello');
         // @ts-expect-error: the lobby has no topic
         await signalbox.publishToMany(['lobby', 'room:7'], 'topic', 'Football');
         return new SignalboxError('config', String(port)).code;
       }
       // Without a contract, where anything goes.
       export const options: SignalboxOptions & Callbacks = {
         onConnect: ({ locals }) => void (locals['role'] = 'reader'),
         onAsk: { who: (_: unknown, { socket }: CallContext) => socket.user },
       };
       export function welcome(socket: Socket, channel: Channel, speaker: Speaker): void {
         if (socket.isSubscribed(channel.name)) void speaker.publish(channel.name, 'joined', socket.user);
       }`;
    const { ok, output } = await compile(installed, name, source, { resolution: 'nodenext', types: 'node' });
    expect([ok, output]).toEqual([true, expect.stringContaining('signalbox/dist/src/index.d.ts')]);
    expect(output).not.toMatch(/fp-ts|xstate|ioredis|@types\/ws/);
  });

  test('has types that a bundler finds', async () => {
    const source = `import { createSignalbox } from 'signalbox';
       export const port: Promise<number> = createSignalbox().start().then((address) => address.port);`;
    const options = { resolution: 'bundler', types: 'node' } as const;
    expect(await compile(installed, 'app.ts', source, options)).toMatchObject({ ok: true });
  });

  test('has public types that name nothing of what it is made with', () => {
    const named = namedInTypes(installed);
    expect(named.filter((name) => /^(?:fp-ts|xstate|ws|ioredis)(?:\/|$)/.test(name))).toEqual([]);
    const dependencies = Object.keys(installed.manifest.dependencies ?? {});
    const isThere = (name: string) =>
      name.startsWith('node:') || dependencies.some((its) => name === its || name.startsWith(`${its}/`));
    expect(named.filter((name) => !isThere(name))).toEqual([]);
  });

  test('publint and are-the-types-wrong find nothing', async () => {
    expect(await problemsOf(installed)).toBe('');
  }, 60_000);

  test('npm start builds what is stale and starts it', async () => {
    // A group of its own: npm starts a shell, and that the server.
    const child = spawn('npm', ['start'], { env: { ...env, PORT: '0' }, detached: true });
    const { status } = await fetch(`${await started(child)}/health`);
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    await once(child, 'close');
    expect(status).toBe(200);
  }, 60_000);
});
