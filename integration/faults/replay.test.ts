import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startNaiveSidecar } from '../../test/faults/naive-sidecar.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { JWT_SECRET, startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';
import { type Relay, startRelay } from './relay.ts';
import {
  eventBetweenReads,
  eventText,
  FAULTLESS,
  firstEventAfterStart,
  judge,
  marked,
  replayBesideLive,
  replayDelayMs,
  straddlingEvent,
  type Subject,
  tabBesideReplay,
} from './replay-checks.ts';
import { startStatsdSink, type StatsdSink } from './statsd-sink.ts';

/** So small that a replay has to read the channel's own stream. */
const TINY_WINDOW = { SIGNALBOX_WINDOW_MAX_EVENTS: '1' };

const NO_LAST_IDS = [
  '5',
  'abc',
  '1-',
  '-1',
  '1-2-3',
  '99999999999999999999999-0',
  '1-18446744073709551616',
  '$',
  '+',
  // Beyond the top of the stream.
  '99999999999999-0',
  '9007199254740993-0',
  '18446744073709551615-18446744073709551615',
];
const EARLIEST_LAST_IDS = ['0-0', '0-1', '1-0', '4999-7', '5001-0', '1-18446744073709551615'];

const ended: (() => unknown)[] = [];
let prefix: string;
let publisher: Publisher;

beforeEach(async () => {
  prefix = uniquePrefix();
  publisher = new Publisher(redisUrl(), prefix);
  ended.unshift(() => publisher.close());
  await publisher.redis.connect();
});
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const signalbox = async (env: Readonly<Record<string, string>> = {}): Promise<Subject> => {
  const started = await startSignalbox({
    REDIS_URL: redisUrl(),
    REDIS_STREAM_PREFIX: prefix,
    SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    REDIS_STREAM_READ_BLOCK_MS: '5000',
    ...env,
  });
  ended.unshift(() => started.stop());
  await eventually('ready', async () => (await started.readyStatus()) === 200);
  return started;
};

const naiveSidecar = async (
  options: { readonly url?: string; readonly blockMs?: number } = {},
): Promise<Subject> => {
  const started = await startNaiveSidecar({ url: redisUrl(), prefix, secret: JWT_SECRET, ...options });
  ended.unshift(() => started.stop());
  await eventually('the naive sidecar is reading', async () => {
    const clients = String(await publisher.redis.client('LIST')).split('\n');
    return clients.some((line) => line.includes(`name=naive:${prefix}`) && line.includes('cmd=xread'));
  });
  return started;
};

const statsdSink = async (): Promise<StatsdSink> => {
  const sink = await startStatsdSink();
  ended.push(() => sink.stop());
  return sink;
};

const relay = async (): Promise<Relay> => {
  const started = await startRelay(redisUrl());
  ended.push(() => started.stop());
  return started;
};

describe('replay waits behind the blocking read: up to 5 s before a reconnecting client sees anything', () => {
  test('F1.5 replay head-of-line blocked: it starts at once, from the window', async () => {
    expect(await replayDelayMs(await signalbox(), publisher, 4000)).toBeLessThan(1000);
  });

  test('and from the stream of the channel, beside a blocking read of 5 s', async () => {
    expect(await replayDelayMs(await signalbox(TINY_WINDOW), publisher, 4000)).toBeLessThan(1000);
  });

  test('with one connection for both the check fails', async () => {
    expect(await replayDelayMs(await naiveSidecar(), publisher, 1500)).toBeGreaterThan(1000);
  });
});

describe('a replay goes to every tab of the channel', () => {
  test('F1.8 replay goes to every tab of the channel: only the socket that asked has it', async () => {
    expect(await tabBesideReplay(await signalbox(), publisher)).toEqual(FAULTLESS);
  });

  test('nor does one from the stream of the channel', async () => {
    const subject = await signalbox({ ...TINY_WINDOW, SIGNALBOX_SUPERSET_REPLAY_SLACK_MS: '0' });
    expect(await tabBesideReplay(subject, publisher)).toEqual(FAULTLESS);
  });

  test('with a replay sent to all sockets of the channel the check fails', async () => {
    const { doubled } = await tabBesideReplay(await naiveSidecar({ blockMs: 100 }), publisher);
    expect(doubled.length).toBeGreaterThan(0);
  });
});

describe('replay and live interleave: no join', () => {
  test('F1.9 out of order: what was missed comes first, then what is live, each once', async () => {
    expect(await replayBesideLive(await signalbox(), publisher)).toEqual(FAULTLESS);
  });

  test('with a replay that races live events the check fails', async () => {
    const { disordered } = await replayBesideLive(await naiveSidecar(), publisher);
    expect(disordered.length).toBeGreaterThan(0);
  });
});

describe('an event whose two ids straddle `last_id` is lost', () => {
  test('F1.7 id skew between the two streams: it is in the window under its id on full', async () => {
    expect(await straddlingEvent(await signalbox(), publisher)).toEqual(FAULTLESS);
  });

  test('F1.7 id skew between the two streams: it is inside the slack in the stream of the channel', async () => {
    expect(await straddlingEvent(await signalbox(TINY_WINDOW), publisher)).toEqual(FAULTLESS);
  });

  test('with a replay that starts strictly after last_id the check fails', async () => {
    expect((await straddlingEvent(await naiveSidecar({ blockMs: 100 }), publisher)).lost).toEqual(['missed']);
  });
});

