import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { announcingBackend } from '../support/nat-map.ts';
import type { RedisNode } from '../support/node.ts';
import { type SentinelGroup, startSentinel } from '../support/sentinel.ts';
import { createStage, PREFIX, publish, saidOfReading, timesLogged } from './stage.ts';

const LIMIT_MS = 60_000;
const PASSWORD = 'of-the-servers';
const SENTINEL_PASSWORD = 'of-the-sentinels';

describe('a Signalbox behind Sentinel', () => {
  const stage = createStage();

  const startGroup = async (): Promise<SentinelGroup> => {
    const group = await startSentinel({
      backend: await announcingBackend(),
      password: PASSWORD,
      sentinelPassword: SENTINEL_PASSWORD,
    });
    stage.atEnd(() => group.stop());
    return group;
  };
  const envOf = ({ sentinels, name }: SentinelGroup) => ({
    SIGNALBOX_REDIS_SENTINELS: sentinels.map(({ host, port }) => `${host}:${port}`).join(','),
    SIGNALBOX_REDIS_NAME: name,
    SIGNALBOX_REDIS_SENTINEL_PASSWORD: SENTINEL_PASSWORD,
    REDIS_PASSWORD: PASSWORD,
  });
  const connectTo = ({ host, port }: RedisNode): Redis => stage.connect({ host, port, password: PASSWORD });
  const isMaster = async (redis: Redis) => (await redis.info('replication')).includes('role:master');

  test(
    'the master is killed: sockets stay open and get what is published to the new one, and it is said once',
    async () => {
      const group = await startGroup();
      const signalbox = await stage.start(envOf(group));
      await stage.ready(signalbox);
      const [master, replica] = [connectTo(group.master), connectTo(group.replica)];
      const clients = await Promise.all(['a', 'a', 'b'].map((channel) => stage.open(signalbox, { channel })));
      const [one, two, other] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]];
      const jobs = await publish(master, 'a', 10);
      const others = await publish(master, 'b', 1);
      await Promise.all([one.receives(10), two.receives(10), other.receives(1)]);
      await eventually('the replica has it', async () => (await replica.xlen(`${PREFIX}full`)) === 11);

      await group.master.kill();
      await stage.ready(signalbox, 503);
      await eventually('the replica is promoted', () => isMaster(replica), 30_000);
      // Before the reader is back: it must find these, too.
      jobs.push(...(await publish(replica, 'a', 10)));
      await stage.ready(signalbox);
      jobs.push(...(await publish(replica, 'a', 10)));
      others.push(...(await publish(replica, 'b', 1)));
      await Promise.all([one.receives(30), two.receives(30), other.receives(2)]);
      expect(one.jobs).toEqual(jobs);
      expect(two.jobs).toEqual(jobs);
      expect(other.jobs).toEqual(others);
      expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined, undefined]);

      expect(saidOfReading(signalbox)).toMatch(/^live( stale live){1,2}$/);
      expect(timesLogged(signalbox, 'The broker lost data or was replaced')).toBe(1);
    },
    LIMIT_MS,
  );

  test(
    'a failover that is asked for, while the old master lives on: nothing is lost',
    async () => {
      const group = await startGroup();
      const signalbox = await stage.start(envOf(group));
      await stage.ready(signalbox);
      const [master, replica] = [connectTo(group.master), connectTo(group.replica)];
      const client = await stage.open(signalbox, { channel: 'a' });
      const jobs = await publish(master, 'a', 5);
      await client.receives(5);
      const [sentinel] = group.sentinels as [RedisNode, ...RedisNode[]];
      const asked = stage.connect({
        host: sentinel.host,
        port: sentinel.port,
        password: SENTINEL_PASSWORD,
      });
      await eventually('the sentinel begins', () => asked.call('SENTINEL', 'FAILOVER', group.name));
      await eventually('the replica is promoted', () => isMaster(replica), 30_000);
      jobs.push(...(await publish(replica, 'a', 5)));
      await client.receives(10, 30_000);
      expect(client.jobs).toEqual(jobs);
      expect(client.closed).toBeUndefined();
      await stage.ready(signalbox);
    },
    LIMIT_MS,
  );

  test(
    'with the wrong password of the sentinels it is up, not ready, and says why',
    async () => {
      const group = await startGroup();
      const env = { ...envOf(group), SIGNALBOX_REDIS_SENTINEL_PASSWORD: 'a guess' };
      const signalbox = await stage.start(env);
      await eventually('it says so', () => timesLogged(signalbox, 'The broker cannot be read') === 1);
      expect(await signalbox.readyStatus()).toBe(503);
      expect(JSON.stringify(signalbox.log)).toMatch(/WRONGPASS|NOAUTH|sentinels are unreachable/);
      expect(JSON.stringify(signalbox.log)).not.toContain('a guess');
    },
    LIMIT_MS,
  );
});
