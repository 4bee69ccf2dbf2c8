// Everything that needs no Redis, in under a minute: lint, format, types, generated documentation, unit tests.
// All of it runs even when a step fails, so that one look shows everything that is wrong.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Runs one script of package.json; true when it succeeded. */
function run(script) {
  const npm = process.env.npm_execpath;
  const [command, before] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const { status } = spawnSync(command, [...before, 'run', '--silent', script], { stdio: 'inherit' });
  return status === 0;
}

/** A digest for each file under these paths. */
function digests(paths) {
  const found = new Map();
  const walk = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
    else found.set(path, createHash('sha256').update(readFileSync(path)).digest('hex'));
  };
  paths.forEach(walk);
  return found;
}

/** Writes what is generated once more: nothing may change. Compared with the files, not with a commit. */
function docs() {
  const before = digests(['docs', 'config.schema.json']);
  if (!run('docs')) return false;
  const after = digests(['docs', 'config.schema.json']);
  const changed = [...after].filter(([path, digest]) => before.get(path) !== digest).map(([path]) => path);
  for (const path of changed) console.error(`${path} was out of date, and is now rewritten: commit it.`);
  return changed.length === 0;
}

const steps = {
  lint: () => run('lint'),
  types: () => run('types'),
  ...('docs' in scripts ? { docs } : {}),
  'test:unit': () => run('test:unit'),
};

const results = Object.entries(steps).map(([name, step]) => {
  console.log(`\n── ${name}`);
  const begin = Date.now();
  const ok = step();
  return { name, ok, seconds: ((Date.now() - begin) / 1000).toFixed(1) };
});

console.log('');
for (const { name, ok, seconds } of results)
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