describe('events between two reads are lost until the first one arrives', () => {
  test("F1.6 lost event at '$': the start position is resolved once", async () => {
    const line = await relay();
    const subject = await signalbox({ REDIS_URL: line.url, REDIS_STREAM_READ_BLOCK_MS: '100' });
    expect(await eventBetweenReads(subject, publisher, line)).toEqual(FAULTLESS);
  });

  test('with $ at each read the check fails', async () => {
    const line = await relay();
    const subject = await naiveSidecar({ url: line.url, blockMs: 100 });
    expect((await eventBetweenReads(subject, publisher, line)).lost).toHaveLength(1);
  });
});

describe('after start the first event comes twice, under two ids', () => {
  test('F1.4 duplicate after start: the first event comes once', async () => {
    await publisher.publish('other');
    expect(await firstEventAfterStart(await signalbox(), publisher)).toEqual(FAULTLESS);
  });

  test('with a replay up to + while the reader is at $ the check fails', async () => {
    await publisher.publish('other');
    expect((await firstEventAfterStart(await naiveSidecar(), publisher)).doubled).toHaveLength(1);
  });
});

describe('F1.14 malformed last_id, a trimmed stream: no replay, and no error to the client', () => {
  test('what is no stream id is counted, and its socket is live without anything old', async () => {
    const statsd = await statsdSink();
    const subject = await signalbox(statsd.env);
    const witness = await Client.open(subject.port, { channel: 'idless' });
    await marked([witness], () => publisher.publish('idless'));
    const clients = await Promise.all(
      NO_LAST_IDS.map((lastId) => Client.open(subject.port, { channel: 'idless', lastId })),
    );
    const job = await publisher.publish('idless');
    for (const client of clients) {
      await client.receives(1);
      expect(client.jobs).toEqual([job]);
    }
    await eventually(
      'they are counted',
      () => statsd.total('signalbox.last_id_ignored') === NO_LAST_IDS.length,
    );
  });

  test.each([
    ['from the window', {}],
    ['from the stream of the channel', TINY_WINDOW],
  ])('the earliest there are bring everything, in order, once: %s', async (_, env) => {
    const subject = await signalbox(env);
    const witness = await Client.open(subject.port, { channel: 'earliest' });
    const due = await publisher.publishMany('earliest', 5);
    await witness.receives(5);
    const clients = await Promise.all(
      EARLIEST_LAST_IDS.map((lastId) => Client.open(subject.port, { channel: 'earliest', lastId })),
    );
    due.push(await marked(clients, () => publisher.publish('earliest')));
    for (const client of clients) expect(judge(client.jobs, due)).toEqual(FAULTLESS);
  });

  test('what the stream no longer holds is counted as a gap, and what it holds is delivered', async () => {
    const statsd = await statsdSink();
    const subject = await signalbox({ ...statsd.env, ...TINY_WINDOW });
    const first = await Client.open(subject.port, { channel: 'trimmed' });
    await marked([first], () => publisher.publish('trimmed'));
    first.drop();
    const missed = await publisher.publishMany('trimmed', 10);
    await publisher.redis.xtrim(`${prefix}trimmed`, 'MAXLEN', 4);
    const witness = await Client.open(subject.port, { channel: 'witness' });
    await marked([witness], () => publisher.publish('witness'));
    const back = await Client.open(subject.port, { channel: 'trimmed', lastId: first.lastId });
    await back.receives(4);
    expect(back.jobs).toEqual(missed.slice(-4));
    await eventually('the gap is counted', () => statsd.total('signalbox.gaps') === 1);
  });

  test('a replay that could not be read is read again, and is complete', async () => {
    const line = await relay();
    const subject = await signalbox({ ...TINY_WINDOW, REDIS_URL: line.url });
    const first = await Client.open(subject.port, { channel: 'again' });
    const witness = await Client.open(subject.port, { channel: 'witness' });
    await marked([first], () => publisher.publish('again'));
    first.drop();
    const missed = await publisher.publishMany('again', 10);
    await marked([witness], () => publisher.publish('witness'));
    line.cut();
    const back = await Client.open(subject.port, { channel: 'again', lastId: first.lastId });
    line.mend();
    missed.push(await marked([back], () => publisher.publish('again')));
    expect(
      judge(
        back.jobs.filter((job) => !first.jobs.includes(job)),
        missed,
      ),
    ).toEqual(FAULTLESS);
  });

  test('a channel whose key holds no stream cannot keep its sockets from what is live', async () => {
    const statsd = await statsdSink();
    const subject = await signalbox({ ...statsd.env, ...TINY_WINDOW });
    const first = await Client.open(subject.port, { channel: 'string' });
    const witness = await Client.open(subject.port, { channel: 'witness' });
    await publisher.redis.xadd(`${prefix}full`, '*', 'data', eventText('string', 'a'));
    await first.receives(1);
    first.drop();
    await publisher.redis.set(`${prefix}string`, 'not a stream');
    await publisher.redis.xadd(`${prefix}full`, '*', 'data', eventText('string', 'b'));
    await marked([witness], () => publisher.publish('witness'));
    const back = await Client.open(subject.port, { channel: 'string', lastId: first.lastId });
    await publisher.redis.xadd(`${prefix}full`, '*', 'data', eventText('string', 'c'));
    await back.receives(1);
    expect(back.jobs).toEqual(['c']);
    await eventually('the gap is counted', () => statsd.total('signalbox.gaps') === 1);
  });
});

test("F1.27 FE appends '?last_id' to URLs that already have a query: it is read all the same", async () => {
  const subject = await signalbox();
  const first = await Client.open(subject.port, { channel: 'query' });
  await marked([first], () => publisher.publish('query'));
  first.drop();
  const missed = await publisher.publish('query');
  const path = '/ws?tenant=5';
  const back = await Client.open(subject.port, { channel: 'query', path, lastId: first.lastId });
  await back.receives(1);
  expect(back.jobs).toEqual([missed]);
});
