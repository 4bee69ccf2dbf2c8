import { describe, expect, test } from '@jest/globals';
import { bytes, counted, duration, NOTHING, percent, rate } from '../../panel/figures/format.ts';

describe('how figures are written', () => {
  test.each([
    [0, '0 ms'],
    [0.42, '0.42 ms'],
    [850.4, '850 ms'],
    [1000, '1 s'],
    [12_440, '12.4 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min 0 s'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min'],
    [356_400_000, '4 d 3 h'],
    [-1500, '−1.5 s'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  test.each([
    [0, '0 B'],
    [1023, '1,020 B'],
    [1024, '1 KiB'],
    [1_572_864, '1.5 MiB'],
    [2 ** 60, '1,050,000 TiB'],
  ])('%d bytes are %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  test('rates, parts and counts', () => {
    expect([rate(0), rate(0.333333), rate(12.34), rate(20_945.4)]).toEqual(['0', '0.333', '12.3', '20,945']);
    expect(percent(0.4123)).toBe('41.2 %');
    expect([counted(1, 'socket'), counted(10_000, 'socket')]).toEqual(['1 socket', '10,000 sockets']);
  });

  test('what is not known is a dash, never a nought', () => {
    expect([duration(null), bytes(undefined), percent(null), rate(null)]).toEqual(Array(4).fill(NOTHING));
  });
});
