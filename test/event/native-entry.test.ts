import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { nativeFields, nativeFieldsOf, previousIdOf } from '../../src/event/native-entry.ts';
import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';

const id = '1700000000000-1' as StreamId;
const entryOf = (...fields: string[]) => ({ id, fields: fields.map((field) => Buffer.from(field)) });

describe('a native entry', () => {
  test('is read as it was written', () => {
    const topic = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
    const previous = fc.tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n));
    fc.assert(
      fc.property(fc.string(), topic, fc.uint8Array(), previous, (channel, named, bytes, [ms, seq]) => {
        const previousId = `${ms}-${seq}` as StreamId;
        const fields = nativeFields(channel, named, Buffer.from(bytes), previousId);
        expect(nativeFieldsOf({ id, fields })).toEqual({
          channel: Buffer.from(channel),
          topic: named === undefined ? undefined : Buffer.from(named),
          data: Buffer.from(bytes),
          previousId,
        });
        expect(previousIdOf({ id, fields })).toBe(previousId);
      }),
    );
  });

  test('is read whatever the order of its fields, and whatever else is among them', () => {
    const entry = entryOf('p', '5-1', 'x', 'c', 'd', '1', 'cc', 'no', 'c', 'a');
    expect(nativeFieldsOf(entry)).toEqual({
      channel: Buffer.from('a'),
      topic: undefined,
      data: Buffer.from('1'),
      previousId: '5-1',
    });
  });

  test.each([[[]], [['p', '']], [['p', '5']], [['p', '05-1']], [['p', '18446744073709551616-0']], [['p']]])(
    'without a sound previous id (%j) is the first of its channel',
    (fields) => {
      expect(previousIdOf(entryOf(...fields))).toBe(ZERO_ID);
    },
  );
});
