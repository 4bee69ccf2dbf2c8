import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { NativeClient, tokenWith } from '../native/client.ts';
import { Numbers } from '../native/numbers.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';
import { type DeafLine, startDeafLine } from './deaf-line.ts';
import { startStatsdSink, type StatsdSink } from './statsd-sink.ts';

const API_KEY = 'a-key-of-the-canary-tests-0123';
const ALARM = 'This process is deaf';
const ALL_CLEAR = 'The reader hears again';
const QUICK = { SIGNALBOX_CANARY_INTERVAL_SECONDS: '1', SIGNALBOX_CANARY_TOLERANCE_SECONDS: '1' };

describe('a process that is connected to Redis, and deaf', () => {
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
  const lineTo = async ({ url }: OwnRedis): Promise<DeafLine> => {
    const line = await startDeafLine(url);
    return atEnd(line, () => line.stop());
  };
  const start = async (url: string, env: object = {}): Promise<Signalbox & { readonly sink: StatsdSink }> => {
    const sink = await startStatsdSink();
    atEnd(sink, () => sink.stop());
    const signalbox = await startSignalbox({
      REDIS_URL: url,
      SIGNALBOX_API_KEYS: API_KEY,
      REDIS_STREAM_READ_BLOCK_MS: '500',
      ...QUICK,
      ...sink.env,
      ...env,
    });
    atEnd(signalbox, () => signalbox.stop());
    await ready(signalbox);
    return { ...signalbox, sink };
  };
  const ready = (signalbox: Pick<Signalbox, 'readyStatus'>, status = 200): Promise<boolean> =>
    eventually(`/ready is ${status}`, async () => (await signalbox.readyStatus()) === status);
  const publisherTo = async (url: string): Promise<Publisher> => {
    const publisher = new Publisher(url, 'async-events-');
    await publisher.redis.connect();
    return atEnd(publisher, () => publisher.close());
  };
  const clientOf = (url: string): Redis => {
    const redis = new Redis(url);
    return atEnd(redis, () => redis.disconnect());
  };
  const said = ({ log }: Signalbox, words: string, feed?: string) =>
    log.filter(
      (line) => String(line['message']).startsWith(words) && (feed === undefined || line['feed'] === feed),
    );

  test('because another server took over: is not ready, says so, and reads there', async () => {
    const [before, after] = [await redisOfItsOwn(), await redisOfItsOwn()];
    const line = await lineTo(before);
    const signalbox = await start(line.url);
    const client = await Client.open(signalbox.port, { channel: 'a' });
    const first = await (await publisherTo(before.url)).publish('a');
    await client.receives(1);

    // The old one goes on answering, and nobody is told.
    line.lead(after.url);
    const second = await (await publisherTo(after.url)).publish('a');
    await eventually('the alarm', () => said(signalbox, ALARM, 'superset')[0]);
    expect(said(signalbox, ALARM, 'superset')[0]).toMatchObject({
      level: 'error',
      standing: 'behind',
      position: client.messages[0]?.id,
      end: expect.stringMatching(/^\d+-\d+$/),
    });
    await client.receives(2);
    await eventually('all clear', () => said(signalbox, ALL_CLEAR, 'superset')[0]);
    await ready(signalbox);
    expect(client.jobs).toEqual([first, second]);
    expect(client.closed).toBeUndefined();
    await eventually('the figures', () => signalbox.sink.lines.includes('signalbox.deaf:0|g|#feed:superset'));
  });

  test('because its blocking read is never answered: is not ready until it has a line that is', async () => {
    const redis = await redisOfItsOwn();
    const line = await lineTo(redis);
    // Its own deadline is a minute away.
    const signalbox = await start(line.url, {
      REDIS_STREAM_READ_BLOCK_MS: '60000',
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
    });
    const client = await NativeClient.open(signalbox.port);
    await client.ask({ type: 'subscribe', channel: 'sport' });
    const numbers = new Numbers('signalbox:', { url: redis.url });
    atEnd(numbers, () => numbers.close());
    await numbers.publish(['sport'], 1);
    await client.hears('sport', 1);

    const statuses: number[] = [];
    line.swallow('BLOCK');
    await numbers.publish(['sport'], 2);
    await eventually('not ready', async () => {
      statuses.push(await signalbox.readyStatus());
      return statuses.includes(503);
    });
    await client.hears('sport', 3);
    await ready(signalbox);
    expect(said(signalbox, ALARM)).toHaveLength(1);
    expect(said(signalbox, ALL_CLEAR)).toHaveLength(1);
    expect(said(signalbox, 'The broker cannot be read')).toEqual([]);
    expect(client.data('sport')).toHaveLength(3);
    // It may have been deaf for less than a second, in which no level was sent.
    await eventually('the alarm in the figures', () => signalbox.sink.total('signalbox.readers_deaf') === 1);
    await eventually('the level', () => signalbox.sink.lines.includes('signalbox.deaf:0|g|#feed:native'));
  });

  test('though nothing is published: sees it by an event of its own, which no client can have', async () => {
    const redis = await redisOfItsOwn();
    const line = await lineTo(redis);
    const signalbox = await start(line.url, {
      REDIS_STREAM_READ_BLOCK_MS: '60000',
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
    });
    const client = await NativeClient.open(signalbox.port, { token: tokenWith({ channels: ['*'] }) });
    await eventually('it is timed', () => signalbox.sink.gauge('signalbox.canary_ms') !== undefined);
    const channel = 'session:%00canary';
    expect(await client.ask({ type: 'subscribe', channel })).toMatchObject({ type: 'error' });
    const [[, fields] = []] = (await clientOf(redis.url).xrange('signalbox:$all', '-', '+', 'COUNT', 1)) as [
      string,
      string[],
    ][];
    expect(fields).toEqual(['c', channel, 'd', 'null', 'p', '0-0']);

    line.swallow('BLOCK');
    await eventually('the alarm', () => said(signalbox, ALARM)[0]);
    await ready(signalbox);
    expect(client.frames.filter(({ type }) => type === 'event')).toEqual([]);
  });

  test('on its realtime channel: sees it by an echo, and tells its clients that they may have missed something', async () => {
    const redis = await redisOfItsOwn();
    const line = await lineTo(redis);
    const signalbox = await start(line.url, { SIGNALBOX_SUPERSET_PROTOCOL: 'realtime' });
    const client = await Client.open(signalbox.port, {
      channel: 'user:5',
      cookieName: 'superset-ws-token',
      claims: {
        aud: 'superset-websocket',
        iss: 'superset',
        sub: '5',
        principal_type: 'user',
        exp: Math.floor(Date.now() / 1000) + 900,
      },
    });
    await eventually('it is timed', () =>
      signalbox.sink.lines.some((text) => /canary_ms.*superset/.test(text)),
    );
    // The line still answers pings.
    line.swallow('subscribe', 'message');
    await eventually('the alarm', () => said(signalbox, ALARM, 'superset')[0]);
    await eventually('its client is told', () => client.closed?.code === 1012);
    await ready(signalbox);
    expect(said(signalbox, ALL_CLEAR, 'superset')).toHaveLength(1);
  });
});

