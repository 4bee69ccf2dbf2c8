import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Family, readExposition, valueOf } from '../../test/support/exposition.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';
import { needPromtool, promtool } from './promtool.ts';

describe('the scrape of a server', () => {
  let server: Signalbox;
  let publisher: Publisher;
  beforeAll(async () => {
    needPromtool();
    const prefix = uniquePrefix();
    server = await startSignalbox({
      REDIS_URL: redisUrl(),
      REDIS_STREAM_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    });
    publisher = new Publisher(redisUrl(), prefix);
    await publisher.redis.connect();
    await eventually('ready', async () => (await server.readyStatus()) === 200);
  });
  afterAll(async () => {
    publisher.close();
    await server.stop();
  });

  const body = async (): Promise<string> => (await server.system.metrics.scrape()).body;
  /** What the figures come to, once they are as `isSo` says. */
  const figures = (what: string, isSo: (families: ReadonlyMap<string, Family>) => boolean) =>
    eventually(what, async () => {
      const families = readExposition(await body());
      return isSo(families) && families;
    });
  const refused = (protocol: string, reason: string) => (families: ReadonlyMap<string, Family>) =>
    valueOf(families, 'signalbox_auth_refused_total', { protocol, reason });

  test('has what was delivered, in events and in bytes, and how it came', async () => {
    const client = await Client.open(server.port, { channel: 'c' });
    await publisher.publishMany('c', 5);
    await client.receives(5);
    const families = await figures('five are counted', (found) => {
      return valueOf(found, 'signalbox_events_delivered_total') === 5;
    });
    const bytes = client.messages.reduce((sum, message) => sum + JSON.stringify(message).length, 0);
    expect(valueOf(families, 'signalbox_written_bytes_total')).toBeGreaterThan(bytes);
    expect(valueOf(families, 'signalbox_events_routed_total')).toBe(5);
    expect(valueOf(families, 'signalbox_batch_events_sum')).toBe(5);
    const levels = await figures('it is live', (found) => {
      return valueOf(found, 'signalbox_sockets', { state: 'live' }) === 1;
    });
    expect(valueOf(levels, 'signalbox_channels', { state: 'live' })).toBe(1);
    expect(valueOf(levels, 'signalbox_lag_seconds')).toBeLessThan(5);
    client.drop();
  });

  test('has how long a client that came back was behind', async () => {
    const first = await Client.open(server.port, { channel: 'back' });
    await publisher.publishMany('back', 3);
    await first.receives(3);
    const again = await Client.open(server.port, { channel: 'back', lastId: first.messages[0]?.id });
    await again.receives(2);
    const families = await figures('it is counted', (found) => {
      return valueOf(found, 'signalbox_replay_seconds_count', { cause: 'joined' }) === 1;
    });
    expect(valueOf(families, 'signalbox_replay_seconds_sum', { cause: 'joined' })).toBeLessThan(10);
    first.drop();
    again.drop();
  });

  test('has who was refused, and why, of both protocols', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
    expect(
      (
        await fetch(`${server.url}/ticket`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{}',
        })
      ).status,
    ).toBe(401);
    await figures('both are counted', (found) => {
      return refused('superset', 'absent')(found) === 1 && refused('native', 'absent')(found) === 1;
    });
  });

  test('has what is measured of itself: readiness, readers, the way to Redis, the event loop', async () => {
    const families = await figures('it was measured', (found) => {
      return (
        (valueOf(found, 'signalbox_event_loop_delay_seconds_count') ?? 0) > 0 &&
        (valueOf(found, 'signalbox_redis_round_trip_seconds_count') ?? 0) > 0 &&
        valueOf(found, 'signalbox_ready') === 1
      );
    });
    expect(valueOf(families, 'signalbox_readers', { feed: 'superset', state: 'live' })).toBe(1);
    expect(valueOf(families, 'signalbox_readers', { feed: 'native', state: 'live' })).toBe(1);
    expect(valueOf(families, 'signalbox_redis_unanswered_total')).toBe(0);
  });

  test('is a text that promtool finds nothing wrong with', async () => {
    expect(await promtool(['check', 'metrics'], await body())).toEqual({ code: 0, said: '' });
    // It would say so.
    const wrong = '# HELP wrong_total A level.\n# TYPE wrong_total gauge\nwrong_total 1\n';
    expect((await promtool(['check', 'metrics'], wrong)).code).toBe(3);
  });
});
