import { describe, expect, test } from '@jest/globals';
import { configSchema } from '../../src/config/schema.ts';
import { createRoutes } from '../../src/routes/routes.ts';

const routesOf = (...routes: readonly object[]) => createRoutes(configSchema.parse({ routes }));
const clock = { path: '^/whattimeisit$', channel: 'clock' };
const captured = { path: '^/raw/([^/]+)$', channel: 'public:$1', channels: ['public:*'] };

/** The channel that a target is given, or why it is given none. */
const channelOf = (route: object, target: string) => {
  const found = routesOf(route).find(target);
  return found?.fault ?? found?.channel;
};

describe('routes', () => {
  test('compare the path of a target, and leave its query alone', () => {
    const routes = routesOf(clock);
    for (const target of ['/whattimeisit', '/whattimeisit?', '/whattimeisit?x=/other?y']) {
      expect(routes.find(target)).toMatchObject({ channel: 'clock', fault: undefined });
    }
    for (const target of ['/whattimeisit/', '/WhatTimeIsIt', '/a/whattimeisit', '/?/whattimeisit']) {
      expect(routes.find(target)).toBeUndefined();
    }
  });

  test('compare from the beginning, in every alternative, and to the end only where there is a $', () => {
    const routes = routesOf({ path: '^/a|/b', channel: 'x' });
    for (const target of ['/a', '/abc', '/b', '/a/c?d']) expect(routes.find(target)).toBeDefined();
    for (const target of ['/c/b', '/c/a']) expect(routes.find(target)).toBeUndefined();
  });

  test('count in their order: the first that matches', () => {
    const routes = routesOf(clock, { path: '^/what', channel: 'first' }, { path: '^/', channel: 'second' });
    expect(['/whattimeisit', '/whatever', '/other'].map((target) => routes.find(target)?.channel)).toEqual([
      'clock',
      'first',
      'second',
    ]);
    expect(routes.all.map(({ settings }) => settings.path)).toEqual(['^/whattimeisit$', '^/what', '^/']);
  });

  test('are compared as they were sent: what is encoded is no slash, and no other letter', () => {
    expect(routesOf(clock).find('/%77hattimeisit')).toBeUndefined();
    expect(routesOf({ path: '^/a/b$', channel: 'x' }).find('/a%2Fb')).toBeUndefined();
  });

  test('fill what a path captures into the channel, decoded', () => {
    const route = { ...captured, path: '^/(\\w+)/([^/]+)(?:/(x))?$', channel: '$2:$1:$3$$', channels: ['*'] };
    expect(channelOf(route, '/a/b')).toBe('b:a:$');
    expect(channelOf(route, '/a/b/x')).toBe('b:a:x$');
    expect(channelOf(route, '/a/%C3%A4%2F%E2%98%83')).toBe('ä/☃:a:$');
    expect(channelOf(route, '/a/$1')).toBe('$1:a:$');
  });

  test('fill groups by their numbers, beyond nine too', () => {
    const path = `^/${'(.)'.repeat(11)}$`;
    expect(channelOf({ path, channel: '$11$1', channels: ['*'] }, '/abcdefghijk')).toBe('ka');
  });

  test('give no channel beside those that they list, whatever was captured', () => {
    expect(channelOf(captured, '/raw/news')).toBe('public:news');
    expect(channelOf({ ...captured, channel: '$1' }, '/raw/public:news')).toBe('public:news');
    for (const name of ['private', 'Public:x', 'xpublic:', '%70rivate']) {
      expect(channelOf({ ...captured, channel: '$1' }, `/raw/${name}`)).toBe(
        'it is none of the channels of this route',
      );
    }
  });

  test.each([
    ['signalbox:$all', /Signalbox's own/],
    ['signalbox%3Ac%3Asport', /Signalbox's own/],
    ['user:5', /users and sessions/],
    ['session%3a5', /users and sessions/],
    ['async-events-full', /Superset/],
    ['realtime', /Superset/],
    ['__keyspace@0__:x', /Redis/],
    ['%C3', /no text/],
    ['%ED%A0%80', /no text/],
    ['a%C2%85b', /control characters/],
    ['x'.repeat(1_001), /longer/],
  ])('give none of ours or of Superset’s, though every channel is listed: %s', (name, fault) => {
    for (const rest of [{ channels: ['*'] }, { auth: 'token' }]) {
      expect(channelOf({ path: '^/raw/([^/]+)$', channel: '$1', ...rest }, `/raw/${name}`)).toMatch(fault);
    }
  });

  test('give no channel without a name', () => {
    const route = { path: '^/raw/(\\w*)$', channel: '$1', channels: ['*'] };
    expect(channelOf(route, '/raw/')).toBe('it is empty');
  });

  test('of native channels give what is the name of one', () => {
    const route = { ...captured, channel: '$1', channels: ['*'], source: 'native' };
    expect(channelOf(route, '/raw/sport')).toBe('sport');
    for (const name of ['_x', 'full', '%C3%A4', 'user:5']) {
      expect(routesOf(route).find(`/raw/${name}`)?.fault).toBeDefined();
    }
  });

  test('leave the channel to an upstream, which may name what they list', () => {
    const route = { path: '^/app/', upstream: 'http://127.0.0.1:8000', channels: ['news', 'public:*'] };
    const found = routesOf(route).find('/app/x');
    expect(found).toMatchObject({ channel: undefined, fault: undefined });
    const faults = ['news', 'public:x', 'other', 'signalbox:x'].map((name) => found?.route.faultOf(name));
    expect(faults.map((fault) => fault === undefined)).toEqual([true, true, false, false]);
  });

  test('have a bufferSize, of which 0 means the default, as in uWSGI', () => {
    const sizes = [{}, { bufferSize: 0 }, { bufferSize: 1 }].map((more) => ({ ...clock, ...more }));
    expect(routesOf(...sizes).all.map(({ bufferBytes }) => bufferBytes)).toEqual([4096, 4096, 1]);
  });

  test('take a time in proportion to the path, whatever expression it is compared with', () => {
    const routes = routesOf({ path: '^/(a*)*(a*)*(a|a)*$', channel: 'x' });
    const timeOf = (length: number): number => {
      const target = `/${'a'.repeat(length)}!`;
      const startMs = performance.now();
      for (let count = 0; count < 20; count += 1) expect(routes.find(target)).toBeUndefined();
      return performance.now() - startMs;
    };
    timeOf(1_000);
    // 16 times as long; a backtracking engine would not come back.
    expect(timeOf(16_000)).toBeLessThan(Math.max(20, timeOf(1_000)) * 160);
  });
});
