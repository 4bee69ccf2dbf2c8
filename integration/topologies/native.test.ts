import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Cluster, type Redis } from 'ioredis';
import { type Frame, NativeClient, tokenWith } from '../native/client.ts';
import { type ClusterGroup, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { announcingBackend } from '../support/nat-map.ts';
import type { RedisNode } from '../support/node.ts';
import { startSentinel } from '../support/sentinel.ts';
import type { Signalbox } from '../support/signalbox.ts';
import { createStage } from './stage.ts';

const LIMIT_MS = 60_000;
const API_KEY = 'an-api-key-of-the-topology-tests';
const PREFIX = 'signalbox:';
const stage = createStage();

const start = async (env: Readonly<Record<string, string>>): Promise<Signalbox> => {
  const signalbox = await stage.start({
    SIGNALBOX_SUPERSET_PROTOCOL: 'off',
    SIGNALBOX_NATIVE_PREFIX: PREFIX,
    SIGNALBOX_API_KEYS: API_KEY,
    ...env,
  });
  await stage.ready(signalbox);
  return signalbox;
};

async function open(signalbox: Signalbox, hello: object = {}, path = '/', token?: string) {
  const client = await NativeClient.open(signalbox.port, { path, token }, hello);
  stage.atEnd(() => client.cut());
  return client;
}

const post = async (signalbox: Signalbox, path: string, body: object, token = API_KEY) => {
  const response = await fetch(`${signalbox.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Frame & { ticket?: string } };
};

/** Repeated until the broker is known to have it; its key makes a repeat the same event. */
const publish = (signalbox: Signalbox, data: number, more: object = {}) =>
  eventually(
    'it is published',
    async () => {
      const event = { channel: 'sport', data, key: `of-${data}`, ...more };
      const { status, body } = await post(signalbox, '/publish', event);
      return status === 201 ? body.id : undefined;
    },
    30_000,
  );

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

async function publishAll(signalbox: Signalbox, from: number, to: number): Promise<void> {
  for (const data of numbers(from, to)) await publish(signalbox, data);
}

const lastId = (client: NativeClient): string => client.events('sport').at(-1)?.id ?? '';
const epochOf = (client: NativeClient): unknown =>
  client.frames.find(({ type }) => type === 'subscribed')?.['epoch'];

describe('native clients on a Redis Cluster', () => {
  let cluster: ClusterGroup;
  let publisher: Cluster;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    cluster = await startCluster(await announcingBackend());
    publisher = new Cluster([...cluster.startupNodes], { ...cluster.options, slotsRefreshTimeout: 5000 });
    publisher.on('error', () => {});
    const named = cluster.startupNodes.map(({ host, port }) => `${host}:${port}`);
    env = { SIGNALBOX_REDIS_CLUSTER: named.join(',') };
  }, LIMIT_MS);
  afterAll(async () => {
    publisher.disconnect();
    await cluster.stop();
  }, LIMIT_MS);

  const nodeOf = async (key: string): Promise<RedisNode> => {
    const owner = publisher.slots[await publisher.cluster('KEYSLOT', key)]?.[0];
    return cluster.nodes.find(({ host, port }) => `${host}:${port}` === owner) as RedisNode;
  };

  test(
    'are served by any instance: published, told, resumed, snapshots, tickets used once, revoked',
    async () => {
      const few = { ...env, SIGNALBOX_WINDOW_MAX_EVENTS: '2' };
      const [one, two] = [await start(few), await start(few)];
      const client = await open(one);
      await client.ask({ type: 'subscribe', channel: 'sport' });
      await publishAll(two, 1, 3);
      expect(await client.hears('sport', 3)).toEqual([1, 2, 3]);
      client.cut();
      await publishAll(one, 4, 10);
      await publish(one, 11, { snapshot: true });

      const back = await open(two);
      const from = { lastId: lastId(client), epoch: epochOf(client) };
      expect(await back.ask({ type: 'subscribe', channel: 'sport', ...from })).toMatchObject({
        type: 'subscribed',
        recovered: true,
      });
      expect(await back.hears('sport', 8)).toEqual(numbers(4, 11));
      const fresh = await open(one);
      await fresh.ask({ type: 'subscribe', channel: 'sport' });
      expect(await fresh.receives(({ type }) => type === 'snapshot')).toMatchObject({ data: 11 });

      expect((await post(one, '/tell', { everyone: true, topic: 't', data: 7 })).status).toBe(202);
      for (const told of [back, fresh]) {
        expect(await told.receives(({ type }) => type === 'tell')).toMatchObject({ topic: 't', data: 7 });
      }
      const { ticket } = (await post(one, '/ticket', {}, tokenWith())).body;
      await open(one, {}, `/?ticket=${ticket}`, '');
      const again = new NativeClient(two.port, { path: `/?ticket=${ticket}`, token: '' });
      expect(await again.closes()).toEqual({ code: 4401, reason: 'unauthorized' });

      const ended = await post(two, '/disconnect', { user: '5' });
      expect(ended).toMatchObject({ status: 200, body: { closed: 3, unconfirmed: [] } });
      expect(await back.closes()).toMatchObject({ code: 4410 });
      const revoked = new NativeClient(one.port, { token: tokenWith() });
      expect(await revoked.closes()).toEqual({ code: 4401, reason: 'unauthorized' });
    },
    LIMIT_MS,
  );

  test(
    'stay connected while the node of their streams is killed and comes back, and miss nothing',
    async () => {
      const signalbox = await start({ ...env, SIGNALBOX_NATIVE_PREFIX: 'killed:' });
      const token = tokenWith({ sub: '6' });
      const client = await open(signalbox, {}, '/', token);
      await client.ask({ type: 'subscribe', channel: 'sport' });
      await publishAll(signalbox, 1, 5);
      await client.hears('sport', 5);
      const node = await nodeOf('{killed:}$all');
      await node.kill();
      await stage.ready(signalbox, 503);
      await node.restart({ keepData: true });
      await publishAll(signalbox, 6, 10);
      await stage.ready(signalbox);
      await eventually('the last one', () => client.data('sport').includes(10), 30_000);
      expect(client.data('sport')).toEqual(numbers(1, 10));
      expect(client.frames.filter(({ type }) => type === 'gap')).toEqual([]);
      expect(client.closed).toBeUndefined();
    },
    LIMIT_MS,
  );
});

describe('native clients behind Sentinel', () => {
  test(
    'are told of another epoch when the master was killed, and go on at the new one with what that has',
    async () => {
      const group = await startSentinel({ backend: await announcingBackend() });
      stage.atEnd(() => group.stop());
      const env = {
        SIGNALBOX_REDIS_SENTINELS: group.sentinels.map(({ host, port }) => `${host}:${port}`).join(','),
        SIGNALBOX_REDIS_NAME: group.name,
      };
      const [one, two] = [await start(env), await start(env)];
      const client = await open(one);
      await client.ask({ type: 'subscribe', channel: 'sport' });
      await publishAll(two, 1, 5);
      await client.hears('sport', 5);
      const epoch = epochOf(client);
      const replica: Redis = stage.connect({ host: group.replica.host, port: group.replica.port });
      await eventually('the replica has it', async () => (await replica.xlen(`${PREFIX}$all`)) >= 5);

      await group.master.kill();
      await Promise.all([one, two].map((signalbox) => stage.ready(signalbox, 503)));
      await publishAll(two, 6, 8);
      await Promise.all([one, two].map((signalbox) => stage.ready(signalbox)));
      await eventually('the last one', () => client.data('sport').includes(8), 30_000);
      expect(client.closed).toBeUndefined();
      const gap = await client.receives(({ type, channel }) => type === 'gap' && channel === 'sport');
      expect(gap).toMatchObject({ reason: 'epoch', epoch: expect.any(String) });
      expect(gap['epoch']).not.toBe(epoch);
      // What comes after the gap is in order and once.
      const data = client.data('sport') as number[];
      expect(data).toEqual([...new Set(data)].toSorted((a, b) => a - b));

      const back = await open(two);
      const answer = await back.ask({ type: 'subscribe', channel: 'sport', lastId: lastId(client), epoch });
      expect(answer).toMatchObject({ type: 'subscribed', recovered: false, epoch: gap['epoch'] });
      const resumed = await open(two);
      const from = { lastId: client.events('sport')[4]?.id, epoch: gap['epoch'] };
      expect(await resumed.ask({ type: 'subscribe', channel: 'sport', ...from })).toMatchObject({
        recovered: true,
      });
      expect(await resumed.hears('sport', 3)).toEqual([6, 7, 8]);
      await eventually('instances hear each other', async () => {
        const { status } = await post(two, '/tell', { everyone: true, topic: 'there' });
        return status === 202 && client.frames.some(({ topic }) => topic === 'there');
      });
    },
    LIMIT_MS,
  );
});
