import { describe, expect, test } from '@jest/globals';
import { nchan } from '../../../bench/dialects/nchan.ts';
import { plain } from '../../../bench/dialects/plain.ts';

const NEW = { lastId: undefined, session: undefined };
const text = Buffer.from('..{"id":"12-3","channel_id": "c0"}..');

describe('the plain dialect', () => {
  test('asks with the last id when there is one', () => {
    expect(plain.target('c0', NEW)).toBe('/');
    expect(plain.target('c0', { ...NEW, lastId: '12-3' })).toBe('/?last_id=12-3');
  });

  test('takes every text for an event, which ends with it', () => {
    expect(plain.isEvent(text, 2, text.length - 2)).toBe(true);
    expect(plain.eventEnd(text, 2, text.length - 2)).toBe(text.length - 2);
  });

  test('comes back with the id, which is first', () => {
    expect(plain.idOf(text, 2, text.length - 2)).toBe('12-3');
    expect(() => plain.idOf(text, 2, 10)).toThrow('without an id');
  });
});

describe('the dialect of nchan', () => {
  test('asks for its channel by the path', () => {
    expect(nchan.target('j1000-0', NEW)).toBe('/sub/j1000-0');
  });
});
