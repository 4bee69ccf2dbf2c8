import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** A file and the rule that refuses it; left out: the one for imports. */
type Planted = {
  readonly what: string;
  readonly file: string;
  readonly source: string;
  readonly rule?: string;
};

const uses = (specifier: string) => `import { thing } from '${specifier}';\nexport const used = thing;\n`;
const usesType = (specifier: string) =>
  `import type { Thing } from '${specifier}';\nexport const used = (thing: Thing) => thing;\n`;
const reExports = (specifier: string) => `export { thing } from '${specifier}';\n`;

const forbidden: readonly Planted[] = [
  { what: 'ws in a machine', file: 'machines/a.ts', source: uses('ws') },
  { what: 'a type of ws in a machine', file: 'machines/b.ts', source: usesType('ws') },
  { what: 'ioredis in a machine', file: 'machines/c.ts', source: uses('ioredis') },
  { what: 'node:fs in a machine', file: 'machines/d.ts', source: uses('node:fs') },
  { what: 'node:timers/promises in a machine', file: 'machines/e.ts', source: uses('node:timers/promises') },
  {
    what: 'fs without its prefix in a machine',
    file: 'machines/f.ts',
    source: uses('fs'),
    rule: 'prefer-node-protocol',
  },
  { what: 'a value of src in a machine', file: 'machines/g.ts', source: uses('../src/event/stream-id.ts') },
  {
    what: 'a value of src re-exported by a machine',
    file: 'machines/h.ts',
    source: reExports('../src/x.ts'),
  },
  {
    what: 'the time of day in a machine',
    file: 'machines/i.ts',
    source: 'export const now = () => Date.now();\n',
    rule: 'no-restricted-globals',
  },
  {
    what: 'a timer in a machine',
    file: 'machines/j.ts',
    source: 'export const later = (act: () => void) => setTimeout(act, 1);\n',
    rule: 'no-restricted-globals',
  },
  { what: 'ws outside the transport', file: 'src/routing/a.ts', source: uses('ws') },
  { what: 'ws in the composition root', file: 'src/system.ts', source: uses('ws') },
  { what: 'ws in the broker', file: 'src/broker/redis/a.ts', source: uses('ws') },
  { what: 'ws in a protocol', file: 'src/protocol/superset/a.ts', source: uses('ws') },
  { what: 'ioredis outside the broker', file: 'src/telemetry/a.ts', source: uses('ioredis') },
  { what: 'ioredis in the transport', file: 'src/transport/a.ts', source: uses('ioredis') },
  { what: 'a file of ioredis in routing', file: 'src/routing/b.ts', source: uses('ioredis/built/Redis.js') },
  { what: 'fp-ts in the fast lane', file: 'src/routing/c.ts', source: uses('fp-ts/lib/Either.js') },
  { what: 'the broker in the transport', file: 'src/transport/b.ts', source: uses('../broker/ports.ts') },
  {
    what: 'a type of the broker in the transport',
    file: 'src/transport/c.ts',
    source: usesType('../broker/ports.ts'),
  },
  {
    what: 'the broker two folders up',
    file: 'src/transport/sse/d.ts',
    source: uses('../../broker/redis/x.ts'),
  },
  { what: 'the broker behind a route', file: 'src/upstream/a.ts', source: uses('../broker/ports.ts') },
  { what: 'the routing behind a route', file: 'src/upstream/b.ts', source: uses('../routing/outlet.ts') },
  { what: 'the transport in a protocol', file: 'src/protocol/b.ts', source: uses('../transport/frames.ts') },
  { what: 'the broker in a route', file: 'src/routes/a.ts', source: uses('../broker/ports.ts') },
  { what: 'the transport in auth', file: 'src/auth/a.ts', source: uses('../transport/routes.ts') },
  { what: 'the transport in routing', file: 'src/routing/d.ts', source: uses('../transport/routes.ts') },
  { what: 'the broker in an event', file: 'src/event/a.ts', source: uses('../broker/ports.ts') },
  { what: 'the system in one of its parts', file: 'src/transport/e.ts', source: uses('../system.ts') },
  { what: 'the server in one of its parts', file: 'src/telemetry/b.ts', source: uses('../main.ts') },
  { what: 'node:cluster outside the workers', file: 'src/telemetry/c.ts', source: uses('node:cluster') },
  { what: 'node:cluster in the command', file: 'src/main.ts', source: uses('node:cluster') },
  {
    what: 'the system in another part of the library',
    file: 'src/library/a.ts',
    source: uses('../system.ts'),
  },
  { what: 'the system in the primary', file: 'src/workers/a.ts', source: uses('../system.ts') },
  { what: 'the transport in the primary', file: 'src/workers/b.ts', source: uses('../transport/http.ts') },
  { what: "the workers' entry in one of its parts", file: 'src/workers/c.ts', source: uses('../worker.ts') },
  { what: 'the transport in a command', file: 'src/commands/a.ts', source: uses('../transport/frames.ts') },
  { what: 'the system in a command', file: 'src/commands/b.ts', source: uses('../system.ts') },
  { what: 'the server in the client', file: 'client/src/a.ts', source: uses('../../src/clock.ts') },
  {
    what: 'a type of the server in the client',
    file: 'client/src/b.ts',
    source: usesType('../../../src/x.ts'),
  },
  {
    what: 'a machine in the client',
    file: 'client/src/tabs/c.ts',
    source: uses('../../../machines/stub.ts'),
  },
  { what: 'a package in the client', file: 'client/src/d.ts', source: uses('ws') },
  { what: 'node:events in the client', file: 'client/src/e.ts', source: uses('node:events') },
  { what: 'a value of the server in the panel', file: 'panel/a.ts', source: uses('../src/clock.ts') },
  { what: 'a machine in the panel', file: 'panel/chart/b.ts', source: usesType('../../machines/stub.ts') },
  { what: 'a package in the panel', file: 'panel/c.ts', source: uses('xstate') },
  { what: 'node:fs in the panel', file: 'panel/d.ts', source: uses('node:fs') },
  { what: 'a cycle', file: 'src/auth/cycle-a.ts', source: uses('./cycle-b.ts'), rule: 'no-cycle' },
  {
    what: 'the way back of a cycle',
    file: 'src/auth/cycle-b.ts',
    source: uses('./cycle-a.ts'),
    rule: 'no-cycle',
  },
  {
    what: 'a default export',
    file: 'src/config/a.ts',
    source: 'export default 1;\n',
    rule: 'no-default-export',
  },
  {
    what: 'a skipped test',
    file: 'test/a.test.ts',
    source: "test.skip('is skipped', () => expect(1).toBe(1));\n",
    rule: 'no-disabled-tests',
  },
  {
    what: 'a test alone',
    file: 'test/b.test.ts',
    source: "test.only('is alone', () => expect(1).toBe(1));\n",
    rule: 'no-focused-tests',
  },
];

