import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { leaves } from '../../src/config/leaf.ts';
import { printProblems } from '../../src/config/print.ts';
import { loaded, problems, secret } from './loading.ts';

/** Texts that no key of a type takes, from the environment. */
const badText: Readonly<Record<string, fc.Arbitrary<string>>> = {
  integer: fc.constantFrom('many', '1.5', '-1', '20s', 'NaN', 'Infinity', '0x10', '1e3'),
  boolean: fc.constantFrom('yes', '1', 'on', 'flase'),
  array: fc.constantFrom('?', 'none'),
  string: fc.constantFrom('?'),
};

/** Values that no key of a type takes, from the file. */
const badValue: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  integer: fc.constantFrom<unknown>('many', 1.5, -1, null, true, {}, [1]),
  boolean: fc.constantFrom<unknown>('yes', 1, null, {}, []),
  array: fc.constantFrom<unknown>('a', 1, null, {}, [1], [null]),
  string: fc.constantFrom<unknown>(1, null, true, {}, []),
};

const known = (path: string) => leaves.filter((leaf) => leaf.path === path);

/** Every key but the one that must be right for the others to be alone, and the one that changes the rules. */
const planted = leaves.filter(({ path }) => path !== 'jwtSecret' && path !== 'strict');

/** Those for which some text is bad: not plain texts, and not lists of any text. */
const particular = [
  ...planted.filter(
    ({ type }) => type.type === 'integer' || type.type === 'boolean' || type.enum !== undefined,
  ),
  ...['redis.url', 'redis.sentinels', 'redis.cluster', 'jwtAlgorithms', 'apiKeys'].flatMap(known),
];

const inEnvironment = fc
  .subarray(particular)
  .chain((keys) =>
    fc.tuple(
      ...keys.map((leaf) =>
        (badText[leaf.type.type] ?? fc.constant('?')).map((text) => [leaf, text] as const),
      ),
    ),
  );

const inFile = fc
  .subarray(planted)
  .chain((keys) =>
    fc.tuple(
      ...keys.map((leaf) =>
        (badValue[leaf.type.type] ?? fc.constant(null)).map((value) => [leaf.path, value] as const),
      ),
    ),
  );

const unknownKeys = fc.uniqueArray(
  fc
    .string({ minLength: 1, maxLength: 12 })
    .filter((name) => !name.includes('.'))
    .map((name) => `~${name}`),
  { maxLength: 5 },
);

const nest = (values: readonly (readonly [string, unknown])[]): Record<string, unknown> => {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split('.');
    let group = root;
    for (const name of names.slice(0, -1)) group = (group[name] ??= {}) as Record<string, unknown>;
    group[names.at(-1) as string] = value;
  }
  return root;
};

describe('problems', () => {
  test('are as many as were planted, in the environment, in the file, and among the keys', () => {
    fc.assert(
      fc.property(inEnvironment, inFile, unknownKeys, (variables, values, names) => {
        const unknown = names.map((name) => [name, 'x'] as const);
        const config = { ...nest(values), ...Object.fromEntries(unknown) };
        const found = problems({
          config,
          env: {
            JWT_SECRET: secret,
            ...Object.fromEntries(variables.map(([leaf, text]) => [leaf.meta.env, text])),
          },
        });
        // An object in a list is told of by itself.
        const told = found.map(({ source, key }) => `${source} ${key.replace(/^routes\[0\]$/, 'routes')}`);
        expect(told.toSorted()).toEqual(
          [
            ...variables.map(([leaf]) => `${leaf.meta.env} ${leaf.path}`),
            ...[...values, ...unknown].map(([path]) => `config.json ${path}`),
          ].toSorted(),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('are none, whatever valid numbers are given', () => {
    const numbers = leaves.filter(({ type, path }) => type.type === 'integer' && path !== 'port');
    fc.assert(
      fc.property(fc.constantFrom(...numbers), fc.nat(), (leaf, seed) => {
        const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = leaf.type;
        const value = minimum + (seed % (Math.min(maximum, minimum + 1_000_000) - minimum + 1));
        const { config } = loaded({ env: { JWT_SECRET: secret, [leaf.meta.env]: String(value) } });
        expect(config).toBeDefined();
      }),
    );
  });

  test('are printed a line each, with key, source, what came, what was expected and what to do', () => {
    const env = { JWT_SECRET: secret, PING_SOCKETS_INTERVAL_MS: '20s', MAX_TOTAL_CONNECTIONS: 'many' };
    expect(printProblems(problems({ config: { prot: 1 }, env }))).toBe(
      `signalbox cannot start: 3 problems in its configuration
  - pingSocketsIntervalMs (from PING_SOCKETS_INTERVAL_MS): "20s"; expected a whole number of ms, 0 or more. Write 20000.
  - maxTotalConnections (from MAX_TOTAL_CONNECTIONS): "many"; expected a whole number of connections, 0 or more. Correct it, or remove it for the default: 0.
  - prot (from config.json): an unknown key, with a number; expected a key of docs/configuration.md. Did you mean port?
`,
    );
  });
});
