import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { NativeLog } from '../../src/broker/ports.ts';
import { createPublisher } from '../../src/broker/publisher.ts';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { nativeFieldsOf } from '../../src/event/native-entry.ts';
import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { type Relay, startRelay } from '../faults/relay.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, startRedis, uniquePrefix } from '../support/redis.ts';

describe('a publisher on a bad line', () => {
  const started: { stop(): unknown }[] = [];
  afterEach(async () => {
    for (const one of started.splice(0).toReversed()) await one.stop();
  });

  const nativeLog = (url: string, nativePrefix: string, timeoutMs = 5000): NativeLog => {
    const broker = createRedisBroker({
      address: { url },
      streamPrefix: 'unused-',
      nativePrefix,
      history: { maxLength: 10_000, firehoseMaxLength: 10_000 },
      commandTimeoutMs: timeoutMs,
      connectTimeoutMs: timeoutMs,
    });
    started.push({ stop: () => broker.close() });
    return broker.native;
  };
  const relayed = async () => {
    const relay = await startRelay(redisUrl());
    started.push(relay);
    const prefix = uniquePrefix();
    const publisher = createPublisher(nativeLog(relay.url, prefix), randomUUID);
    const beside = nativeLog(redisUrl(), prefix);
    return { relay, publisher, beside };
  };
  const publishedOn = async (log: NativeLog) =>
    (await log.range('a', ZERO_ID, undefined, 10_000)).entries.map((entry) => ({
      id: entry.id,
      data: `${nativeFieldsOf(entry).data}`,
    }));
  const event = (data: string) => ({ channel: 'a', data: Buffer.from(data) });

  test.each(['command', 'answer'] as const)('publishes once when the %s is lost', async (when) => {
    const { relay, publisher, beside } = await relayed();
    const before = await publisher.publish(event('before'));
    relay.breakAt('the event', when);
    const id = await publisher.publish(event('the event'));
    const after = await publisher.publish(event('after'));
    expect(await publishedOn(beside)).toEqual([
      { id: before, data: 'before' },
      { id, data: 'the event' },
      { id: after, data: 'after' },
    ]);
  });

  test('of a batch whose answer is lost publishes each event once', async () => {
    const { relay, publisher, beside } = await relayed();
    relay.breakAt('the last', 'answer');
    const outcomes = await publisher.publishAll([event('1'), event('2'), event('the last')]);
    expect((await publishedOn(beside)).map(({ id }) => ({ id }))).toEqual(outcomes);
  });

  test('says that it is not known when there is no second line, and the key settles it later', async () => {
    const { relay, publisher, beside } = await relayed();
    await publisher.publish(event('before'));
    const keyed = { ...event('the event'), key: 'mine' };
    relay.breakAt('the event', 'answer');
    relay.refuse();
    await expect(publisher.publish(keyed)).rejects.toMatchObject({ code: 'lost' });
    await expect(publisher.publish(event('refused'))).rejects.toMatchObject({ code: 'unavailable' });
    relay.mend();
    const id = await eventually('it is published', () => publisher.publish(keyed));
    expect((await publishedOn(beside)).filter(({ data }) => data !== 'before')).toEqual([
      { id, data: 'the event' },
    ]);
  });

  test('of a server that froze learns nothing, and publishes once all the same', async () => {
    const redis = await startRedis();
    started.push(redis);
    const log = nativeLog(redis.url, 'n:', 300);
    const publisher = createPublisher(log, randomUUID);
    await publisher.publish(event('before'));
    const keyed = { ...event('the event'), key: 'mine' };
    await redis.pause();
    await expect(publisher.publish(keyed)).rejects.toMatchObject({ code: 'timeout' });
    await redis.resume();
    // The server may come to what it got before it froze only now, after this one.
    const id = await eventually('it is published', () => publisher.publish(keyed));
    await publisher.publish(event('after'));
    expect((await publishedOn(log)).map(({ data }) => data)).toEqual(['before', 'the event', 'after']);
    expect((await publishedOn(log))[1]?.id).toBe(id);
  });

  test('whatever breaks, every event that was confirmed is there once, and every other at most once', async () => {
    const { relay, publisher, beside } = await relayed();
    const confirmed = new Map<string, StreamId>();
    let unknown = 0;
    const breaking = breakAgainAndAgain(relay);
    await Promise.all(
      Array.from({ length: 10 }, async (_, writer) => {
        for (let at = 0; at < 40; at += 1) {
          const data = `event ${writer}.${at}.`;
          await publisher.publish(event(data)).then(
            (id) => confirmed.set(data, id),
            () => {
              unknown += 1;
            },
          );
        }
      }),
    );
    breaking.stop();
    const published = await publishedOn(beside);
    expect(new Set(published.map(({ data }) => data)).size).toBe(published.length);
    const byData = new Map(published.map(({ data, id }) => [data, id]));
    for (const [data, id] of confirmed) expect(byData.get(data)).toBe(id);
    expect(confirmed.size + unknown).toBe(400);
    expect(breaking.count()).toBeGreaterThan(5);
    expect(confirmed.size).toBeGreaterThan(100);
  });
});

/** Breaks the line at every so many events, now before the server has one and now before its answer. */
function breakAgainAndAgain(relay: Relay) {
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    relay.breakAt(`.${(count * 7) % 40}.`, count % 2 === 0 ? 'command' : 'answer');
  }, 2);
  return { count: () => count, stop: () => clearInterval(timer) };
}
