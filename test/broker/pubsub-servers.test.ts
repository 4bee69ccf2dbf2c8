import { describe, expect, test } from '@jest/globals';
import { isLeft } from 'fp-ts/lib/Either.js';
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import { createPubSubServers } from '../../src/broker/pubsub-servers.ts';
import { load } from '../../src/config/load.ts';
import { HeapClock } from '../support/heap-clock.ts';

function serversOf(env: Readonly<Record<string, string>>) {
  const loaded = load({
    cwd: '/',
    env: { JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes', ...env },
  });
  if (isLeft(loaded)) throw new Error(JSON.stringify(loaded.left));
  const history = { maxLength: 10, maxAgeSeconds: 0, firehoseMaxLength: 10 };
  const broker = createMemoryBroker({ clock: new HeapClock(), history });
  return createPubSubServers(loaded.right, broker, () => {});
}

describe('servers of Pub/Sub channels', () => {
  test('are one for each address and user, whatever database is named', () => {
    const servers = serversOf({});
    const one = servers.at('redis://other:6379');
    for (const url of ['redis://OTHER', 'redis://other/3', 'redis://other?db=1', 'redis://me@other']) {
      expect(servers.at(url)).toBe(one);
    }
    const others = [
      '',
      'redis://other:6380',
      'rediss://other',
      'redis://:password@other',
      'redis://me:password@other',
      'unix:///run/redis.sock',
      'unix:///run/other.sock',
    ].map((url) => servers.at(url));
    expect(new Set([one, ...others]).size).toBe(1 + others.length);
    expect(servers.at('unix:///run/redis.sock?db=2')).toBe(others[5]);
  });

  test('are the own one where a URL names it', () => {
    const servers = serversOf({ REDIS_HOST: 'h', REDIS_PORT: '7000', REDIS_PASSWORD: 'p', REDIS_DB: '4' });
    expect(servers.at('redis://:p@h:7000')).toBe(servers.at(''));
    expect(servers.at('redis://h:7000')).not.toBe(servers.at(''));
  });

  test('are never the own one behind Sentinels, in a Cluster, or embedded', () => {
    for (const env of [
      { SIGNALBOX_REDIS_SENTINELS: 's:26379', SIGNALBOX_REDIS_NAME: 'm', REDIS_HOST: 'h' },
      { SIGNALBOX_REDIS_CLUSTER: 'h:6379', REDIS_HOST: 'h' },
      { SIGNALBOX_BROKER: 'memory', REDIS_HOST: 'h' },
    ]) {
      const servers = serversOf(env);
      expect(servers.at('redis://h')).not.toBe(servers.at(''));
    }
  });

  test('do not take what is no URL', () => {
    expect(() => serversOf({}).at('http://me:password@other')).toThrow(
      'the URL of a Redis server cannot be used: its form is not known',
    );
  });
});
