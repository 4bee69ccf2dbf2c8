import { describe, expect, test } from '@jest/globals';
import { parseRecord, recordAfter, textOf } from '../../../src/broker/redis/epoch-record.ts';

const VALUE = '0123456789abcdef';
const record = { value: VALUE, line: 'aaaa', seenUnder: 'bbbb' };

describe('record of an epoch', () => {
  test('begins its line with the first server whose replication is known', () => {
    const before = { value: VALUE, line: '', seenUnder: '' };
    const after = { value: VALUE, line: 'aaaa', seenUnder: 'aaaa' };
    expect(recordAfter(before, { id: 'aaaa', isPromoted: false }, false)).toEqual(after);
  });

  test('goes on on a server that was restarted, and knows it the next time', () => {
    const after = { ...record, seenUnder: 'cccc' };
    expect(recordAfter(record, { id: 'cccc', isPromoted: false }, false)).toEqual(after);
    expect(recordAfter(after, { id: 'cccc', isPromoted: false }, false)).toEqual(after);
  });

  test('begins a new line on a server that was promoted, once', () => {
    const after = { value: VALUE, line: 'cccc', seenUnder: 'cccc' };
    expect(recordAfter(record, { id: 'cccc', isPromoted: true }, false)).toEqual(after);
    expect(recordAfter(after, { id: 'cccc', isPromoted: true }, false)).toEqual(after);
  });

  test('begins a new line where events are gone, also when another instance has seen the server before', () => {
    const after = { value: VALUE, line: 'bbbb', seenUnder: 'bbbb' };
    expect(recordAfter(record, { id: 'bbbb', isPromoted: false }, true)).toEqual(after);
    expect(recordAfter(after, { id: 'bbbb', isPromoted: false }, true)).toEqual(after);
  });

  test('reads what it writes, and nothing else', () => {
    expect(parseRecord(textOf(record))).toEqual(record);
    const fresh = { value: VALUE, line: '', seenUnder: '' };
    expect(parseRecord(textOf(fresh))).toEqual(fresh);
    for (const text of ['', VALUE, `${VALUE}:`, `${VALUE}:a:b:c`, 'x:a:b', `${VALUE}:A:b`]) {
      expect(parseRecord(text)).toBeUndefined();
    }
  });
});
