import { describe, expect, test } from '@jest/globals';
import { queryParameter } from '../../src/protocol/request-target.ts';

describe('a parameter of a request target', () => {
  test.each([
    ['/?a=1', '1'],
    ['/?b=2&a=1#a=3', '1'],
    ['/?a=1&a=2', '1'],
    ['/?a=%41+b', 'A b'],
    ['/?a', ''],
    ['/?__proto__=1&a=x', 'x'],
    ['/', undefined],
    ['/?b=1', undefined],
    ['/#?a=1', '1'],
  ])('`a` of %s is %p', (target, value) => {
    expect(queryParameter(target, 'a')).toBe(value);
  });

  test.each(['__proto__', 'constructor'])('%s is absent when nobody wrote it', (name) => {
    expect(queryParameter('/?a=1', name)).toBeUndefined();
  });
});
