import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';
import { eventually } from '../support/eventually.ts';

describe('delivery of Superset events from Redis', () => {
  const prefix = uniquePrefix();
  const env = {
    REDIS_URL: redisUrl(),
    REDIS_STREAM_PREFIX: prefix,
    SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
  };
  const instances: Signalbox[] = [];
  const publisher = new Publisher(redisUrl(), prefix);
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<Signalbox> => {
    const signalbox = await startSignalbox({ ...env, ...more });
    instances.push(signalbox);
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    return signalbox;
  };

  beforeEach(async () => {
    if (publisher.redis.status === 'wait') await publisher.redis.connect();
  });
  afterAll(() => publisher.close());
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((instance) => instance.stop()));
  });

  test('an event reaches every socket of its channel, and no other, with its id in front', async () => {
    const { port } = await start();
    const [one, other, stranger] = await Promise.all([
      Client.open(port, { channel: 'a' }),
      Client.open(port, { channel: 'a', path: '/ws/any/path' }),
      Client.open(port, { channel: 'b' }),
    ]);
    const job = await publisher.publish('a', { errors: ['ä', 1.5] });
    await publisher.publish('b');
    await Promise.all([one.receives(1), other.receives(1), stranger.receives(1)]);
    const [entry] = await publisher.redis
      .xrevrange(`${prefix}full`, '+', '-', 'COUNT', 2)
      .then((entries) => entries.slice(1));
    expect(one.messages).toEqual([
      {
        id: entry?.[0],
        channel_id: 'a',
        job_id: job,
        user_id: '1',
        status: 'done',
        errors: ['ä', 1.5],
        result_url: `/superset/explore_json/data/${job}`,
      },
    ]);
    expect(other.messages).toEqual(one.messages);
    expect(stranger.messages.map(({ channel_id }) => channel_id)).toEqual(['b']);
  });

  test('two processes on one Redis deliver the same, and a client moves between them', async () => {
    const first = await start();
    const second = await start();
    const before = await Client.open(first.port, { channel: 'moving' });
    await publisher.publishMany('moving', 5);
    await before.receives(5);
    before.drop();
    await publisher.publishMany('moving', 5);
    const after = await Client.open(second.port, { channel: 'moving', lastId: before.lastId });
    await publisher.publishMany('moving', 5);
    await after.receives(10);
    expect(new Set([...before.jobs, ...after.jobs]).size).toBe(15);
    expect(before.messages.length + after.messages.length).toBe(15);
  });

  test('a client that was away gets what it missed first, in order, once, and then what is live', async () => {
    const { port } = await start();
    const first = await Client.open(port, { channel: 'away' });
    const tab = await Client.open(port, { channel: 'away' });
    await publisher.publish('away');
    await first.receives(1);
    first.drop();
    const missed = await publisher.publishMany('away', 30);
    const back = await Client.open(port, { channel: 'away', lastId: first.lastId });
    const live = await publisher.publishMany('away', 10);
    await back.receives(40);
    await tab.receives(41);
    expect(back.jobs).toEqual([...missed, ...live]);
    expect(tab.jobs).toEqual([...first.jobs, ...missed, ...live]);
  });

  test('what fell out of the window comes from the channel stream, in order', async () => {
    const { port } = await start({
      SIGNALBOX_WINDOW_MAX_EVENTS: '5',
      SIGNALBOX_SUPERSET_REPLAY_SLACK_MS: '300',
    });
    const first = await Client.open(port, { channel: 'long' });
    await publisher.publish('long');
    await first.receives(1);
    first.drop();
    await eventually(
      'the first event is older than the slack',
      () => Date.now() - Number(first.lastId?.split('-')[0]) > 400,
    );
    const missed = await publisher.publishMany('long', 450);
    await publisher.publishMany('noise', 20);
    const back = await Client.open(port, { channel: 'long', lastId: first.lastId });
    const live = await publisher.publishMany('long', 5);
    await back.receives(455);
    const jobs = back.jobs.filter((job) => !first.jobs.includes(job));
    expect(jobs).toEqual([...missed, ...live]);
  });

  test('a restarted process serves from the window it filled', async () => {
    const first = await start();
    const client = await Client.open(first.port, { channel: 'restart' });
    await publisher.publish('restart');
    await client.receives(1);
    await first.stop();
    await client.closes();
    const missed = await publisher.publishMany('restart', 7);
    const second = await start();
    const back = await Client.open(second.port, { channel: 'restart', lastId: client.lastId });
    await back.receives(7);
    expect(back.jobs).toEqual(missed);
  });

  test('malformed entries are skipped, and what follows them is delivered', async () => {
    const { port, log } = await start();
    const client = await Client.open(port, { channel: 'good' });
    const full = `${prefix}full`;
    for (const bad of [
      'not json',
      'null',
      '[1]',
      '{}',
      '{"channel_id": 5}',
      '{"channel_id": ""}',
      '\u0000',
    ]) {
      await publisher.redis.xadd(full, '*', 'data', bad);
    }
    await publisher.redis.xadd(full, '*', 'other', '{"channel_id": "good", "job_id": "first field"}');
    await publisher.publish('good');
    await client.receives(2);
    expect(client.jobs[0]).toBe('first field');
    expect(
      log.filter(({ message }) => message === 'An entry is no event and was skipped').length,
    ).toBeGreaterThan(0);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    '%s is a channel like any other',
    async (channel) => {
      const { port } = await start();
      const client = await Client.open(port, { channel });
      const job = await publisher.publish(channel);
      await client.receives(1);
      expect(client.jobs).toEqual([job]);
      client.drop();
      const missed = await publisher.publish(channel);
      const back = await Client.open(port, { channel, lastId: client.lastId });
      await back.receives(1);
      expect(back.jobs).toEqual([missed]);
    },
  );
});
