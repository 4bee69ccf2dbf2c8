import { describe, expect, test } from '@jest/globals';
import { heldHeaders } from '../../src/upstream/answer-headers.ts';
import { endToEnd, fieldsOf, valuesOf } from '../../src/upstream/raw-headers.ts';

const nothing = (): boolean => false;

describe('headers as they came', () => {
  test('have names and values in turn', () => {
    expect([...fieldsOf(['A', '1', 'b', '2'])]).toEqual([
      ['A', '1'],
      ['b', '2'],
    ]);
    expect([...fieldsOf([])]).toEqual([]);
  });

  test('have every value of a name, in any case', () => {
    expect(valuesOf(['X-A', '1', 'x-b', '2', 'x-a', '3'], 'x-a')).toEqual(['1', '3']);
  });

  test('lose what is hop by hop, what Connection names, and what is removed', () => {
    const raw = [
      'A',
      '1',
      'connection',
      'Keep-Alive, X-B',
      'Connection',
      'x-c',
      'TE',
      't',
      'x-b',
      '2',
      'X-C',
      '3',
    ];
    expect(endToEnd([...raw, 'D', '4', 'E', '5'], (name) => name === 'd')).toEqual(['A', '1', 'E', '5']);
  });

  test('lose nothing for an empty name in Connection', () => {
    expect(endToEnd(['Connection', ', ,', 'A', '1'], nothing)).toEqual(['A', '1']);
  });
});

describe('the headers of a held stream', () => {
  test('are by name in lower case, several values in order', () => {
    const held = heldHeaders(['Set-Cookie', 'a', 'X', '1', 'set-cookie', 'b', 'SET-COOKIE', 'c'], nothing);
    expect({ ...held }).toEqual({ 'set-cookie': ['a', 'b', 'c'], x: '1' });
  });

  test('may be called as what every object has', () => {
    const held = heldHeaders(['__proto__', '1', 'constructor', '2', '__proto__', '3'], nothing);
    expect(Object.entries(held)).toEqual([
      ['__proto__', ['1', '3']],
      ['constructor', '2'],
    ]);
  });
});
