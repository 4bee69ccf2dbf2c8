import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { channelPath, pathWith, readerPath, routeOf, socketPath } from '../../panel/place/route.ts';

describe('the addresses of the panel', () => {
  test.each([
    ['/inspect', 'overview'],
    ['/inspect/', 'overview'],
    ['/inspect/sockets', 'sockets'],
    ['/inspect/channels/', 'channels'],
    ['/inspect/why', 'why'],
    ['/inspect/nowhere', 'unknown'],
    ['/inspect/sockets/a/b', 'unknown'],
    ['/inspect/readers', 'unknown'],
    ['/inspected', 'unknown'],
    ['/inspect/%E0%A4%A', 'unknown'],
  ])('%s is the page %s', (path, page) => {
    expect(routeOf(path).page).toBe(page);
  });

  test('whatever the name of a channel is, its address leads back to it', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, name, (feed, channel) => {
        expect(routeOf(channelPath(feed, channel))).toEqual({ page: 'channel', feed, name: channel });
        expect(routeOf(socketPath(channel))).toEqual({ page: 'socket', id: channel });
        expect(routeOf(readerPath(feed))).toEqual({ page: 'reader', id: feed });
      }),
    );
  });

  test('a query has what was given, and nothing empty', () => {
    expect(pathWith('log', { user: 'a&b', channel: '', socket: undefined })).toBe('/inspect/log?user=a%26b');
    expect(pathWith('log', { user: '' })).toBe('/inspect/log');
  });
});
