import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseTraceparent, traceparentOf } from '../../src/telemetry/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const GIVEN = `00-${TRACE}-${SPAN}-01`;

const HEX = [...Array(16).keys()].map((digit) => digit.toString(16));
const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...HEX), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''))
    .filter((digits) => /[1-9a-f]/.test(digits));

describe('a traceparent', () => {
  test('is read as W3C writes it', () => {
    expect(parseTraceparent(GIVEN)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true });
  });

  test('is written as it was read', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        const text = `00-${traceId}-${spanId}-0${isSampled ? 1 : 0}`;
        const read = parseTraceparent(text);
        expect(read && traceparentOf(read)).toBe(text);
      }),
    );
  });

  test('of a later version is read as far as it is known, and written as version 00', () => {
    const read = parseTraceparent(`cc-${TRACE}-${SPAN}-ff-what-comes`);
    expect(read && traceparentOf(read)).toBe(GIVEN);
  });

  test.each([
    ['no text', undefined],
    ['a list', [GIVEN]],
    ['empty', ''],
    ['of version ff', `ff-${TRACE}-${SPAN}-01`],
    ['of version 00 with more', `${GIVEN}-more`],
    ['of a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['of a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in capitals', GIVEN.toUpperCase()],
    ['too short', GIVEN.slice(1)],
    ['endless', `01-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`],
    ['with a line of its own', `${GIVEN}\n`],
  ])('that is %s is none', (_, text) => expect(parseTraceparent(text)).toBeUndefined());

  test('that is any text is none or can be written', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = parseTraceparent(text);
        expect(read === undefined || traceparentOf(read).length === GIVEN.length).toBe(true);
      }),
    );
  });
});