const allowed: readonly Planted[] = [
  { what: 'xstate in a machine', file: 'machines/y.ts', source: uses('xstate') },
  { what: 'another machine in a machine', file: 'machines/z.ts', source: uses('./stub.ts') },
  {
    what: 'a type of src in a machine',
    file: 'machines/x.ts',
    source: usesType('../src/event/stream-id.ts'),
  },
  { what: 'ws in the transport', file: 'src/transport/websocket/z.ts', source: uses('ws') },
  { what: 'ws in a command', file: 'src/commands/z.ts', source: uses('ws') },
  { what: 'ioredis in the broker', file: 'src/broker/redis/z.ts', source: uses('ioredis') },
  { what: 'node:cluster in the workers', file: 'src/workers/z.ts', source: uses('node:cluster') },
  { what: 'the client in the client', file: 'client/src/tabs/z.ts', source: uses('../host.ts') },
  { what: 'fp-ts in auth', file: 'src/auth/z.ts', source: uses('fp-ts/lib/Either.js') },
  { what: 'Preact in the panel', file: 'panel/y.ts', source: uses('preact/hooks') },
  {
    what: 'a type of the server in the panel',
    file: 'panel/z.ts',
    source: usesType('../src/inspect/api.ts'),
  },
  { what: 'node:fs in src', file: 'src/config/z.ts', source: uses('node:fs') },
  {
    what: 'every part in the composition root',
    file: 'src/system.ts',
    source: `${uses('./broker/redis/z.ts')}import { other } from './transport/websocket/z.ts';\nexport const more = other;\n`,
  },
];

const oxlint = resolve('node_modules/oxlint/bin/oxlint');

/** The lint's complaints by file, for a tree of these files under the project's own configuration. */
async function lint(
  tree: string,
  files: readonly Planted[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  for (const { file, source } of files) {
    await mkdir(dirname(join(tree, file)), { recursive: true });
    await writeFile(join(tree, file), source);
  }
  await copyFile('.oxlintrc.json', join(tree, '.oxlintrc.json'));
  const report = await new Promise<string>((done, fail) => {
    // Exit code 1 is the lint's answer; only a lint that could not run is an error.
    execFile(process.execPath, [oxlint, '-f', 'json', '.'], { cwd: tree }, (error, stdout) =>
      error !== null && typeof error.code !== 'number' ? fail(error) : done(stdout),
    );
  });
  const { diagnostics, number_of_files: seen } = JSON.parse(report) as {
    diagnostics: { filename: string; code: string }[];
    number_of_files: number;
  };
  expect(seen).toBe(files.length);
  const found = new Map<string, string[]>(files.map(({ file }) => [file, []]));
  for (const { filename, code } of diagnostics) found.get(filename.replaceAll('\\', '/'))?.push(code);
  return found;
}

describe('import boundaries', () => {
  let bad: string;
  let good: string;
  let complaints: ReadonlyMap<string, readonly string[]>;
  let silence: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    // Outside the working tree, so that a planted file is never seen by a lint or a build beside this test.
    bad = await mkdtemp(join(tmpdir(), 'boundaries-bad-'));
    good = await mkdtemp(join(tmpdir(), 'boundaries-good-'));
    complaints = await lint(bad, forbidden);
    silence = await lint(good, allowed);
  });

  afterAll(async () => {
    await rm(bad, { recursive: true, force: true });
    await rm(good, { recursive: true, force: true });
  });

  describe('the lint refuses', () => {
    test.each(forbidden)('$what', ({ file, rule = 'no-restricted-imports' }) => {
      expect(complaints.get(file)).toContainEqual(expect.stringContaining(`(${rule})`));
    });
  });

  describe('the lint lets pass', () => {
    test.each(allowed)('$what', ({ file }) => {
      expect(silence.get(file)).toEqual([]);
    });
  });

  test('no folder brings a lint configuration of its own, which would replace these rules', async () => {
    const tracked = await new Promise<string>((done, fail) => {
      execFile('git', ['ls-files', '*oxlintrc*', '*eslintrc*', '*oxlint.config.*'], (error, stdout) =>
        error === null ? done(stdout) : fail(error),
      );
    });
    expect(tracked.trim()).toBe('.oxlintrc.json');
  });
});
