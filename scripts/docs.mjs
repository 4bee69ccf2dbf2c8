// Writes every generated file, from the compiled server: run `npm run build` first, or `npm run docs`.
//
//   node scripts/docs.mjs            writes what has changed
//   node scripts/docs.mjs --check    writes nothing, and fails when something would change
//
// To add one: a function that returns its text, and a line in `generated`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configJsonSchema, configurationMarkdown, errorsMarkdown } from '../dist/src/config/reference.js';
import { SUBJECTS } from '../dist/src/telemetry/metrics.js';
import { prometheusName } from '../dist/src/telemetry/prometheus-names.js';
import { machineMarkdown, machines } from './docs/machines.mjs';
import { metricsMarkdown } from './docs/metrics.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = 'docs/machines';

const generated = new Map([
  ['docs/configuration.md', configurationMarkdown()],
  ['docs/errors.md', errorsMarkdown()],
  ['config.schema.json', configJsonSchema()],
  ['docs/metrics.md', metricsMarkdown(SUBJECTS, prometheusName)],
]);
for (const { name, machine } of await machines(join(root, 'dist/machines'))) {
  generated.set(`${folder}/${name}.md`, machineMarkdown(name, machine));
}

const check = process.argv.includes('--check');
const changed = [...generated].filter(([path, text]) => {
  const file = join(root, path);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
});
// A machine that is gone must not leave its diagram behind.
const orphans = existsSync(join(root, folder))
  ? readdirSync(join(root, folder))
      .map((name) => `${folder}/${name}`)
      .filter((path) => !generated.has(path))
  : [];

for (const [path, text] of check ? [] : changed) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
for (const path of check ? [] : orphans) rmSync(join(root, path));

const paths = [...changed.map(([path]) => path), ...orphans];
for (const path of paths) console.log(`${check ? 'out of date' : 'written'}: ${path}`);
if (check && paths.length > 0) {
  console.error('Run `npm run docs` and commit what it writes.');
  process.exitCode = 1;
}
