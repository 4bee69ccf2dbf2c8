import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import type { Broker, Firehose } from '../../src/broker/ports.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { eventually } from '../support/eventually.ts';
import { type SentinelGroup, startSentinel } from '../support/sentinel.ts';

const PREFIXES = { streamPrefix: 'async-events-', nativePrefix: 'signalbox:' };
const HISTORY = { maxLength: 1000, firehoseMaxLength: 10_000 };
const LIMIT_MS = 40_000;

describe('redis broker behind Sentinel', () => {
  let group: SentinelGroup;
  let broker: Broker;

  beforeAll(async () => {
    group = await startSentinel({ password: 'secret' });
    const { name, natMap } = group;
    const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }));
    broker = createRedisBroker({
      ...PREFIXES,
      history: HISTORY,
      address: { sentinels, name, natMap, password: 'secret' },
    });
  }, LIMIT_MS);
  afterAll(async () => {
    await broker.close();
    await group.stop();
  }, LIMIT_MS);

  test(
    'after a failover the next firehose reaches the new master, in another epoch, with what was replicated',
    async () => {
      const { log } = broker;
      const open = () => log.openFirehose(new AbortController().signal);
      const firehose = await open();
      const before = await firehose.head();
      const id = await log.append('a', Buffer.from('1'));
      const { host, port } = group.replica;
      const replica = new Redis({ host, port, password: 'secret' });
      await eventually('the replica has it', async () => (await replica.xlen('async-events-full')) === 1);
      replica.disconnect();
      const reading = firehose.read(id, { count: 1, blockMs: 60_000 });
      const [outcome] = await Promise.all([reading.catch((error: unknown) => error), group.master.kill()]);
      expect(outcome).toMatchObject({ code: 'lost' });

      const onNewMaster = <T>(act: (opened: Firehose) => Promise<T>): Promise<T> =>
        // Sentinel's word of the failover may come only now, and ends what was opened before it: the reader opens another.
        eventually<T>(
          'a firehose of the new master answers',
          async () => {
            const opened = await open();
            try {
              return await act(opened);
            } finally {
              opened.close();
            }
          },
          LIMIT_MS,
        );
      const after = await onNewMaster((opened) => opened.head());
      expect(after.lastId).toBe(id);
      expect(after.epoch.split(':')[1]).not.toBe(before.epoch.split(':')[1]);
      const second = await eventually('appending works', () => log.append('a', Buffer.from('2')), LIMIT_MS);
      const read = await onNewMaster((opened) => opened.read(id, { count: 1, blockMs: 2_000 }));
      expect(read.entries[0]?.id).toBe(second);
      const page = await log.range('a', ZERO_ID, undefined, 10);
      expect(page.entries.map((entry) => entry.id)).toEqual([id, second]);
    },
    LIMIT_MS,
  );

  test('when no sentinel answers, opening rejects and says so', async () => {
    const lost = createRedisBroker({
      ...PREFIXES,
      history: HISTORY,
      address: { sentinels: [{ host: '127.0.0.1', port: 1 }], name: group.name },
    });
    await expect(lost.log.openFirehose(new AbortController().signal)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('sentinels are unreachable'),
    });
    await lost.close();
  });
});
