import { z } from 'zod';
import { jsonFault } from './json-fault.ts';
import type { Leaf } from './leaf.ts';
import type { ConfigProblem } from './problem.ts';
import { suggestion } from './suggestion.ts';
import { expected, kindOf, shown } from './words.ts';

/** Whether a key holds a list of objects, which is JSON in a variable. */
export const isListOfObjects = ({ type }: Leaf): boolean => type.items?.type === 'object';

/** The fields of the objects in a list. */
export const fieldsOf = ({ schema }: Leaf): Readonly<Record<string, z.ZodType>> => {
  const list = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
  const item = list instanceof z.ZodArray ? list.element : undefined;
  return item instanceof z.ZodObject ? item.shape : {};
};

/** The path of a field, as it is written in problems: `routes[0].path`. */
export const itemPath = (key: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`),
    key,
  );

/** What is wrong with a list of objects, one problem for each field. An unknown field is one, strict or not. */
export const itemProblems = (leaf: Leaf, value: unknown, source: string): readonly ConfigProblem[] => {
  const result = leaf.schema.safeParse(value);
  if (result.success) return [];
  if (!Array.isArray(value)) return [noList(leaf, value, source)];
  const fields = fieldsOf(leaf);
  return result.error.issues.flatMap((issue): readonly ConfigProblem[] => {
    const meta = fields[String(issue.path[1])]?.meta();
    if (issue.code === 'unrecognized_keys') {
      const known = meta === undefined ? Object.keys(fields) : [];
      const wanted = meta?.expected ?? `one of ${known.join(', ')}`;
      return issue.keys.map((name) => ({
        code: 'unknown_key' as const,
        key: itemPath(leaf.path, [...issue.path, name]),
        source,
        got: 'an unknown field',
        expected: wanted,
        advice: adviceFor(name, known),
      }));
    }
    const found = issue.path.reduce<unknown>(
      (at, step) => (at as Readonly<Record<PropertyKey, unknown>> | undefined)?.[step],
      value,
    );
    const isMissing = found === undefined;
    return [
      {
        code: 'bad_value',
        key: itemPath(leaf.path, issue.path),
        source,
        got: isMissing ? 'nothing' : meta?.secret === true ? kindOf(found) : shown(found),
        expected: meta?.expected ?? 'an object of the fields of docs/configuration.md',
        advice: isMissing ? 'Add it.' : 'Correct it.',
      },
    ];
  });
};

const noList = (leaf: Leaf, value: unknown, source: string): ConfigProblem => {
  const fault = typeof value === 'string' ? jsonFault(value) : undefined;
  return {
    code: 'bad_value',
    key: leaf.path,
    source,
    got:
      fault === undefined
        ? kindOf(value)
        : `not JSON: ${fault.found} at line ${fault.line}, column ${fault.column}`,
    expected: expected(leaf),
    advice: fault === undefined ? 'Put it in brackets.' : `Expected ${fault.expected} there.`,
  };
};

const adviceFor = (name: string, known: readonly string[]): string => {
  const meant = suggestion(name, known);
  return meant === undefined ? 'Remove it.' : `Did you mean ${meant}?`;
};
