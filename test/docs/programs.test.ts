import { describe, expect, test } from '@jest/globals';
import { pageAt } from './pages.ts';
import { complaints, programsOf } from './programs.ts';

const PAGES = [
  'README.md',
  'docs/library.md',
  'docs/from-super-scaled-sockets.md',
  'docs/from-a-poc.md',
  'docs/from-socket-io.md',
  'docs/from-mercure.md',
];

/** It takes seconds, and a busy machine takes many. */
const LIMIT_MS = 120_000;

describe('the programs of the documentation', () => {
  test(
    'compile, by a strict compiler',
    async () => {
      const programs = PAGES.flatMap((path) =>
        programsOf(pageAt(path)).map(({ heading, text }) => {
          const name = `${path} ${heading}`.replaceAll(/[^A-Za-z0-9]+/g, '-');
          return [`${name}.ts`, text] as const;
        }),
      );
      expect(programs.length).toBeGreaterThan(15);
      expect(await complaints(Object.fromEntries(programs))).toBe('');
    },
    LIMIT_MS,
  );

  test(
    'would not, if they were wrong',
    async () => {
      const wrong = `import { createSignalbox } from 'signalbox';\ncreateSignalbox({ authorise: () => true });`;
      expect(await complaints({ 'wrong.ts': wrong })).toContain('authorise');
    },
    LIMIT_MS,
  );
});
