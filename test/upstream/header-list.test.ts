import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { headerItem, headerItems } from '../../src/upstream/header-list.ts';

const plain = (text: string) => {
  const { value, parameters } = headerItem(text);
  return [value, Object.fromEntries(parameters)];
};

describe('an item of a header', () => {
  test.each([
    ['a', ['a', {}]],
    [' a ; b=1 ', ['a', { b: '1' }]],
    ['a;b', ['a', { b: '' }]],
    ['a; B=1; b=2', ['a', { b: '1' }]],
    ['a; b="x; y, \\"z\\""; c=2', ['a', { b: 'x; y, "z"', c: '2' }]],
    ['a; b="open', ['a', { b: '"open' }]],
    ['a=1; b=c=d', ['a=1', { b: 'c=d' }]],
    ['', ['', {}]],
  ])('%j is read', (text, item) => {
    expect(plain(text)).toEqual(item);
  });
});

describe('the items of a header', () => {
  test('are separated by commas and by headers, outside of quotes', () => {
    const items = headerItems(['a; x="1,2", b', ' , c']);
    expect(items.map(({ value }) => value)).toEqual(['a', 'b', 'c']);
    expect(items[0]?.parameters.get('x')).toBe('1,2');
  });

  test('are had back, whatever is in quotes', () => {
    const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 1 }), (texts) => {
        const header = texts.map((text) => `v; p=${quoted(text)}`).join(',');
        expect(headerItems([header]).map(({ parameters }) => parameters.get('p'))).toEqual(texts);
      }),
    );
  });
});
