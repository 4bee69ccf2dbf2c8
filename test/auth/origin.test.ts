import { describe, expect, test } from '@jest/globals';
import { isAllowedOrigin } from '../../src/auth/origin.ts';

const allowed = ['https://superset.example.com', 'http://localhost:8088'];

describe('an origin', () => {
  test.each([undefined, 'https://anywhere.example', 'null', ''])(
    '%p is allowed by an empty list and by `*`',
    (origin) => {
      expect(isAllowedOrigin(origin, [])).toBe(true);
      expect(isAllowedOrigin(origin, ['https://a.example', '*'])).toBe(true);
    },
  );

  test('is allowed when it is in the list', () => {
    expect(isAllowedOrigin('http://localhost:8088', allowed)).toBe(true);
  });

  test.each([
    undefined,
    '',
    'null',
    'https://superset.example.com/',
    'https://superset.example.com:443',
    'https://SUPERSET.example.com',
    'http://superset.example.com',
    'https://superset.example.com.evil.example',
    'https://superset.example.com, https://evil.example',
  ])('%p is refused by a list that has it not, letter by letter', (origin) => {
    expect(isAllowedOrigin(origin, allowed)).toBe(false);
  });
});
