import { describe, expect, test } from '@jest/globals';
import { payloadOf } from '../../src/event/entry.ts';
import type { StreamId } from '../../src/event/stream-id.ts';

const payloadFrom = (...fields: string[]): string =>
  payloadOf({ id: '1-0' as StreamId, fields: fields.map((field) => Buffer.from(field)) }).toString();

describe("an entry's payload", () => {
  test('is the value of its field `data`, wherever that stands', () => {
    expect(payloadFrom('data', 'x')).toBe('x');
    expect(payloadFrom('v', '1', 'data', 'x', 'w', '2')).toBe('x');
  });

  test('is the value of its first field when it has no `data`', () => {
    expect(payloadFrom('message', 'x', 'other', 'y')).toBe('x');
  });

  test('is not taken from a value that is the text `data`', () => {
    expect(payloadFrom('kind', 'data', 'message', 'x')).toBe('data');
  });

  test('is empty when the field is, or when the only field has no value', () => {
    expect(payloadFrom('data', '')).toBe('');
    expect(payloadFrom('data')).toBe('');
  });
});
