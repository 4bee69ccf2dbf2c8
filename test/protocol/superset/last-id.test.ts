import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readLastId } from '../../../src/protocol/superset/last-id.ts';

describe('last_id', () => {
  test.each([
    ['/?last_id=1615426152415-0', '1615426152415-0'],
    ['/ws?x=1&last_id=5-1', '5-1'],
    ['/ws?x=1?last_id=5-1', '5-1'],
    ['/?last_id=18446744073709551615-18446744073709551615', '18446744073709551615-18446744073709551615'],
    ['//?last_id=5-1', '5-1'],
    ['?last_id=5%2D1', '5-1'],
    ['/?last_id=5-1&last_id=6-1', '5-1'],
  ])('of %s is %s', (target, id) => {
    expect(readLastId(target)).toEqual({ id, malformed: false });
  });

  test.each(['/', '/?', '/?last_id=', '/?last_id', '/last_id=5-1', '/?LAST_ID=5-1'])(
    'of %s is none',
    (target) => {
      expect(readLastId(target)).toEqual({ id: undefined, malformed: false });
    },
  );

  test.each([
    '/?last_id=null',
    '/?last_id=$',
    '/?last_id=5',
    '/?last_id=5-',
    '/?last_id=05-1',
    '/?last_id=-1-1',
    '/?last_id=5-1%20',
    '/?last_id=18446744073709551616-0',
    '/?last_id=%E0%A4%A',
    '/?last_id=__proto__',
  ])('of %s is malformed: the socket is simply live', (target) => {
    expect(readLastId(target)).toEqual({ id: undefined, malformed: true });
  });

  test('`GET //` without any token ends the process three seconds later: no target throws here', () => {
    const targets = fc.oneof(
      fc.constantFrom('//', '///?last_id=1-1', '/%', 'http://[', '\u0000', ''),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((text) => `/?last_id=${text}`),
    );
    fc.assert(
      fc.property(targets, (target) => expect(Object.keys(readLastId(target))).toEqual(['id', 'malformed'])),
    );
  });
});
