import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { memberText } from '../../src/protocol/json-text.ts';

const cut = (text: string, key: string): string | undefined => memberText(Buffer.from(text), key)?.toString();

const space = fc.constantFrom('', ' ', '\n', '\t\r ');

/** An object's text with any space JSON allows around its keys and values. */
const spacedObject = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom('a', 'b', '__proto__', ''), fc.string()),
      fc.json(),
      space,
      space,
      space,
    ),
  )
  .map((members) => {
    const texts = members.map(([key, value, s, t, u]) => `${s}${JSON.stringify(key)}${t}:${u}${value}${s}`);
    return { text: ` {${texts.join(',')}} `, keys: members.map(([key]) => key) };
  });

describe("a member's text", () => {
  test('is what JSON.parse finds under its key, for any object', () => {
    fc.assert(
      fc.property(spacedObject, ({ text, keys }) => {
        const parsed = JSON.parse(text) as Record<string, unknown>;
        for (const key of keys) {
          expect(JSON.parse(cut(text, key) as string)).toEqual(
            Object.getOwnPropertyDescriptor(parsed, key)?.value,
          );
        }
        expect(cut(text, 'no such key at all')).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['{"a":1,"a":2}', '2'],
    ['{"\\u0061":3}', '3'],
    ['{"b":{"a":1},"a":"}\\\\\\""}', '"}\\\\\\""'],
    ['{"a":-1.50e+3}', '-1.50e+3'],
    ['{"a":[1,{"a":[]}] ,"b":null}', '[1,{"a":[]}]'],
    ['{ "a" : true }', 'true'],
  ])('of `a` in %s is %s', (text, expected) => {
    expect(cut(text, 'a')).toBe(expected);
  });
});
