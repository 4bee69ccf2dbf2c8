import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareIds, createLedger } from '../../public/ledger.js';

/** In plain JavaScript, as the page is. */
const event = (id, n, run = 'a') => ({ id: `${id}-0`, channel_id: 'demo', topic: 'train', data: { run, n } });

describe("the page's ledger", () => {
  test('numbers that follow one another are all received, from whichever the page begins with', () => {
    const ledger = createLedger();
    for (const n of [7, 8, 9]) ledger.record(event(n, n), false);
    expect(ledger.counts).toEqual({
      received: 3,
      replayed: 0,
      missed: 0,
      duplicate: 0,
      outOfOrder: 0,
      number: 9,
    });
    expect(ledger.lastId).toBe('9-0');
  });

  test('a number that was jumped over is missed', () => {
    const ledger = createLedger();
    for (const n of [1, 2, 5]) ledger.record(event(n, n), false);
    expect(ledger.counts).toMatchObject({ received: 3, missed: 2, duplicate: 0 });
  });

  test('what comes late is not missed but out of order, and the last id stays the latest', () => {
    const ledger = createLedger();
    for (const n of [1, 3, 2]) ledger.record(event(n, n), false);
    expect(ledger.counts).toMatchObject({ received: 3, missed: 0, duplicate: 0, outOfOrder: 1 });
    expect(ledger.lastId).toBe('3-0');
  });

  test('an id received twice is a duplicate and is not received again', () => {
    const ledger = createLedger();
    expect(ledger.record(event(1, 1), false)).toBe(true);
    expect(ledger.record(event(1, 1), true)).toBe(false);
    expect(ledger.counts).toMatchObject({ received: 1, replayed: 0, duplicate: 1, missed: 0 });
  });

  test('a number received twice under two ids is a duplicate', () => {
    const ledger = createLedger();
    ledger.record(event(1, 1), false);
    ledger.record(event(2, 1), false);
    expect(ledger.counts).toMatchObject({ duplicate: 1 });
  });

  test('what this page published is missed once a later event is here and it is not', () => {
    const ledger = createLedger();
    ledger.record(event(1, 1), false);
    ledger.expect('2-0');
    expect(ledger.counts.missed).toBe(0);
    ledger.record(event(3, 2), false);
    expect(ledger.counts.missed).toBe(1);
    ledger.record({ id: '2-0', data: { text: 'Hello' } }, false);
    expect(ledger.counts).toMatchObject({ missed: 0, outOfOrder: 1 });
  });

  test('what arrives before the answer to its publish is not waited for', () => {
    const ledger = createLedger();
    ledger.record({ id: '2-0', data: 'text' }, false);
    ledger.expect('2-0');
    ledger.record(event(3, 1), false);
    expect(ledger.counts.missed).toBe(0);
  });

  test('a restarted server counts anew, and what was missed before stays missed', () => {
    const ledger = createLedger();
    for (const n of [1, 3]) ledger.record(event(n, n, 'a'), false);
    for (const n of [1, 2]) ledger.record(event(10 + n, n, 'b'), false);
    expect(ledger.counts).toMatchObject({ received: 4, missed: 1, duplicate: 0, number: 2 });
  });

  test('data of any kind does no harm', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const ledger = createLedger();
        for (const [at, data] of values.entries()) ledger.record({ id: `${at + 1}-0`, data }, false);
        expect(ledger.counts.received).toBe(values.length);
      }),
    );
  });

  test('missed is exactly the numbers between the first and the last that never came', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 2, max: 60 })), (numbers) => {
        const ledger = createLedger();
        ledger.record(event(1, 1), false);
        for (const n of numbers) ledger.record(event(n, n), false);
        expect(ledger.counts.missed).toBe(Math.max(1, ...numbers) - numbers.length - 1);
        expect(ledger.counts.duplicate).toBe(0);
      }),
    );
  });
});

describe('compareIds', () => {
  test.each([
    ['9-0', '10-0', -1],
    ['10-2', '10-10', -1],
    ['18446744073709551615-0', '18446744073709551614-9', 1],
    ['5-5', '5-5', 0],
  ])('%s against %s', (a, b, sign) => {
    expect(Math.sign(compareIds(a, b))).toBe(sign);
  });
});
