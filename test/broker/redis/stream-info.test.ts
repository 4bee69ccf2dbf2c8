import { describe, expect, test } from '@jest/globals';
import {
  hasLost,
  mayHaveTrimmed,
  NO_STREAM,
  removedFrom,
  type StreamInfo,
  streamInfoOf,
} from '../../../src/broker/redis/stream-info.ts';
import { type StreamId, ZERO_ID } from '../../../src/event/stream-id.ts';

const id = (text: string) => text as StreamId;

/** Five entries, 1-0 to 5-0, of which the first `removed` are gone. */
const stream = (removed: number, counts: boolean): StreamInfo => ({
  lastId: id('5-0'),
  firstId: removed === 5 ? undefined : id(`${removed + 1}-0`),
  length: 5 - removed,
  added: counts ? 5 : undefined,
});

describe('stream info', () => {
  test('reads the reply of Redis 7', () => {
    const first = [Buffer.from('4-0'), [Buffer.from('data'), Buffer.from('x')]];
    const pairs = {
      length: 2,
      'last-generated-id': Buffer.from('5-0'),
      'entries-added': 5,
      'first-entry': first,
    };
    const reply = Object.entries(pairs).flatMap<unknown>(([name, value]) => [Buffer.from(name), value]);
    expect(streamInfoOf(reply)).toEqual(stream(3, true));
  });

  test('reads the reply of Redis 6.2, which does not count, of an empty stream', () => {
    const reply = ['length', 0, 'last-generated-id', '5-0', 'first-entry', null].map((part) =>
      typeof part === 'string' ? Buffer.from(part) : part,
    );
    expect(streamInfoOf(reply)).toEqual(stream(5, false));
  });

  test('knows how many entries were removed from Redis 7 on', () => {
    expect(removedFrom(stream(3, true))).toBe(3);
    expect(removedFrom(stream(3, false))).toBeUndefined();
  });

  test.each([true, false])(
    'something may have been trimmed only beyond the position (counts: %s)',
    (counts) => {
      const info = stream(2, counts);
      expect(mayHaveTrimmed(info, ZERO_ID)).toBe(true);
      expect(mayHaveTrimmed(info, id('1-0'))).toBe(true);
      for (const after of ['3-0', '3-7', '4-0', '5-0', '9-0'])
        expect(mayHaveTrimmed(info, id(after))).toBe(false);
    },
  );

  test.each([true, false])(
    'of a stream of which nothing is left, unless all was seen (counts: %s)',
    (counts) => {
      expect(mayHaveTrimmed(stream(5, counts), id('4-0'))).toBe(true);
      expect(mayHaveTrimmed(stream(5, counts), id('5-0'))).toBe(false);
    },
  );

  test('a stream that was never trimmed has lost nothing, whatever the position', () => {
    for (const after of ['0-0', '0-5', '1-0', '1-1'])
      expect(mayHaveTrimmed(stream(0, true), id(after))).toBe(false);
    expect(mayHaveTrimmed(NO_STREAM, id('3-0'))).toBe(false);
  });

  test('what was read and is gone was lost where older entries are there, or the end is before it', () => {
    expect(hasLost(stream(0, true), id('3-1'))).toBe(true);
    expect(hasLost(stream(0, true), id('6-0'))).toBe(true);
    expect(hasLost(stream(5, true), id('6-0'))).toBe(true);
    expect(hasLost(NO_STREAM, id('1-0'))).toBe(true);
  });

  test('what was read and is gone was trimmed where everything older is gone, too', () => {
    expect(hasLost(stream(3, true), id('3-0'))).toBe(false);
    expect(hasLost(stream(5, true), id('5-0'))).toBe(false);
  });
});
