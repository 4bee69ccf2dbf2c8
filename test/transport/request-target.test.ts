import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { checkTarget } from '../../src/transport/request-target.ts';

describe('checkTarget', () => {
  test.each([
    ['/', { path: '/', query: '' }],
    ['/ws?last_id=1-0', { path: '/ws', query: 'last_id=1-0' }],
    ['/a/b/', { path: '/a/b/', query: '' }],
    ['/a//b', { path: '/a//b', query: '' }],
    ['/?', { path: '/', query: '' }],
    ['/?a=b?c=%0A/../', { path: '/', query: 'a=b?c=%0A/../' }],
    ['/...', { path: '/...', query: '' }],
    ['/a.b/.well-known/x', { path: '/a.b/.well-known/x', query: '' }],
    ['/%E2%82%AC', { path: '/%E2%82%AC', query: '' }],
    ['/__proto__', { path: '/__proto__', query: '' }],
  ])('reads %j', (raw, target) => {
    expect(checkTarget(raw)).toEqual(target);
  });

  test.each([
    ['nothing', ''],
    ['two slashes', '//'],
    ['a host in the place of the path', '//example.com/'],
    ['absolute form', 'http://example.com/'],
    ['asterisk form', '*'],
    ['authority form', 'example.com:80'],
    ['a dot segment', '/a/../b'],
    ['a dot segment at the end', '/a/..'],
    ['a single dot', '/./a'],
    ['an encoded dot segment', '/%2e%2E/a'],
    ['a half encoded dot segment', '/a/.%2e'],
    ['a dot segment between encoded slashes', '/a%2f..%2Fb'],
    ['a raw backslash', '/a\\b'],
    ['a raw backslash in the query', '/?a=\\'],
    ['an encoded backslash', '/a%5Cb'],
    ['a line feed', '/a\nb'],
    ['a NUL', '/\0'],
    ['DEL', '/\x7f'],
    ['a space', '/a b'],
    ['an encoded control byte', '/a%0d%0ab'],
    ['an encoded NUL', '/%00'],
    ['a broken percent encoding', '/%'],
    ['a percent sign before something else', '/%zz'],
    ['a fragment', '/a#b'],
  ])('refuses %s', (_what, raw) => {
    expect(checkTarget(raw)).toBeUndefined();
  });

  test('never throws, and what it accepts means the same to a URL parser', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '%2e',
      '%2f',
      '%5c',
      '\\',
      '?',
      '#',
      'a',
      '%',
      '@',
      ':',
      '\t',
      'ä',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        const target = checkTarget(pieces.join(''));
        if (target === undefined) return;
        const url = new URL(`http://host.invalid${pieces.join('')}`);
        expect(url.host).toBe('host.invalid');
        expect(url.pathname.split('/')).toEqual(target.path.split('/').map(encodeRaw));
      }),
      { numRuns: 2000 },
    );
  });
});

/** What a URL parser makes of a segment by itself, where nothing can be resolved. */
function encodeRaw(segment: string): string {
  return new URL(`http://host.invalid/x${segment}`).pathname.slice(2);
}
