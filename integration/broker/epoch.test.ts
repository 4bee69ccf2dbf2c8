import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Broker, LogHead } from '../../src/broker/ports.ts';
import { Connection } from '../../src/broker/redis/connection.ts';
import { Epoch } from '../../src/broker/redis/epoch.ts';
import { RedisFirehose } from '../../src/broker/redis/firehose.ts';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisNode, startNode } from '../support/node.ts';
import { ownBackend } from '../support/redis.ts';

const APPEND_ONLY = ['--save', '', '--appendonly', 'yes'];
/** Written when a test asks for it. */
const SNAPSHOTS = ['--save', '3600 1000000', '--appendonly', 'no'];

describe('epoch of a Redis', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  const start = async (persistence: readonly string[] = APPEND_ONLY): Promise<RedisNode> => {
    const redis = await startNode(ownBackend(), {
      args: ({ port }) => ['--port', `${port}`, '--repl-diskless-sync-delay', '0', ...persistence],
    });
    ended.unshift(() => redis.stop());
    return redis;
  };
  const brokerOf = ({ host, port }: { host: string; port: number }): Broker => {
    const broker = createRedisBroker({
      address: { host, port },
      streamPrefix: 'async-events-',
      nativePrefix: 'signalbox:',
      history: { maxLength: 1000, firehoseMaxLength: 10_000 },
    });
    ended.unshift(() => broker.close());
    return broker;
  };
  const clientOf = ({ host, port }: { host: string; port: number }): Redis => {
    const client = new Redis({ host, port, enableReadyCheck: false });
    client.on('error', () => {});
    ended.unshift(() => client.disconnect());
    return client;
  };
  const append = ({ log }: Broker): Promise<StreamId> =>
    eventually('appending works', () => log.append('a', Buffer.from('1')));
  /** A new connection reads the epoch, then everything. */
  const follow = async ({ log }: Broker, from: StreamId = ZERO_ID): Promise<LogHead> => {
    const firehose = await log.openFirehose(new AbortController().signal);
    const head = await firehose.head();
    for (let at = from; ; ) {
      const last = (await firehose.read(at, { count: 100, blockMs: 0 })).entries.at(-1);
      if (last === undefined) break;
      at = last.id;
    }
    firehose.close();
    return head;
  };

  test('is the same for every instance', async () => {
    const redis = await start();
    const brokers = Array.from({ length: 5 }, () => brokerOf(redis));
    const epochs = (await Promise.all(brokers.map((broker) => follow(broker)))).map(({ epoch }) => epoch);
    expect(epochs[0]).toMatch(/^[0-9a-f]{16}:[0-9a-f]{16}$/);
    expect(new Set(epochs).size).toBe(1);
    expect((await follow(brokerOf(redis))).epoch).toBe(epochs[0]);
  });

  test('goes with the stream of its own life, also when the data went while both were asked for', async () => {
    const client = clientOf(await start());
    class Interrupted extends Epoch {
      empty = false;
      override async read(...asked: Parameters<Epoch['read']>): Promise<string> {
        if (this.empty) await client.flushall();
        return super.read(...asked);
      }
    }
    const epoch = new Interrupted('epoch', () => {});
    const firehose = new RedisFirehose(new Connection(client), 'full', epoch, 5_000);
    const id = '99999999999999-0' as StreamId;
    await client.xadd('full', id, 'data', '1');
    const before = await firehose.head();
    expect(before.lastId).toBe(id);
    epoch.empty = true;
    const after = await firehose.head();
    expect(after.epoch).not.toBe(before.epoch);
    expect(after.lastId).toBe(ZERO_ID);
  });

  /** Starts a replica of it, and answers that and a connection to it. */
  const startReplica = async (master: RedisNode): Promise<[RedisNode, Redis]> => {
    const replica = await start();
    const client = clientOf(replica);
    const { host, port } = master.announced();
    await client.replicaof(host, port);
    await eventually('the replica is in step', async () =>
      (await client.info('replication')).includes('master_link_status:up'),
    );
    // It begins its own file with its copy; killed before that, it comes back with nothing.
    await eventually('and has it in its file', async () =>
      /aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0/.test(await client.info('persistence')),
    );
    return [replica, client];
  };

  describe('stays when a restarted server holds all that was read', () => {
    test('in its append-only file, restart after restart, for one that was there and one that was not', async () => {
      const redis = await start();
      const broker = brokerOf(redis);
      await append(broker);
      const { epoch } = await follow(broker);
      for (let restart = 0; restart < 2; restart += 1) {
        await redis.restart({ keepData: true });
        expect((await follow(broker)).epoch).toBe(epoch);
        expect((await follow(brokerOf(redis))).epoch).toBe(epoch);
        await append(broker);
      }
    });

    test.each([
      ['that never had a replica', false],
      ['that had one, and so has a second replication id', true],
    ])('in the snapshot of a server %s', async (_, hasReplica) => {
      const redis = await start(SNAPSHOTS);
      const client = clientOf(redis);
      if (hasReplica) await startReplica(redis);
      const broker = brokerOf(redis);
      await append(broker);
      const { epoch } = await follow(broker);
      for (let restart = 0; restart < 2; restart += 1) {
        await append(broker);
        await follow(broker);
        await eventually('it is saved, beside the copy that the replica got', () => client.save());
        await redis.restart({ keepData: true });
        expect((await follow(broker)).epoch).toBe(epoch);
        expect((await follow(brokerOf(redis))).epoch).toBe(epoch);
      }
      const secondId = /^master_replid2:(\w+)/m.exec(await client.info('replication'))?.[1];
      expect(/^0+$/.test(secondId ?? '')).toBe(!hasReplica);
    });
  });

  test('stays when the stream was trimmed past what was read', async () => {
    const redis = await start();
    const broker = brokerOf(redis);
    await append(broker);
    const { epoch } = await follow(broker);
    for (let at = 0; at < 5; at += 1) await append(broker);
    await clientOf(redis).xtrim('async-events-full', 'MAXLEN', 2);
    await redis.restart({ keepData: true });
    expect((await follow(broker)).epoch).toBe(epoch);
  });

  describe('changes', () => {
    test('when everything was removed', async () => {
      const redis = await start();
      const broker = brokerOf(redis);
      const { epoch } = await follow(broker);
      await clientOf(redis).flushall();
      expect((await follow(broker)).epoch).not.toBe(epoch);
    });

    test('when a server comes back from a snapshot that is older than what was read, for all instances at once', async () => {
      const redis = await start(SNAPSHOTS);
      const broker = brokerOf(redis);
      const other = brokerOf(redis);
      await append(broker);
      const { epoch } = await follow(broker);
      await clientOf(redis).save();
      await append(broker);
      await follow(broker);
      expect((await follow(other)).epoch).toBe(epoch);
      await redis.restart({ keepData: true });
      const after = await follow(broker);
      expect(after.epoch).not.toBe(epoch);
      expect((await follow(other)).epoch).toBe(after.epoch);
      expect((await follow(broker)).epoch).toBe(after.epoch);
    });

    test('also when something was written to such a server before anybody looked', async () => {
      const redis = await start(SNAPSHOTS);
      const broker = brokerOf(redis);
      await append(broker);
      const { epoch } = await follow(broker);
      await clientOf(redis).save();
      const read = await append(broker);
      await follow(broker);
      await redis.restart({ keepData: true });
      const writer = brokerOf(redis);
      await append(writer);
      expect((await follow(writer)).epoch).toBe(epoch);
      const after = await follow(broker, read);
      expect(after.lastId > read).toBe(true);
      expect(after.epoch).not.toBe(epoch);
      expect((await follow(writer)).epoch).toBe(after.epoch);
    });

    test('when a replica that has everything is promoted', async () => {
      const master = await start();
      const [replica, client] = await startReplica(master);
      const broker = brokerOf(master);
      const id = await append(broker);
      const { epoch } = await follow(broker);
      await eventually('the replica has it', async () => (await client.xlen('async-events-full')) === 1);
      await master.kill();
      await client.replicaof('NO', 'ONE');
      const promoted = brokerOf(replica);
      const after = await follow(promoted);
      expect(after.lastId).toBe(id);
      expect(after.epoch.split(':')[0]).toBe(epoch.split(':')[0]);
      expect(after.epoch).not.toBe(epoch);
      expect((await follow(brokerOf(replica))).epoch).toBe(after.epoch);
      // From now on it is a server like any other.
      await replica.restart({ keepData: true });
      expect((await follow(promoted)).epoch).toBe(after.epoch);
    });
  });
});
