import { describe, expect, test } from '@jest/globals';
import { ReadPace } from '../../src/feed/read-pace.ts';

interface Pacing {
  readonly everyMs?: number;
  readonly routingMs?: number;
  readonly isFull?: boolean;
}

/** Reads one after the other, `everyMs` apart, beside the pauses that were asked for. */
function paced(pace: ReadPace) {
  let nowMs = 1_000_000;
  return (count: number, { everyMs = 1, routingMs = 0, isFull }: Pacing = {}): number => {
    nowMs += pace.pauseMs + everyMs;
    pace.record({ count, isFull: isFull ?? count === pace.count, endMs: nowMs, routingMs });
    return pace.pauseMs;
  };
}

/** The pause once events have come at a steady rate for a while. */
function pauseAt(eventsPerS: number, pauseMs = 2): number {
  const pace = new ReadPace({ pauseMs, readCount: 100 });
  const read = paced(pace);
  for (let count = 0; count < 200; count += 1) read(Math.round((eventsPerS / 1000) * (pace.pauseMs + 1)));
  return pace.pauseMs;
}

describe('the pace of reading', () => {
  test('has no pause while batches are far apart', () => {
    const read = paced(new ReadPace({ pauseMs: 2, readCount: 100 }));
    expect([read(1, { everyMs: 1_000 }), read(1, { everyMs: 10 })]).toEqual([0, 0]);
  });

  test('pauses shortly while they are close together', () => {
    const read = paced(new ReadPace({ pauseMs: 2, readCount: 100 }));
    read(1);
    expect(read(1, { everyMs: 9 })).toBe(2);
  });

  test('takes its own pause for no distance', () => {
    const read = paced(new ReadPace({ pauseMs: 100, readCount: 100 }));
    read(1);
    expect([read(1), read(1), read(1)]).toEqual([100, 100, 100]);
  });

  test('does not let a pause that is long already grow', () => {
    const read = paced(new ReadPace({ pauseMs: 40, readCount: 1_000 }));
    for (let count = 0; count < 20; count += 1) expect(read(500)).toBeLessThanOrEqual(50);
  });

  test('does not pause after a batch that was cut by its bytes: it is behind all the same', () => {
    const read = paced(new ReadPace({ pauseMs: 2, readCount: 100 }));
    read(1);
    expect([read(69, { isFull: true }), read(69)]).toEqual([0, expect.any(Number)]);
    expect(read(69)).toBeGreaterThan(0);
  });

  test('asks for what is configured, when that is more than it would ever ask for', () => {
    const pace = new ReadPace({ pauseMs: 2, readCount: 100_000 });
    paced(pace)(100_000);
    expect(pace.count).toBe(100_000);
  });

  test.each([
    [500, 2],
    [1_000, 2],
    [2_000, 4],
    [4_000, 8],
    [20_000, 8],
  ])('pauses longer the faster they come: at %d a second for %d ms', (eventsPerS, pauseMs) => {
    expect(pauseAt(eventsPerS)).toBeCloseTo(pauseMs, 0);
  });

  test('never pauses when no pause is wanted', () => expect(pauseAt(5_000, 0)).toBe(0));

  test('does not pause while it is behind, and asks for twice as much each time, within a bound', () => {
    const pace = new ReadPace({ pauseMs: 2, readCount: 100 });
    const read = paced(pace);
    read(1);
    const asked: number[] = [];
    for (let count = 0; count < 8; count += 1) {
      asked.push(pace.count);
      expect(read(pace.count)).toBe(0);
    }
    expect(asked).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  test('asks for less again when it has caught up, and never for less than what is configured', () => {
    const pace = new ReadPace({ pauseMs: 2, readCount: 100 });
    const read = paced(pace);
    for (let count = 0; count < 3; count += 1) read(pace.count);
    const asked = [pace.count];
    for (const count of [500, 300, 10, 10, 10]) {
      read(count);
      asked.push(pace.count);
    }
    expect(asked).toEqual([800, 800, 400, 200, 100, 100]);
  });

  test('asks for less while routing a batch holds everything up', () => {
    const pace = new ReadPace({ pauseMs: 2, readCount: 100 });
    const read = paced(pace);
    for (let count = 0; count < 2; count += 1) read(pace.count);
    const before = pace.count;
    read(before, { routingMs: 60 });
    expect(pace.count).toBe(before);
    read(before, { routingMs: 61 });
    expect(pace.count).toBe(before / 2);
  });
});
