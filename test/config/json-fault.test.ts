import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { jsonFault } from '../../src/config/json-fault.ts';

describe('json fault', () => {
  test.each([
    ['', 1, 1, 'the end of the file'],
    ['{"a": 1,}', 1, 9, '"}"'],
    ['{\n  "a": x\n}', 2, 8, '"x"'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, '"\\""'],
    ["{'a': 1}", 1, 2, '"\'"'],
    ['{"a": 1} x', 1, 10, '"x"'],
    ['{"a": [1, 2', 1, 12, 'the end of the file'],
    ['{"a": "no\nend"}', 1, 7, '"\\""'],
    ['{\r\n// why\r\n"a": 1}', 2, 1, '"/"'],
    ['{"a": 01}', 1, 7, '"0"'],
    ['{"a" 1}', 1, 6, '"1"'],
    ['{"a": 1', 1, 8, 'the end of the file'],
    ['{"é": 1, 😀}', 1, 10, '"😀"'],
  ])('%j: line %d, column %d', (text, line, column, found) => {
    expect(jsonFault(text)).toMatchObject({ line, column, found });
  });

  test('is none in whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 1, '\t'), (text, indent) => {
        expect(jsonFault(JSON.stringify(JSON.parse(text), null, indent))).toBeUndefined();
      }),
    );
  });

  test('is found in exactly what JSON.parse refuses', () => {
    const character = fc.constantFrom(
      ...'{}[]",:0123.eE+-tfn u\\/ \n'.split(''),
      'true',
      '"a"',
      'null',
      '\u0001',
    );
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
        const text = characters.join('');
        let refused = false;
        try {
          JSON.parse(text);
        } catch {
          refused = true;
        }
        expect(jsonFault(text) !== undefined).toBe(refused);
      }),
      { numRuns: 5000 },
    );
  });
});
