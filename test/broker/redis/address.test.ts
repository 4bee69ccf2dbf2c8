import { describe, expect, test } from '@jest/globals';
import { BrokerError } from '../../../src/broker/broker-error.ts';
import { clusterOptions, singleOptions, withoutUrl } from '../../../src/broker/redis/address.ts';

describe('redis address', () => {
  test('the parts of a URL win over the fields', () => {
    expect(
      withoutUrl({
        url: 'redis://me:p%40ss@redis.example:7000/3',
        host: 'other',
        port: 1,
        db: 9,
        username: 'you',
      }),
    ).toMatchObject({ host: 'redis.example', port: 7000, db: 3, username: 'me', password: 'p@ss' });
  });

  test('what the URL does not say stays as the fields say it', () => {
    expect(withoutUrl({ url: 'redis://redis.example', port: 7000, db: 2, password: 'secret' })).toMatchObject(
      {
        host: 'redis.example',
        port: 7000,
        db: 2,
        password: 'secret',
      },
    );
  });

  test('rediss:// is TLS with the host name checked, unless the fields say how', () => {
    expect(withoutUrl({ url: 'rediss://redis.example' }).tls).toEqual({ validateHostname: true });
    const tls = { validateHostname: false };
    expect(withoutUrl({ url: 'rediss://redis.example', tls }).tls).toBe(tls);
  });

  test('unix:// is a path, with a database behind it', () => {
    const options = singleOptions({ url: 'unix:///run/redis/my%20redis.sock?db=4', host: 'unused' }, 1000);
    expect(options).toMatchObject({ path: '/run/redis/my redis.sock', db: 4 });
    expect(options).not.toHaveProperty('host');
  });

  test('an IPv6 address loses its brackets', () => {
    expect(withoutUrl({ url: 'redis://[::1]:7000' })).toMatchObject({ host: '::1', port: 7000 });
  });

  test('any other kind of URL is refused', () => {
    expect(() => withoutUrl({ url: 'http://redis.example' })).toThrow('redis://, rediss:// or unix://');
  });

  test('without anything it is 127.0.0.1:6379', () => {
    expect(singleOptions({}, 1000)).toMatchObject({ host: '127.0.0.1', port: 6379 });
  });

  test('the user name is sent only together with a password', () => {
    expect(singleOptions({ username: 'default', password: '' }, 1000)).not.toHaveProperty('username');
    expect(singleOptions({ username: 'default', password: '' }, 1000)).not.toHaveProperty('password');
    expect(singleOptions({ username: 'me', password: 'secret' }, 1000)).toMatchObject({
      username: 'me',
      password: 'secret',
    });
  });

  test('the chain is verified always, the host name unless told not to', () => {
    const checked = singleOptions({ tls: { validateHostname: true } }, 1000).tls;
    expect(checked).toEqual({ rejectUnauthorized: true });
    const unchecked = singleOptions({ tls: { validateHostname: false, ca: 'PEM' } }, 1000).tls;
    expect(unchecked).toMatchObject({
      rejectUnauthorized: true,
      ca: 'PEM',
      checkServerIdentity: expect.any(Function),
    });
  });

  test('TLS that is a function is asked for each connection, and its failure is that of the connection', () => {
    let asked = 0;
    const tls = () => ({ validateHostname: true, ca: `PEM ${(asked += 1)}` });
    for (const ca of ['PEM 1', 'PEM 2']) expect(singleOptions({ tls }, 1000).tls).toMatchObject({ ca });
    const unreadable = () => {
      throw new Error('ENOENT');
    };
    const connect = () => singleOptions({ tls: unreadable }, 1000);
    expect(connect).toThrow(BrokerError);
    expect(connect).toThrow('cannot connect to Redis: ENOENT');
  });

  test('no connection reconnects, queues, resends or resubscribes by itself', () => {
    const single = singleOptions({}, 1000);
    const sentinel = singleOptions({ sentinels: [{ host: 'a', port: 1 }], name: 'main' }, 1000);
    const cluster = clusterOptions({ cluster: [{ host: 'a', port: 1 }] }, 1000);
    for (const options of [single, sentinel]) {
      expect(options).toMatchObject({ retryStrategy: null, enableOfflineQueue: false });
    }
    for (const options of [single, sentinel, cluster.redisOptions]) {
      expect(options).toMatchObject({ autoResendUnfulfilledCommands: false, autoResubscribe: false });
    }
    expect(cluster.clusterRetryStrategy?.(1)).toBeNull();
    expect(sentinel.sentinelRetryStrategy?.(1)).toBeNull();
    expect(cluster).toMatchObject({ retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 });
  });

  test('Sentinel is watched for failovers, speaks TLS where the master does, and its master is checked', () => {
    const tls = { validateHostname: true };
    expect(singleOptions({ sentinels: [{ host: 'a', port: 1 }], name: 'main', tls }, 1000)).toMatchObject({
      name: 'main',
      failoverDetector: true,
      enableReadyCheck: true,
      enableTLSForSentinelMode: true,
      sentinelTLS: { rejectUnauthorized: true },
    });
  });
});
