import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';

describe('outages of Redis', () => {
  const ended: (() => unknown)[] = [];
  const atEnd = <T>(value: T, end: () => unknown): T => {
    ended.unshift(end);
    return value;
  };
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  const redisOfItsOwn = async (): Promise<OwnRedis> => {
    const redis = await startRedis();
    return atEnd(redis, () => redis.stop());
  };
  const start = async (redis: Pick<OwnRedis, 'url'>, env = {}): Promise<Signalbox> => {
    const signalbox = await startSignalbox({
      REDIS_URL: redis.url,
      REDIS_STREAM_READ_BLOCK_MS: '500',
      ...env,
    });
    return atEnd(signalbox, () => signalbox.stop());
  };
  const publisherTo = async ({ url }: Pick<OwnRedis, 'url'>): Promise<Publisher> => {
    const publisher = new Publisher(url, 'async-events-');
    await publisher.redis.connect();
    return atEnd(publisher, () => publisher.close());
  };
  const ready = (signalbox: Signalbox, status = 200): Promise<boolean> =>
    eventually(`/ready is ${status}`, async () => (await signalbox.readyStatus()) === status);

  test('killed and restarted with its data: sockets stay, and nothing is lost, doubled or out of order', async () => {
    const redis = await redisOfItsOwn();
    const signalbox = await start(redis);
    await ready(signalbox);
    const before = await publisherTo(redis);
    const client = await Client.open(signalbox.port, { channel: 'a' });
    const jobs = await before.publishMany('a', 10);
    await client.receives(10);

    await redis.kill();
    await ready(signalbox, 503);
    expect((await fetch(`${signalbox.url}/health`)).status).toBe(200);
    const during = await Client.open(signalbox.port, { channel: 'a', lastId: client.messages[4]?.id });
    await redis.restart({ keepData: true });
    const after = await publisherTo(redis);
    jobs.push(...(await after.publishMany('a', 10)));
    await ready(signalbox);
    await client.receives(20);
    await during.receives(15);
    expect(client.jobs).toEqual(jobs);
    expect(during.jobs).toEqual(jobs.slice(5));
    expect(client.closed).toBeUndefined();
  });

  test('restarted without its data: reading goes on with what the new life brings', async () => {
    const redis = await redisOfItsOwn();
    const signalbox = await start(redis);
    await ready(signalbox);
    const before = await publisherTo(redis);
    const client = await Client.open(signalbox.port, { channel: 'a' });
    await before.publishMany('a', 3);
    await client.receives(3);

    await redis.kill();
    await redis.restart({ keepData: false });
    const after = await publisherTo(redis);
    await after.publishMany('a', 3);
    await client.receives(6);
    await ready(signalbox);
    await after.publishMany('a', 3);
    await client.receives(9);
    expect(client.messages).toHaveLength(9);
    expect(signalbox.log.some(({ message }) => String(message).startsWith('The broker lost data'))).toBe(
      true,
    );
  });

  test('emptied while it runs: the reader notices, and is not deaf', async () => {
    const redis = await redisOfItsOwn();
    const signalbox = await start(redis);
    await ready(signalbox);
    const publisher = await publisherTo(redis);
    const client = await Client.open(signalbox.port, { channel: 'a' });
    // An id of the far future: whatever comes later is below it.
    await publisher.redis.xadd(
      'async-events-full',
      '99999999999999-0',
      'data',
      '{"channel_id": "a", "job_id": "x"}',
    );
    await client.receives(1);
    await publisher.redis.flushall();
    // By the reader of these streams: the other one may be faster.
    await eventually('the loss is noticed', () =>
      signalbox.log.some(
        ({ message, feed }) => feed === 'superset' && String(message).startsWith('The broker lost data'),
      ),
    );
    const job = await publisher.publish('a');
    await client.receives(2);
    expect(client.jobs).toEqual(['x', job]);
  });

  test('trimmed past the reader while it was frozen: the channel stream gives what the firehose no longer has', async () => {
    const redis = await redisOfItsOwn();
    const signalbox = await start(redis);
    await ready(signalbox);
    const publisher = await publisherTo(redis);
    const client = await Client.open(signalbox.port, { channel: 'a' });
    const jobs = [await publisher.publish('a')];
    await client.receives(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const pipeline = publisher.redis.multi();
    for (let at = 0; at < 20; at += 1) {
      const data = JSON.stringify({ channel_id: 'a', job_id: `late-${at}` });
      pipeline.xadd('async-events-a', '*', 'data', data);
      pipeline.xadd('async-events-full', 'MAXLEN', 3, '*', 'data', data);
      jobs.push(`late-${at}`);
    }
    await pipeline.exec();
    await client.receives(21);
    expect([...new Set(client.jobs)]).toEqual(jobs);
  });

  test('started before Redis: it is up, says that it is not ready, and serves once Redis is there', async () => {
    const redis = await redisOfItsOwn();
    await redis.kill();
    const signalbox = await start(redis);
    expect((await fetch(`${signalbox.url}/health`)).status).toBe(200);
    expect(await signalbox.readyStatus()).toBe(503);
    await expect(Client.open(signalbox.port, { channel: 'a' })).rejects.toThrow('503');
    await redis.restart({ keepData: false });
    await ready(signalbox);
    const publisher = await publisherTo(redis);
    const client = await Client.open(signalbox.port, { channel: 'a' });
    await publisher.publish('a');
    await client.receives(1);
  });

  test('frozen: a read ends by its deadline, and what was published is delivered when it thaws', async () => {
    const redis = await redisOfItsOwn();
    const signalbox = await start(redis);
    await ready(signalbox);
    const publisher = await publisherTo(redis);
    const client = await Client.open(signalbox.port, { channel: 'a' });
    await publisher.publish('a');
    await client.receives(1);
    await redis.pause();
    await ready(signalbox, 503);
    await redis.resume();
    await ready(signalbox);
    await publisher.publish('a');
    await client.receives(2);
    expect(client.closed).toBeUndefined();
  });
});
