import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readJson } from '../../src/protocol/json-members.ts';

describe('readJson', () => {
  test.each([
    ['', 0],
    ['abc', 0],
    ['{"a":}', 5],
    ['{"a":1', 6],
    ['[1,]', 3],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['[1 2]', 3],
    ['{} x', 3],
    ['[}', 1],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ['01', 1],
    ['"open', 5],
    ['[[[', 3],
  ])('says where %j is broken', (text, position) => {
    expect(readJson(text)).toEqual({ ok: false, position });
  });

  test('gives the members of the top level as they were written, the last of a repeated name', () => {
    const read = readJson('{ "data" : 1, "n": {"data": 2, "b": [1, {}]} ,"data":\n12345678901234567890 }');
    expect(read.ok && [...read.members]).toEqual([
      ['data', '12345678901234567890'],
      ['n', '{"data": 2, "b": [1, {}]}'],
    ]);
  });

  test('finds names that are written with escapes', () => {
    const read = readJson('{"d\\u0061ta":[]}');
    expect(read.ok && read.members.get('data')).toBe('[]');
  });

  test('has no members of a list, nor of objects inside it', () => {
    expect(readJson('[{"data":1}]')).toEqual({ ok: true, members: new Map() });
  });

  test('takes any depth and any length', () => {
    const deep = 300_000;
    expect(readJson('['.repeat(deep) + ']'.repeat(deep)).ok).toBe(true);
    expect(readJson(`"${'a'.repeat(5_000_000)}"`).ok).toBe(true);
  });

  test('reads every value that JSON.stringify writes, and its members are those values', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (value, indent) => {
        const read = readJson(JSON.stringify(value, null, indent));
        expect(read.ok).toBe(true);
        if (!read.ok) return;
        for (const [name, text] of read.members) {
          expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value[name])));
        }
        expect(read.members.size).toBe(Object.keys(value).length);
      }),
    );
  });

  test('agrees with JSON.parse about what is JSON', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '.5',
      'e',
      'true',
      ' ',
      '\\',
      '\u0001',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');
        expect(readJson(text).ok).toBe(isJson(text));
      }),
      { numRuns: 20_000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
