// Compiles the server into dist/, the panel into dist/panel/, and the client into client/dist/.
//
//   node scripts/build.mjs              always, into empty folders
//   node scripts/build.mjs --if-stale   only when dist/ is missing or older than a source: what `npm start` does
//
// Where there is nothing to build with (an installed package, `npm ci --omit=dev`) --if-stale takes the dist/
// that is there, and says what to do when there is none.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, 'dist/src/main.js');
const targets = [
  {
    project: 'tsconfig.build.json',
    outputs: ['dist/src', 'dist/machines'],
    entry,
    sources: ['src', 'machines', 'tsconfig.json', 'tsconfig.build.json', 'package.json'],
  },
  {
    project: 'client/tsconfig.json',
    outputs: ['client/dist'],
    entry: join(root, 'client/dist/index.js'),
    sources: ['client/src', 'client/tsconfig.json', 'tsconfig.json', 'package.json'],
  },
  {
    project: 'panel/tsconfig.json',
    outputs: ['dist/panel'],
    entry: join(root, 'dist/panel/index.html'),
    sources: ['panel', 'package.json'],
    // Types are checked with all others, by `npm run types`: here only the page is made.
    tool: ['vite', 'bin/vite.js', 'build', 'panel', '--logLevel', 'warn'],
  },
  // An image is built from the server's and the panel's sources alone.
].filter(({ project }) => existsSync(join(root, project)));

/** The time of the last change of a file, or of any file under a folder; 0 when it is not there. */
function changedAt(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}

/** A program of a package, or undefined where development dependencies are not installed. */
function program(name, file) {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file);
  } catch {
    return undefined;
  }
}

const isFresh = (target) =>
  existsSync(target.entry) &&
  target.sources.every((source) => changedAt(join(root, source)) <= changedAt(target.entry));

function build(stale) {
  const tsc = program('typescript', 'bin/tsc');
  if (tsc === undefined || !existsSync(join(root, 'src'))) {
    if (existsSync(entry)) return 0;
    console.error('There is no dist/ and no compiler to make it: run `npm ci` (without --omit=dev) first.');
    return 1;
  }
  for (const { project, outputs, tool } of stale) {
    // A file whose source is gone must not stay behind and be published.
    for (const output of outputs) rmSync(join(root, output), { recursive: true, force: true });
    const [name, file, ...args] = tool ?? ['typescript', 'bin/tsc', '-p', project];
    const { status } = spawnSync(process.execPath, [program(name, file), ...args], {
      cwd: root,
      stdio: 'inherit',
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

const stale = process.argv.includes('--if-stale') ? targets.filter((target) => !isFresh(target)) : targets;
process.exitCode = targets.length > 0 && stale.length === 0 ? 0 : build(stale);
