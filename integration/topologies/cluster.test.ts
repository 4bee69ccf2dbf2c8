import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Cluster } from 'ioredis';
import { type ClusterGroup, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { announcingBackend } from '../support/nat-map.ts';
import type { RedisNode } from '../support/node.ts';
import { createStage, PREFIX, publish, saidOfReading, timesLogged } from './stage.ts';

const LIMIT_MS = 60_000;

describe('a Signalbox on a Redis Cluster', () => {
  const stage = createStage();
  let cluster: ClusterGroup;
  let publisher: Cluster;

  beforeAll(async () => {
    cluster = await startCluster(await announcingBackend());
    publisher = new Cluster([...cluster.startupNodes], { ...cluster.options, slotsRefreshTimeout: 5000 });
    publisher.on('error', () => {});
  }, LIMIT_MS);
  afterAll(async () => {
    publisher.disconnect();
    await cluster.stop();
  }, LIMIT_MS);

  /** Only two of the nodes are named; the third is found through them. */
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    const named = cluster.startupNodes.slice(0, 2).map(({ host, port }) => `${host}:${port}`);
    const signalbox = await stage.start({ SIGNALBOX_REDIS_CLUSTER: named.join(','), ...env });
    await stage.ready(signalbox);
    return signalbox;
  };
  /** The node that serves this key. */
  const nodeOf = async (key: string): Promise<RedisNode> => {
    const slot = await publisher.cluster('KEYSLOT', key);
    const owner = publisher.slots[slot]?.[0];
    return cluster.nodes.find(({ host, port }) => `${host}:${port}` === owner) as RedisNode;
  };

  test('delivers to the sockets of a channel, wherever its stream is', async () => {
    const signalbox = await start();
    // A dozen channels are on all three nodes; the firehose is on one.
    const channels = Array.from({ length: 12 }, (_, at) => `c${at}`);
    const nodes = new Set(await Promise.all(channels.map((channel) => nodeOf(`${PREFIX}${channel}`))));
    expect(nodes.size).toBe(3);
    const clients = await Promise.all(channels.map((channel) => stage.open(signalbox, { channel })));
    const jobs = await Promise.all(channels.map((channel) => publish(publisher, channel, 3)));
    await Promise.all(clients.map((client) => client.receives(3)));
    expect(clients.map((client) => client.jobs)).toEqual(jobs);
  });

  test('a client that was away gets what it missed from the window, in order, once', async () => {
    const signalbox = await start();
    const first = await stage.open(signalbox, { channel: 'away' });
    await publish(publisher, 'away', 1);
    await first.receives(1);
    first.drop();
    const missed = await publish(publisher, 'away', 20);
    const back = await stage.open(signalbox, { channel: 'away', lastId: first.lastId });
    const live = await publish(publisher, 'away', 5);
    await back.receives(25);
    expect(back.jobs).toEqual([...missed, ...live]);
  });

  test('what fell out of the window comes from the stream of the channel, on whichever node', async () => {
    const signalbox = await start({
      SIGNALBOX_WINDOW_MAX_EVENTS: '5',
      SIGNALBOX_SUPERSET_REPLAY_SLACK_MS: '300',
    });
    const channels = Array.from({ length: 6 }, (_, at) => `long${at}`);
    const firsts = await Promise.all(channels.map((channel) => stage.open(signalbox, { channel })));
    await Promise.all(channels.map((channel) => publish(publisher, channel, 1)));
    await Promise.all(firsts.map((client) => client.receives(1)));
    for (const client of firsts) client.drop();
    const newest = Math.max(...firsts.map(({ lastId }) => Number(lastId?.split('-')[0])));
    await eventually('the first events are older than the slack', () => Date.now() - newest > 400);
    const missed = await Promise.all(channels.map((channel) => publish(publisher, channel, 40)));
    await publish(publisher, 'noise', 10);
    const backs = await Promise.all(
      channels.map((channel, at) => stage.open(signalbox, { channel, lastId: firsts[at]?.lastId })),
    );
    const live = await Promise.all(channels.map((channel) => publish(publisher, channel, 2)));
    for (const [at, client] of backs.entries()) {
      const expected = [...(missed[at] ?? []), ...(live[at] ?? [])];
      await eventually('the last has come', () => client.jobs.includes(expected.at(-1) ?? ''));
      // What is inside the slack may come again: here that is the event it had.
      expect(client.jobs.filter((job) => !firsts[at]?.jobs.includes(job))).toEqual(expected);
    }
  });

  test(
    'the node of the firehose is killed and comes back: sockets stay open, nothing is lost or doubled',
    async () => {
      const signalbox = await start();
      const client = await stage.open(signalbox, { channel: 'killed' });
      const jobs = await publish(publisher, 'killed', 10);
      await client.receives(10);
      const node = await nodeOf(`${PREFIX}full`);
      await node.kill();
      await stage.ready(signalbox, 503);
      await node.restart({ keepData: true });
      // The nodes agree one after the other that the Cluster is complete again.
      await eventually('the Cluster is complete', () => publisher.set('probe:{killed}', '1'), 30_000);
      await eventually('and its other end, too', () => publisher.set(`probe:{${PREFIX}full}`, '1'), 30_000);
      jobs.push(...(await publish(publisher, 'killed', 10)));
      await client.receives(20, 30_000);
      await stage.ready(signalbox);
      expect(client.jobs).toEqual(jobs);
      expect(client.closed).toBeUndefined();
      expect(saidOfReading(signalbox)).toMatch(/^live( stale live){1,2}$/);
      // It came back with its data, so this is the same life of it.
      expect(timesLogged(signalbox, 'The broker lost data or was replaced')).toBe(0);
    },
    LIMIT_MS,
  );
});
