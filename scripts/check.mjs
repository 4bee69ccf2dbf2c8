// Everything that needs no Redis, in under a minute: lint, format, types, generated documentation, unit tests.
// All of it runs even when a step fails, so that one look shows everything that is wrong.
//
//   node scripts/check.mjs               all steps
//   node scripts/check.mjs lint types    these steps
import { spawnSync } from 'node:child_process';

/** Runs one script of package.json; true when it succeeded. */
function run(script, ...args) {
  const npm = process.env.npm_execpath;
  const [command, before] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const { status } = spawnSync(command, [...before, 'run', '--silent', script, '--', ...args], {
    stdio: 'inherit',
  });
  return status === 0;
}

const all = {
  lint: () => run('lint'),
  types: () => run('types'),
  docs: () => run('docs', '--check'),
  'test:unit': () => run('test:unit'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in all));
if (unknown.length > 0)
  throw new Error(`no such step: ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}`);
const steps = Object.entries(all).filter(([name]) => wanted.length === 0 || wanted.includes(name));

const results = steps.map(([name, step]) => {
  console.log(`\n── ${name}`);
  const begin = Date.now();
  const ok = step();
  return { name, ok, seconds: ((Date.now() - begin) / 1000).toFixed(1) };
});

console.log('');
for (const { name, ok, seconds } of results)
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
