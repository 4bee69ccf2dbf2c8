import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';

const MAX_BYTES = 6000;
/** With what tabs need. */
const MAX_BYTES_OF_TABS = 9500;
/** With what goes over HTTP. */
const MAX_BYTES_OF_SSE = 11_000;

/** As a page loads it: one file, minified. */
async function bundle(entry: string, format: 'esm' | 'iife'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format,
    globalName: 'client',
    target: 'es2022',
    platform: 'neutral',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

const gzipped = async (entry: string) => gzipSync(await bundle(entry, 'esm'), { level: 9 }).length;

describe('@signalbox/client', () => {
  test(`has at most ${MAX_BYTES} bytes, minified and gzipped`, async () => {
    expect(await gzipped('client/src/index.ts')).toBeLessThanOrEqual(MAX_BYTES);
  });

  test(`has at most ${MAX_BYTES_OF_TABS} bytes with tabs`, async () => {
    expect(await gzipped('client/src/tabs.ts')).toBeLessThanOrEqual(MAX_BYTES_OF_TABS);
  });

  test(`has at most ${MAX_BYTES_OF_SSE} bytes with the fallback`, async () => {
    expect(await gzipped('client/src/sse.ts')).toBeLessThanOrEqual(MAX_BYTES_OF_SSE);
  });

  test('says no less of its size', () => {
    const words = readFileSync('client/README.md', 'utf8').replaceAll('\n', ' ');
    expect(words.match(/less than [\d.]+ KB/g)).toEqual(
      [MAX_BYTES, MAX_BYTES_OF_TABS, MAX_BYTES_OF_SSE].map((bytes) => `less than ${bytes / 1000} KB`),
    );
  });

  test.each(['index', 'tabs', 'sse'])(
    '%s touches nothing when it is imported, not even where there is nothing',
    async (entry) => {
      const context = createContext(Object.create(null));
      runInContext(await bundle(`client/src/${entry}.ts`, 'iife'), context);
      expect(runInContext('typeof client.connect', context)).toBe('function');
    },
  );

  test('depends on nothing', () => {
    const manifest = JSON.parse(readFileSync('client/package.json', 'utf8')) as object;
    expect(Object.keys(manifest).filter((name) => /dependencies/i.test(name))).toEqual([]);
  });

  test('has the licence and the version of the server', () => {
    expect(readFileSync('client/LICENSE', 'utf8')).toBe(readFileSync('LICENSE', 'utf8'));
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(JSON.parse(readFileSync('client/package.json', 'utf8'))).toMatchObject({ version });
  });
});
