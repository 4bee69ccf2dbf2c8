import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const { PATH = '', HOME = '' } = process.env;

/** What programs of a package's user are run with: nothing of the tests' own environment. */
export const USER_ENV = { PATH, HOME };

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** A package as its user has it: packed, and installed in an otherwise empty folder. */
export interface InstalledPackage {
  readonly manifest: Manifest;
  /** The user's folder, whose package.json says that it is of ES modules. */
  readonly folder: string;
  /** The package's own folder. */
  readonly path: string;
  readonly tarball: string;
  /** Every file that was packed. */
  readonly files: readonly string[];
  remove(): void;
}

/**
 * Packs a package of this repository and installs it: what is packed, and links to what it depends on. No registry is
 * asked, and development dependencies are not there.
 */
export async function installPackage(source = '.'): Promise<InstalledPackage> {
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest;
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-package-'));
  const pack = ['pack', resolve(source), '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { env: USER_ENV, maxBuffer: 2 ** 24 });
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  const tarball = join(folder, packed.filename);
  const path = join(folder, 'node_modules', manifest.name);
  mkdirSync(path, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', path, '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies ?? {})) link(path, name);
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  return {
    manifest,
    folder,
    path,
    tarball,
    files: packed.files.map((file) => file.path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Installs what is installed here in a folder too. */
function link(folder: string, name: string): void {
  const target = join(folder, 'node_modules', name);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(resolve('node_modules', name), target);
}

/** Runs a program of the user and gives what it printed. */
export async function runProgram(
  { folder }: InstalledPackage,
  name: string,
  source: string,
): Promise<string> {
  writeFileSync(join(folder, name), source);
  const { stdout } = await run(process.execPath, [name], { cwd: folder, env: USER_ENV });
  return stdout;
}

/** How a user may have the compiler find a package. */
export const RESOLUTIONS = {
  nodenext: ['--module', 'nodenext'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
} as const;

export interface Compilation {
  readonly resolution: keyof typeof RESOLUTIONS;
  readonly lib?: string;
  /** What the user has of DefinitelyTyped: nothing, or Node's. */
  readonly types?: 'node';
  /** What else is installed beside the package. */
  readonly beside?: readonly string[];
}

/** Compiles the user's program, and the package's own types with it; gives what the compiler said, files included. */
export async function compile(
  { folder }: InstalledPackage,
  name: string,
  source: string,
  { resolution, lib = 'es2022', types, beside = [] }: Compilation,
): Promise<{ readonly ok: boolean; readonly output: string }> {
  writeFileSync(join(folder, name), source);
  if (types !== undefined) link(folder, `@types/${types}`);
  for (const one of beside) link(folder, one);
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false'];
  const surroundings = ['--target', 'es2022', '--lib', lib, '--types', types ?? '', '--listFiles'];
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const args = [tsc, ...options, ...RESOLUTIONS[resolution], ...surroundings, name];
  return run(process.execPath, args, { cwd: folder, env: USER_ENV }).then(
    ({ stdout }) => ({ ok: true, output: stdout }),
    (error: { stdout: string }) => ({ ok: false, output: error.stdout }),
  );
}

/** What two programs that know how packages go wrong say of the tarball. Empty: nothing is wrong. */
export async function problemsOf({ tarball }: InstalledPackage): Promise<string> {
  const judges = [
    ['publint/src/cli.js', 'run', tarball, '--strict'],
    // Its other profiles want what a package of ES modules does not have.
    ['@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only'],
  ];
  const said = judges.map(async ([program = '', ...args]) =>
    run(process.execPath, [resolve('node_modules', program), ...args], { env: USER_ENV }).then(
      () => '',
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    ),
  );
  return (await Promise.all(said)).join('');
}

/** Imports, re-exports, imported types and the references of triple slashes. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*|<reference (?:types|path)=)(['"])([^'"]+)\1/g;

/**
 * Every declaration file that can be reached from a package's entries, with what it imports by name. Throws when
 * an entry has no types, or a file is not in the package.
 */
export function declarationsOf({ manifest, path }: InstalledPackage): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    const specifiers = [...readFileSync(file, 'utf8').matchAll(SPECIFIER)].map(([, , name = '']) => name);
    found.set(
      file,
      specifiers.filter((name) => !name.startsWith('.')),
    );
    for (const name of specifiers.filter((relative) => relative.startsWith('.'))) {
      const target = join(dirname(file), name);
      visit(target.endsWith('.d.ts') ? target : target.replace(/\.[jt]s$/, '.d.ts'));
    }
  };
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (entry.endsWith('.json')) continue;
    if (typeof target === 'string' || Object.keys(target)[0] !== 'types') {
      throw new Error(`exports of ${entry} do not begin with types`);
    }
    const types = join(path, target['types'] ?? '');
    if (!existsSync(types)) throw new Error(`the types of ${entry} are not packed`);
    visit(types);
  }
  return found;
}

/** Every package and module that a package's types import, by the name they import it by. */
export function namedInTypes(installed: InstalledPackage): readonly string[] {
  return [...new Set([...declarationsOf(installed).values()].flat())].sort();
}
