import { beforeEach, describe, expect, test } from '@jest/globals';
import { createCollector } from '../../src/upstream/collector.ts';
import type { Receiver } from '../../src/upstream/exchange.ts';
import { HeapClock } from '../support/heap-clock.ts';

describe('what collects the body of a held answer', () => {
  let clock: HeapClock;
  let told: string[];
  let collector: Receiver;

  beforeEach(() => {
    clock = new HeapClock();
    told = [];
    collector = createCollector({
      // As an exchange does it: whoever receives is released with it.
      flow: {
        pause() {},
        resume() {},
        release() {
          told.push('cut');
          collector.release();
        },
      },
      bufferSize: 4,
      timeoutMs: 10,
      collected: ({ body, isWhole }) => void told.push(`${body.toString()} ${isWhole}`),
      failed: ({ name }) => void told.push(name),
      clock,
    });
  });

  test('gives it when it has ended', () => {
    collector.data(Buffer.from('ab'));
    collector.data(Buffer.from('cd'));
    collector.end();
    expect(told).toEqual(['abcd true']);
  });

  test('gives its beginning when it is more than the buffer holds, before the connection is cut', () => {
    collector.data(Buffer.from('abc'));
    collector.data(Buffer.from('def'));
    clock.increment(1000);
    expect(told).toEqual(['abcd false', 'cut']);
  });

  test('gives up when it does not end', () => {
    collector.data(Buffer.from('ab'));
    clock.increment(9);
    expect(told).toEqual([]);
    clock.increment(1);
    expect(told).toEqual(['cut', 'BodyTimeoutError']);
  });

  test('does nothing more once it was released', () => {
    collector.data(Buffer.from('ab'));
    collector.release();
    clock.increment(1000);
    expect(told).toEqual([]);
  });
});
