import { afterEach, describe, expect, test } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import type { RedisNode } from '../support/node.ts';
import { startSentinel } from '../support/sentinel.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client } from '../support/superset.ts';
import { eventText } from './replay-checks.ts';

const LIMIT_MS = 40_000;

describe('one Redis host', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  }, LIMIT_MS);

  const start = async (env: Readonly<Record<string, string>>): Promise<Signalbox> => {
    const signalbox = await startSignalbox({ REDIS_STREAM_READ_BLOCK_MS: '500', ...env });
    ended.unshift(() => signalbox.stop());
    return signalbox;
  };
  const ready = (signalbox: Signalbox): Promise<boolean> =>
    eventually('ready', async () => (await signalbox.readyStatus()) === 200, LIMIT_MS);
  const publish = async (redis: Redis | Cluster, job: string): Promise<void> => {
    for (const stream of ['a', 'full']) {
      await redis.xadd(`async-events-${stream}`, '*', 'data', eventText('a', job));
    }
  };
  const addressesOf = (nodes: readonly Pick<RedisNode, 'host' | 'port'>[]): string =>
    nodes.map(({ host, port }) => `${host}:${port}`).join(',');

  test(
    'F2.10 no Sentinel: an open socket has what is published on the new master after a failover',
    async () => {
      const group = await startSentinel();
      ended.unshift(() => group.stop());
      const signalbox = await start({
        SIGNALBOX_REDIS_SENTINELS: addressesOf(group.sentinels),
        SIGNALBOX_REDIS_NAME: group.name,
      });
      await ready(signalbox);
      const toMaster = new Redis({ host: group.master.host, port: group.master.port });
      toMaster.on('error', () => {});
      ended.unshift(() => toMaster.disconnect());
      const client = await Client.open(signalbox.port, { channel: 'a' });
      await publish(toMaster, 'before');
      await client.receives(1);
      const toReplica = new Redis({ host: group.replica.host, port: group.replica.port });
      ended.unshift(() => toReplica.disconnect());
      await eventually('it is replicated', async () => (await toReplica.xlen('async-events-full')) === 1);
      await group.master.kill();
      await eventually('the replica is master', () => publish(toReplica, 'after').then(() => true), LIMIT_MS);
      await client.receives(2, LIMIT_MS);
      expect([client.jobs, client.closed]).toEqual([['before', 'after'], undefined]);
      await ready(signalbox);
    },
    2 * LIMIT_MS,
  );

  test(
    'F2.10 no Cluster: replay and live work on one',
    async () => {
      const group = await startCluster();
      ended.unshift(() => group.stop());
      const cluster = new Cluster([...group.startupNodes], group.options);
      ended.unshift(() => cluster.disconnect());
      const signalbox = await start({
        SIGNALBOX_REDIS_CLUSTER: addressesOf(group.startupNodes),
        SIGNALBOX_WINDOW_MAX_EVENTS: '1',
        // Longer than a busy machine has this publisher wait between its two XADDs: that is what is provided for.
        SIGNALBOX_SUPERSET_REPLAY_SLACK_MS: '5000',
      });
      await ready(signalbox);
      const client = await Client.open(signalbox.port, { channel: 'a' });
      await publish(cluster, 'first');
      await client.receives(1);
      client.drop();
      const jobs = ['second', 'third', 'fourth'];
      for (const job of jobs) await publish(cluster, job);
      const back = await Client.open(signalbox.port, { channel: 'a', lastId: client.lastId });
      await publish(cluster, 'live');
      await eventually('the live one', () => back.jobs.includes('live'));
      expect(back.jobs.filter((job) => job !== 'first')).toEqual([...jobs, 'live']);
    },
    2 * LIMIT_MS,
  );
});
