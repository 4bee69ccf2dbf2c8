import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from '@swc/core';
import { WebSocket } from 'ws';
import * as client from '../../client/src/index.ts';
import * as library from '../../src/index.ts';
import { byName } from '../library/program.ts';

/** The TypeScript below one heading of a page. */
export interface Program {
  readonly heading: string;
  readonly text: string;
}

/**
 * The programs of a page: all blocks below one heading are one, and where it imports nothing it goes on with the first
 * of the page.
 */
export function programsOf(page: string): readonly Program[] {
  const programs: Program[] = [];
  let heading = '';
  for (const [, title, body] of page.matchAll(/^#+ (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
    heading = title ?? heading;
    if (body === undefined) continue;
    const last = programs.at(-1);
    if (last?.heading === heading) programs[programs.length - 1] = { heading, text: `${last.text}\n${body}` };
    else programs.push({ heading, text: body });
  }
  const [first] = programs;
  return programs.map((program) =>
    /^import /m.test(program.text) ? program : { ...program, text: `${first?.text ?? ''}\n${program.text}` },
  );
}

export function programBelow(page: string, heading: string): string {
  const found = programsOf(page).find((program) => program.heading === heading);
  if (found === undefined) throw new Error(`there is no program below ${heading}`);
  return found.text;
}

/** What a strict compiler says of programs, by the names of their files. */
export async function complaints(programs: Readonly<Record<string, string>>): Promise<string> {
  // Where the packages are found that a reader would have installed.
  const folder = mkdtempSync(resolve('node_modules/.programs-'));
  try {
    const options = {
      target: 'es2023',
      lib: ['es2023', 'dom'],
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
      paths: {
        signalbox: [resolve('src/index.ts')],
        '@signalbox/client': [resolve('client/src/index.ts')],
      },
    };
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: Object.keys(programs) }),
    );
    // A program is a module, also where it imports and exports nothing.
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(folder, name), `${text}\nexport {};\n`);
    return await said([resolve('node_modules/typescript/bin/tsc'), '-p', folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function said(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (text += String(data)));
  await new Promise((done) => child.on('close', done));
  return text;
}

/**
 * Runs programs of pages, on ports that are free, and ends what they began. Where a program leaves it to tokens who its
 * clients are, a client's token is its name.
 */
export class Stage {
  readonly signalboxes: library.Signalbox[] = [];
  readonly connections: client.Connection[] = [];
  /** What was said on the console. */
  readonly console: unknown[][] = [];
  readonly #modules: Readonly<Record<string, unknown>>;
  readonly #onConsole: ((values: unknown[]) => void)[] = [];
  readonly #toEnd: (() => unknown)[] = [];
  /** Where clients of a program find the server, whatever URL they give. */
  url = '';
  /** Who a client of a program is, where it has a token. */
  token = 'ann';

  /** `modules`: what programs import beside the two packages, by name. */
  constructor(modules: Readonly<Record<string, unknown>> = {}) {
    this.#modules = modules;
  }

  /** Resolves with the named things of the program when its end is reached. */
  async run<T extends Readonly<Record<string, unknown>>>(
    text: string,
    names: readonly (keyof T & string)[] = [],
    given: Readonly<Record<string, unknown>> = {},
  ): Promise<T> {
    const { code } = await transform(text.replaceAll(/listen\(\d+/g, 'listen(0'), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs', strict: false },
    });
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
      ...lines: string[]
    ) => (...values: unknown[]) => Promise<T>;
    const log = (...values: unknown[]): void => {
      this.console.push(values);
      for (const listener of this.#onConsole) listener(values);
    };
    const all = {
      require: (name: string) => this.#require(name),
      exports: {},
      console: { log, error: log, warn: log },
      ...given,
    };
    const body = `${code}\nreturn { ${names.join(', ')} };`;
    return await new AsyncFunction(...Object.keys(all), body)(...Object.values(all));
  }

  /** Runs a program as it is in a process of its own, on a free port; resolves with that of its `server`. */
  async spawn(text: string): Promise<number> {
    const folder = mkdtempSync(resolve('node_modules/.programs-'));
    this.onEnd(() => rmSync(folder, { recursive: true }));
    const { code } = await transform(
      `${text.replaceAll(/listen\(\d+/g, 'listen(0')}
       server.once('listening', () => process.send(server.address().port));`,
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    );
    const source = pathToFileURL(resolve('src/index.ts')).href;
    const file = join(folder, 'program.mjs');
    writeFileSync(file, code.replace(/from ["']signalbox["']/, `from '${source}'`));
    const child = fork(file, {
      cwd: folder,
      env: { PATH: process.env['PATH'], LOG_LEVEL: 'error' },
      execArgv: ['--import', pathToFileURL(resolve('test/source-loader.mjs')).href],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.onEnd(() => {
      child.kill();
      return child.exitCode ?? child.signalCode ?? once(child, 'exit');
    });
    return await new Promise((done, fail) => {
      child.once('message', (port) => done(Number(port)));
      child.once('exit', (exitCode) => fail(new Error(`it ended with ${exitCode}`)));
    });
  }

  /** Calls back with what is said on the console from now on. */
  onConsole(listener: (values: unknown[]) => void): void {
    this.#onConsole.push(listener);
  }

  /** Ends it with everything else, before what was given earlier. */
  onEnd(end: () => unknown): void {
    this.#toEnd.unshift(end);
  }

  /** A client of the one server that a program started. */
  connect(token: string, path = ''): client.Connection {
    return this.#connect(`${this.url}${path}`, { token: () => token });
  }

  async end(): Promise<void> {
    for (const connection of this.connections) connection.close();
    await Promise.all(this.signalboxes.map((signalbox) => signalbox.stop()));
    for (const end of this.#toEnd) await end();
  }

  #require(name: string): unknown {
    if (name === 'signalbox') return { ...library, createSignalbox: this.#createSignalbox };
    if (name === '@signalbox/client') {
      return { ...client, connect: (_: string, options?: object) => this.#connect(this.url, options) };
    }
    if (name in this.#modules) return this.#modules[name];
    throw new Error(`there is no module ${name}`);
  }

  readonly #createSignalbox = (options: library.SignalboxOptions = {}): library.Signalbox => {
    // Who says what its environment is, says everything.
    if (options.env !== undefined) return library.createSignalbox(options);
    const { broker: _, redis: __, ...config } = options.config ?? {};
    const signalbox = library.createSignalbox({
      ...(byName as Pick<library.SignalboxOptions, 'authenticate'>),
      env: {},
      logger: false,
      ...options,
      config: { ...config, broker: 'memory', host: '127.0.0.1', port: 0, drainMs: 0 },
    });
    this.signalboxes.push(signalbox);
    const start = async (): Promise<library.Address> => {
      const address = await signalbox.start();
      if (options.server === undefined) this.url = `ws://127.0.0.1:${address.port}`;
      return address;
    };
    return Object.assign(Object.create(signalbox) as library.Signalbox, { start });
  };

  #connect(url: string, options: Partial<client.ConnectOptions> = {}): client.Connection {
    const connection = client.connect(url, {
      backoffMs: 10,
      ...options,
      WebSocket: WebSocket as unknown as client.WebSocketConstructor,
      token: options.token ?? (() => this.token),
    });
    this.connections.push(connection);
    return connection;
  }
}
