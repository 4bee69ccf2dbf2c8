import { describe, expect, test } from '@jest/globals';
import type { Actors } from '../../src/actors/actors.ts';
import { type PubSubChoice, PubSubFeeds } from '../../src/actors/pubsub-feeds.ts';

type Server = PubSubChoice['from'];

function createFeeds() {
  const made: (PubSubChoice & { starts: number })[] = [];
  const all: Actors[] = [];
  const servers = new Map<string, Server>();
  const feeds = new PubSubFeeds({
    all,
    at(url) {
      const host = url.replace(/[/]\d$/, '');
      const server = servers.get(host) ?? { subscribe: () => Promise.reject(new Error('nobody is there')) };
      servers.set(host, server);
      return server;
    },
    create(choice) {
      const one = { ...choice, starts: 0 };
      made.push(one);
      return { start: () => void (one.starts += 1) } as Actors;
    },
  });
  return { feeds, made, all };
}

describe('the feeds of Pub/Sub channels', () => {
  test('are one for each server and format, made when it is asked for', () => {
    const { feeds, made, all } = createFeeds();
    expect(made).toEqual([]);
    const own = feeds.of('', 'sse');
    expect(feeds.of('', 'sse')).toBe(own);
    const [raw, other] = [feeds.of('', 'raw'), feeds.of('redis://other', 'sse')];
    expect(feeds.of('redis://other/1', 'sse')).toBe(other);
    expect(all).toEqual([own, raw, other]);
    expect(made.map(({ format }) => format)).toEqual(['sse', 'raw', 'sse']);
    expect(new Set(made.map(({ prefix }) => prefix)).size).toBe(3);
    expect(made[0]?.from).toBe(made[1]?.from);
  });

  test('are named in the log by where they are, without who asks', () => {
    const { feeds, made } = createFeeds();
    for (const url of [
      '',
      'redis://me:pw@other:1/2',
      'unix://:p%40w@/run/redis.sock?password=pw',
      'rediss://h',
    ]) {
      feeds.of(url, 'sse');
    }
    expect(made.map(({ server }) => server)).toEqual([
      '',
      'redis://other:1/2',
      'unix:///run/redis.sock',
      'rediss://h',
    ]);
  });

  test('are started at once while the server runs, and neither before nor after', () => {
    const { feeds, made } = createFeeds();
    feeds.of('', 'sse');
    feeds.start();
    feeds.of('', 'raw');
    feeds.stop();
    feeds.of('redis://other', 'sse');
    expect(made.map(({ starts }) => starts)).toEqual([0, 1, 0]);
  });
});
