import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const { PATH = '', HOME = '' } = process.env;
const env = { PATH, HOME };

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

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
  let folder: string;
  let installed: string;
  let paths: readonly string[];

  // As an installation without development dependencies: what is packed, and links to what it depends on.
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-package-'));
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    const { stdout } = await run('npm', pack, { env, maxBuffer: 2 ** 24 });
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    paths = packed.files.map(({ path }) => path);
    installed = join(folder, 'node_modules/signalbox');
    mkdirSync(join(installed, 'node_modules'), { recursive: true });
    await run('tar', ['-xzf', join(folder, packed.filename), '-C', installed, '--strip-components=1']);
    for (const name of Object.keys(manifest.dependencies)) {
      const link = join(installed, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(resolve('node_modules', name), link);
    }
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('holds what is needed to run, and nothing else', () => {
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'config.schema.json',
        'dist/machines/socket.machine.js',
        'dist/src/index.d.ts',
        'dist/src/index.js',
        'dist/src/main.js',
        'package.json',
        'public/index.html',
      ]),
    );
    const needed =
      /^(?:LICENSE|README\.md|config\.schema\.json|package\.json|dist\/.*\.(?:js|d\.ts)|public\/(?:front\/)?[\w.-]+)$/;
    expect(paths.filter((path) => !needed.test(path))).toEqual([]);
  });

  test('its command says its version', async () => {
    const { stdout } = await run(process.execPath, [join(installed, 'dist/src/main.js'), '--version'], {
      env,
    });
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  test('its command serves the page in development mode, and ends with 0', async () => {
    const main = join(installed, 'dist/src/main.js');
    const child = spawn(process.execPath, [main], { cwd: folder, env: { ...env, PORT: '0' } });
    const page = await fetch(await started(child));
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Signalbox')]);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('starts a server where it is imported', async () => {
    writeFileSync(
      join(folder, 'app.mjs'),
      `import { start } from 'signalbox';
       const server = await start({ env: { PORT: '0', LOG_LEVEL: 'error', SIGNALBOX_DRAIN_MS: '0' } });
       const { status } = await fetch('http://127.0.0.1:' + server.port + '/health');
       await server.stop();
       console.log(status, await server.ended);`,
    );
    const { stdout } = await run(process.execPath, ['app.mjs'], { cwd: folder, env });
    expect(stdout).toBe('200 0\n');
  });

  test('has types that a strict program compiles with, and no library of theirs', async () => {
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(
      join(folder, 'app.ts'),
      `import { type Server, SignalboxError, start } from 'signalbox';
       const server: Server = await start({ env: { PORT: '0' }, file: 'config.json' });
       const port: number = server.port;
       const code: 'config' | 'listen' = new SignalboxError('config', String(port)).code;
       export { code };`,
    );
    const tsc = resolve('node_modules/typescript/bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', ''];
    const compiled = run(process.execPath, [tsc, ...options, '--listFiles', 'app.ts'], { cwd: folder, env });
    const { stdout } = await compiled.catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
    expect(stdout).toContain('signalbox/dist/src/index.d.ts');
    expect(stdout).not.toMatch(/fp-ts|xstate|ioredis|@types\/ws/);
  });

  test('npm start builds what is stale and starts it', async () => {
    // A group of its own: npm starts a shell, and that the server.
    const child = spawn('npm', ['start'], { env: { ...env, PORT: '0' }, detached: true });
    const { status } = await fetch(`${await started(child)}/health`);
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    await once(child, 'close');
    expect(status).toBe(200);
  }, 60_000);
});
