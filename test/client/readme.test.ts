import { describe, expect, jest, test } from '@jest/globals';
import { connect } from '../../client/src/index.ts';
import { connect as connectSse } from '../../client/src/sse.ts';
import { connect as connectTabs } from '../../client/src/tabs.ts';
import { blocks, pageAt } from '../docs/pages.ts';
import { settled } from '../support/heap-clock.ts';
import { TestServer } from './support/server.ts';

const [first = '', token = '', store = '', react = '', tabs = '', sse = ''] = blocks(
  pageAt('client/README.md'),
  'js',
);

/** Runs a block as a module would, with what it imports given to it; answers its names. */
async function run(block: string, names: string, given: Readonly<Record<string, unknown>>): Promise<unknown> {
  const body = block.replace(/^import .*$/gm, '').replaceAll('export const', 'const');
  // The constructor of async functions has no name of its own.
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
    ...text: string[]
  ) => (...values: unknown[]) => Promise<unknown>;
  return new AsyncFunction(...Object.keys(given), `${body}\nreturn { ${names} };`)(...Object.values(given));
}

/** Time goes on until it is done. */
async function during<T>(server: TestServer, work: Promise<T>): Promise<T> {
  for (let round = 0; round < 20; round++) {
    await settled();
    await server.clock.advance(100);
  }
  return work;
}

describe('client/README.md', () => {
  test('the first example hears, asks, tells and publishes', async () => {
    const server = new TestServer();
    const log = jest.fn();
    const given = { connect: (url: string) => connect(url, server.options), console: { log } };
    const { price } = (await during(server, run(first, 'price', given))) as { price: unknown };
    server.append('sport', { title: 'won' }, 'article');
    await server.clock.advance(500);
    expect(price).toEqual({ of: 'tea' });
    expect(log).toHaveBeenCalledWith({ title: 'won' }, expect.any(String), expect.any(Number));
    expect(server.frames.map(({ type }) => type)).toEqual(['hello', 'subscribe', 'ask', 'tell', 'publish']);
  });

  test('the example with a token connects', async () => {
    const server = new TestServer({ user: '5' });
    const log = jest.fn();
    const fetch = async () => ({
      ok: true,
      status: 201,
      text: async () => 'token',
      json: async () => ({ ticket: 't' }),
    });
    const given = {
      connect: (url: string, options: object) => connect(url, { ...server.options, fetch, ...options }),
      fetch,
      console: { log, error: log },
    };
    await during(server, run(token, 'connection', given));
    server.append('user:5', 'for you');
    server.send({ type: 'tell', topic: 'maintenance', data: '{"at":"22:00"}' as never });
    await server.clock.advance(500);
    expect(new Set(log.mock.calls.map(([said]) => said))).toEqual(new Set(['down at 22:00', 'for you']));
  });

  test('the store is one, and the hooks take it', async () => {
    const server = new TestServer();
    const connection = connect('ws://server/', server.options);
    const sport = connection.subscribe('sport');
    const made = (await run(store, 'articles', { sport })) as { articles: { getSnapshot(): unknown } };
    const useSyncExternalStore = (subscribe: (run: () => void) => () => void, getSnapshot: () => unknown) => {
      subscribe(() => {})();
      return getSnapshot();
    };
    const hooks = (await run(react, 'useStore, useState', { useSyncExternalStore })) as Record<
      'useStore' | 'useState',
      (of: unknown) => unknown
    >;
    expect(hooks.useState(connection)).toBe('connecting');
    await server.clock.advance(500);
    server.append('sport', 1);
    await server.clock.advance(500);
    expect(hooks.useStore(made.articles)).toEqual([1]);
    expect(hooks.useState(connection)).toBe('live');
  });

  test('the tabs connect', async () => {
    const server = new TestServer();
    const given = {
      connect: (url: string, options: object) =>
        connectTabs(url, {
          ...server.options,
          ...options,
          locks: { request: (_: string, __: object, lead: () => Promise<void>) => lead() },
        }),
    };
    const { connection } = (await during(server, run(tabs, 'connection', given))) as {
      connection: { state: string; close(): void };
    };
    expect(connection.state).toBe('live');
    connection.close();
  });

  test('the fallback connects', async () => {
    const server = new TestServer();
    const fetch = async () => ({ ...NO_STREAM, json: async () => ({ ticket: 't' }) });
    const given = {
      connect: (url: string, options: object) => connectSse(url, { ...server.options, fetch, ...options }),
    };
    const { connection } = (await during(server, run(sse, 'connection', given))) as {
      connection: { state: string; close(): void };
    };
    expect(connection.state).toBe('live');
    connection.close();
  });
});

/** What every answer to a request has, of one that is no stream. */
const NO_STREAM = { ok: true, status: 201, headers: { get: () => null }, body: null, text: async () => '' };
