// Gives every optional platform binary an entry in package-lock.json.
//
// npm writes an entry only for the packages its registry could show it. A registry that mirrors one platform
// leaves the others out, and `npm ci` elsewhere then installs a linter or a compiler without its binary,
// silently (npm/cli#4828). An entry added here has a version and a platform but no integrity, because nobody
// here has seen the archive; a later `npm install` against a full registry fills that in.
//
//   node scripts/lock-platforms.mjs            add what is missing
//   node scripts/lock-platforms.mjs --check    exit 1 when something is missing, or a registry is named
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const check = process.argv.includes('--check');

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el'];

/** The platform in a name like `core-linux-arm-gnueabihf`; undefined when the name tells none. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) return undefined;
  const abi = words.at(-1) ?? '';
  const libc =
    os !== 'linux'
      ? undefined
      : abi.startsWith('musl')
        ? 'musl'
        : abi.startsWith('gnu')
          ? 'glibc'
          : undefined;
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) };
}

const missing = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = platformOf(name);
    const known = lock.packages[`node_modules/${name}`] ?? lock.packages[`${path}/node_modules/${name}`];
    // A range could not be pinned from here; the binaries of one tool are always pinned to its own version.
    if (platform === undefined || known !== undefined || !/^\d/.test(version)) continue;
    const unsorted = { ...platform, ...(entry.dev ? { dev: true } : {}), optional: true };
    const sorted = Object.fromEntries(Object.entries(unsorted).sort(([a], [b]) => (a < b ? -1 : 1)));
    missing.push({ path: `node_modules/${name}`, entry: { version, ...sorted } });
  }
}

const registries = Object.entries(lock.packages).filter(
  ([, entry]) => entry.resolved !== undefined && !entry.link,
);

if (check) {
  for (const { path } of missing)
    console.error(`package-lock.json has no entry for ${path}: run node scripts/lock-platforms.mjs`);
  for (const [path] of registries)
    console.error(`package-lock.json names a registry for ${path}: see .npmrc`);
  process.exit(missing.length + registries.length > 0 ? 1 : 0);
}

for (const { path, entry } of missing) lock.packages[path] = entry;
const [root, ...rest] = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries([root, ...rest]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`added ${missing.length} entries`);
