import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Connection, connect, type WebSocketConstructor } from '../../client/src/index.ts';
import {
  type ConfigOptions,
  createPublisher,
  createSignalbox,
  type Publisher,
  type Signalbox,
} from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';

let instances: readonly Signalbox[];
let urls: readonly string[];
let publisher: Publisher;
const connections: Connection[] = [];

/** A client by this name, of one of the instances. */
function client(name: string, instance: number): Connection {
  const connection = connect(urls[instance] as string, {
    token: () => name,
    WebSocket: WebSocket as unknown as WebSocketConstructor,
    backoffMs: 10,
  });
  connections.push(connection);
  return connection;
}

const isLive = (...all: readonly { readonly state: string }[]): Promise<unknown> =>
  eventually('live', () => all.every(({ state }) => state === 'live'));

beforeAll(async () => {
  const options: ConfigOptions = {
    env: {},
    config: {
      broker: 'redis',
      // What tickets are signed with, the same everywhere: one may be given by one instance and taken by another.
      jwtSecret: 'a secret of the tests, long enough to be one',
      redis: { url: redisUrl() },
      native: { prefix: uniquePrefix() },
      host: '127.0.0.1',
      port: 0,
      drainMs: 0,
      // Only native channels: Superset's streams are nobody's here.
      superset: { protocol: 'off' },
    },
  };
  instances = [0, 1].map(() =>
    createSignalbox({
      ...options,
      logger: false,
      authenticate({ headers }) {
        const user = headers.authorization?.replace('Bearer ', '');
        return user === undefined ? undefined : { user, channels: ['*'] };
      },
    }),
  );
  const addresses = await Promise.all(instances.map((instance) => instance.start()));
  urls = addresses.map(({ port }) => `ws://127.0.0.1:${port}`);
  await eventually('ready', () => instances.every((instance) => instance.isReady()));
  publisher = createPublisher({ ...options, logger: false });
});

afterAll(async () => {
  for (const connection of connections) connection.close();
  await publisher.close();
  await Promise.all(instances.map((instance) => instance.stop()));
});

describe('several Signalboxes of one Redis, and a publisher without a server', () => {
  test('what one publishes is heard by the clients of all', async () => {
    const clients = [client('ann', 0), client('bob', 1)];
    const heard: unknown[] = [];
    const subscriptions = clients.map((one) => one.subscribe('sport'));
    for (const one of subscriptions) one.on('article', (article) => void heard.push(article));
    await isLive(...subscriptions);
    await instances[0]?.publish('sport', 'article', 1);
    await eventually('heard by both', () => heard.length === 2);
    expect(heard).toEqual([1, 1]);
  });

  test('what the publisher publishes and tells is heard by the clients of all', async () => {
    const clients = [client('cid', 0), client('dan', 1)];
    const heard: string[] = [];
    for (const one of clients) one.on<string>('notice', (notice) => void heard.push(notice));
    const subscriptions = clients.map((one) => one.subscribe('news'));
    for (const one of subscriptions) one.on<string>('article', (article) => void heard.push(article));
    await isLive(...subscriptions);
    const id = await publisher.publish('news', 'article', 'published', { key: 'once' });
    expect(await publisher.publish('news', 'article', 'published', { key: 'once' })).toBe(id);
    await publisher.publishToMany(['news', 'other'], 'article', 'to many');
    await publisher.broadcast('notice', 'to all');
    await publisher.tell({ user: 'dan' }, 'notice', 'to dan');
    await eventually('heard by all', () => heard.length === 7);
    const times = (word: string): number => heard.filter((text) => text === word).length;
    expect(['published', 'to many', 'to all', 'to dan'].map(times)).toEqual([2, 2, 2, 1]);
  });

  test('whom the publisher boots is gone from all, and is counted', async () => {
    const clients = [client('eve', 0), client('eve', 1)];
    const others = [client('fay', 0), client('fay', 1)];
    const clubs = others.map((one) => one.subscribe('club'));
    await isLive(...clients, ...clubs);
    expect(await publisher.boot({ user: 'eve' }, 'you know why')).toEqual({ closed: 2, unconfirmed: [] });
    expect(await publisher.bootAll('club')).toEqual({ closed: 2, unconfirmed: [] });
    await eventually('closed', () => [...clients, ...others].every(({ state }) => state === 'closed'));
  });
});
