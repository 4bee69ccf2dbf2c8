import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { startCluster } from './support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { type InstalledPackage, namedInTypes } from './support/package.ts';
import { redisUrl, startRedis, uniquePrefix } from './support/redis.ts';
import { startSentinel } from './support/sentinel.ts';

/** Ends what a test has started, newest first. */
const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

const client = (options: RedisOptions) => {
  const redis = new Redis({ retryStrategy: () => 50, maxRetriesPerRequest: 100, ...options });
  // Lost connections are what these tests are about.
  redis.on('error', () => {});
  ending.push(() => redis.disconnect());
  return redis;
};

describe('the shared Redis', () => {
  test('keeps streams, under a prefix that is new each time', async () => {
    const redis = new Redis(redisUrl());
    ending.push(() => redis.disconnect());
    const key = `${uniquePrefix()}stream`;
    expect(key).not.toBe(`${uniquePrefix()}stream`);
    const id = await redis.xadd(key, '*', 'data', '1');
    expect(await redis.xrange(key, '-', '+')).toEqual([[id, ['data', '1']]]);
    await redis.del(key);
  });
});

describe('a Redis of one’s own', () => {
  const start = async (...settings: Parameters<typeof startRedis>) => {
    const redis = await startRedis(...settings);
    ending.push(() => redis.stop());
    return redis;
  };

  test('comes back from a kill on the same port with its data', async () => {
    const server = await start();
    const redis = client(server.options);
    await redis.set('kept', 'yes');
    await server.kill();
    await server.restart({ keepData: true });
    expect(await redis.get('kept')).toBe('yes');
    expect(redis.options.port).toBe(server.port);
  });

  test('comes back without its data, and as another server', async () => {
    const server = await start();
    const redis = client(server.options);
    await redis.set('kept', 'yes');
    const before = /run_id:(\w+)/.exec(await redis.info('server'))?.[1];
    await server.restart({ keepData: false });
    expect(await redis.get('kept')).toBeNull();
    expect(/run_id:(\w+)/.exec(await redis.info('server'))?.[1]).not.toBe(before);
  });

  test('answers nothing while it is paused, and everything when it is resumed', async () => {
    const server = await start();
    const redis = client({ ...server.options, commandTimeout: 500 });
    await redis.set('number', '1');
    await server.pause();
    await expect(redis.incr('number')).rejects.toThrow('Command timed out');
    await server.resume();
    await eventually('both commands have run', async () => (await redis.get('number')) === '2');
    expect(redis.status).toBe('ready');
  });

  test('refuses who has not its password', async () => {
    const server = await start({ password: 'p@ss word' });
    await expect(client({ ...server.options, password: '' }).get('a')).rejects.toThrow('NOAUTH');
    expect(await client(server.options).ping()).toBe('PONG');
    const byUrl = new Redis(server.url);
    ending.push(() => byUrl.disconnect());
    expect(await byUrl.ping()).toBe('PONG');
  });

  test('lets an ACL user do what its rules say', async () => {
    const users = [{ name: 'reader', password: 'secret', rules: '~events* +@read +@connection +info' }];
    const server = await start({ users, defaultUserOff: true });
    const reader = client({ ...server.options, username: 'reader', password: 'secret' });
    expect(await reader.xrange('events', '-', '+')).toEqual([]);
    await expect(reader.xadd('events', '*', 'data', '1')).rejects.toThrow('NOPERM');
  });

  test('speaks TLS to who trusts its certificate', async () => {
    const server = await start({ tls: true });
    expect(server.url).toMatch(/^rediss:/);
    expect(await client(server.options).ping()).toBe('PONG');
    const distrusting = client({ ...server.options, tls: {}, retryStrategy: () => null });
    await expect(distrusting.ping()).rejects.toThrow('Connection is closed');
  });

  test('insists on a client certificate where that was asked for', async () => {
    const server = await start({ tls: 'mutual' });
    expect(await client(server.options).ping()).toBe('PONG');
    const ca = server.certificates?.ca;
    const anonymous = client({ ...server.options, tls: { ca }, retryStrategy: () => null });
    await expect(anonymous.ping()).rejects.toThrow('Connection is closed');
  });

  test('listens on a unix socket too', async () => {
    const server = await start({ unixSocket: true });
    expect(server.path).toMatch(/redis\.sock$/);
    const redis = client({ path: server.path ?? '' });
    expect(await redis.ping()).toBe('PONG');
  });
});

describe('a master watched by sentinels', () => {
  test.each([1, 3] as const)('fails over to its replica: %d of them', async (count) => {
    const group = await startSentinel({ sentinels: count, password: 'secret' });
    ending.push(() => group.stop());
    const redis = client(group.options);
    await redis.set('before', '1');
    expect(await redis.wait(1, 5000)).toBe(1);
    await group.master.kill();
    await eventually(
      'the replica was promoted',
      async () => (await redis.set('after', '2')) === 'OK',
      20_000,
    );
    expect(await redis.mget('before', 'after')).toEqual(['1', '2']);
    expect(`${redis.stream.remotePort}`).toBe(`${group.replica.port}`);
  });
});

describe('a cluster of three masters', () => {
  // Enough for every master to have some.
  const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);

  test('keeps each key where its slot is', async () => {
    const group = await startCluster();
    ending.push(() => group.stop());
    const cluster = new Cluster([...group.startupNodes], group.options);
    ending.push(() => cluster.disconnect());
    await Promise.all(keys.map((key) => cluster.set(key, key)));
    expect(await Promise.all(keys.map((key) => cluster.get(key)))).toEqual(keys);
    const sizes = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()));
    expect(sizes).toHaveLength(3);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });
});

describe('the types of a package', () => {
  const packageWith = (exports: InstalledPackage['manifest']['exports']): InstalledPackage => {
    const path = mkdtempSync(join(tmpdir(), 'signalbox-types-'));
    ending.push(() => rmSync(path, { recursive: true }));
    const declarations = {
      'index.d.ts': "export * from './inner/a.ts';\n",
      'inner/a.d.ts': "/// <reference types='ws' />\nimport type { E } from 'fp-ts/lib/Either.js';\n",
      'tabs.d.ts': 'export type A = import(\'xstate\').ActorRef;\nexport { b } from "./inner/b.js";\n',
      'inner/b.d.ts': "import type {\n  Server,\n} from 'node:http';\nimport '../index.js';\n",
      'private.d.ts': "import 'ioredis';\n",
    };
    mkdirSync(join(path, 'inner'));
    for (const [name, text] of Object.entries(declarations)) writeFileSync(join(path, name), text);
    const manifest = { name: 'p', version: '1.0.0', exports };
    return { manifest, folder: path, path, tarball: '', files: [], remove() {} };
  };
  const typesAt = (types: string) => ({ types, default: './index.js' });

  test('are followed from every entry, whatever way they import', () => {
    const entries = {
      '.': typesAt('./index.d.ts'),
      './tabs': typesAt('./tabs.d.ts'),
      './p.json': './p.json',
    };
    expect(namedInTypes(packageWith(entries))).toEqual(['fp-ts/lib/Either.js', 'node:http', 'ws', 'xstate']);
  });

  test('are refused where an entry has none, has them not first, or does not pack them', () => {
    const isLast = { '.': { default: './index.js', types: './index.d.ts' } };
    expect(() => namedInTypes(packageWith({ '.': './index.js' }))).toThrow('do not begin with types');
    expect(() => namedInTypes(packageWith(isLast))).toThrow('do not begin with types');
    expect(() => namedInTypes(packageWith({ '.': typesAt('./x.d.ts') }))).toThrow('are not packed');
  });
});
