import { describe, expect, test } from '@jest/globals';
import { BatchCount, MAX_BATCH_BYTES } from '../../../src/broker/redis/batch-count.ts';

const KIB = 1024;

/** Reads `batches` full batches of entries of one size. */
function read(count: BatchCount, entryBytes: number, batches: number): number[] {
  return Array.from({ length: batches }, () => {
    const next = count.next(1000);
    count.record(next, next * entryBytes);
    return next;
  });
}

describe('batch count', () => {
  test('doubles from a few entries up to what is wanted while they are small', () => {
    expect(read(new BatchCount(), 300, 10)).toEqual([4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]);
  });

  test('stays where a batch fits the bytes', () => {
    for (const next of read(new BatchCount(), 100 * KIB, 20)) {
      expect(next * 100 * KIB).toBeLessThanOrEqual(MAX_BATCH_BYTES);
    }
  });

  test('falls at once when entries get larger, and rises again slowly', () => {
    const count = new BatchCount();
    read(count, 300, 10);
    count.record(1000, 1000 * 100 * KIB);
    expect(count.next(1000)).toBeLessThanOrEqual(40);
    const rising = read(count, 300, 40);
    expect(rising[1]).toBeLessThan(120);
    expect(rising.at(-1)).toBe(1000);
  });

  test('is one for an entry that is too large for any batch, and never more than is wanted', () => {
    const count = new BatchCount();
    count.record(1, 20 * MAX_BATCH_BYTES);
    expect(count.next(1000)).toBe(1);
    expect(new BatchCount().next(2)).toBe(2);
  });

  test('learns nothing from an empty batch', () => {
    const count = new BatchCount();
    count.record(0, 0);
    expect(count.next(1000)).toBe(4);
  });
});