describe('a process that hears', () => {
  test('is never called deaf: not while nothing comes, in a flood, after a flush, a trim, or an outage', async () => {
    const redis = await startRedis();
    const signalbox = await startSignalbox({
      REDIS_URL: redis.url,
      REDIS_STREAM_READ_BLOCK_MS: '500',
      ...QUICK,
    });
    const client = new Redis(redis.url);
    client.on('error', () => {});
    const numbers = new Numbers('signalbox:', { url: redis.url });
    let looks = 0;
    const looked = async (count: number): Promise<void> => {
      const until = looks + count;
      await eventually('it has looked', async () => {
        looks = canaryConnections(await client.info('stats'));
        return looks >= until;
      });
    };
    try {
      await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
      looks = canaryConnections(await client.info('stats'));
      await looked(4);
      numbers.flow(['flood'], 100, 20);
      await looked(6);
      await numbers.still();
      for (const act of [
        () => client.flushall(),
        () => client.xtrim('signalbox:$all', 'MAXLEN', 0),
        () =>
          client
            .multi()
            .xadd('signalbox:$all', '*', 'c', 'x', 'd', '1')
            .xtrim('signalbox:$all', 'MAXLEN', 0)
            .exec(),
      ]) {
        await numbers.publish(['flood'], 10);
        await act();
        await looked(4);
      }
      expect(signalbox.log.filter(({ message }) => String(message).startsWith(ALARM))).toEqual([]);
      expect(await signalbox.readyStatus()).toBe(200);
    } finally {
      await numbers.close();
      client.disconnect();
      await signalbox.stop();
      await redis.stop();
    }
  }, 60_000);
});

/** Each look is a connection of its own, and nothing else here makes any. */
function canaryConnections(stats: string): number {
  return Number(/total_connections_received:(\d+)/.exec(stats)?.[1]);
}
