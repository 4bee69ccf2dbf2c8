import { describe, expect, test } from '@jest/globals';
import { nowUs, sentAtIn, sequenceIn, stamp } from '../../bench/stamp.ts';

const event = (sequence: number, atUs: number): string => `{"channel_id": "c0", ${stamp(sequence, atUs)}`;

describe('stamp', () => {
  test.each([
    ['as it was published', (text: string) => text],
    ['serialised anew', (text: string) => JSON.stringify(JSON.parse(text))],
  ])('is read from the end of an event %s', (_, wire) => {
    const bytes = Buffer.from(`before${wire(event(42, 123_456_789))}after`);
    const end = bytes.length - 'after'.length;
    expect([sequenceIn(bytes, end), sentAtIn(bytes, end)]).toEqual([42, 123_456_789]);
  });

  test('is not seen where there is none', () => {
    const bytes = Buffer.from('{"channel_id": "c0", "status": "done", "result_url": "/nothing/of/the/kind"}');
    expect([sequenceIn(bytes, bytes.length), sentAtIn(bytes, bytes.length)]).toEqual([
      Number.NaN,
      Number.NaN,
    ]);
    expect(sequenceIn(Buffer.from('{}'), 2)).toBeNaN();
  });

  test('is by the clock that all processes share', () => {
    const before = Number(process.hrtime.bigint() / 1000n);
    expect(Math.abs(nowUs() - before)).toBeLessThan(1e6);
  });
});
