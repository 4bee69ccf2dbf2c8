import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Recorder } from '../../src/telemetry/recorder.ts';
import { startStatsd, type StatsdOptions } from '../../src/telemetry/statsd.ts';

describe('the StatsD sink', () => {
  let receiver: Socket;
  let packets: string[];
  let metrics: Recorder;
  const errors: Error[] = [];

  beforeEach(async () => {
    packets = [];
    metrics = new Recorder();
    receiver = createSocket('udp4', (packet) => packets.push(packet.toString()));
    receiver.bind(0, '127.0.0.1');
    await once(receiver, 'listening');
  });
  afterEach(() => {
    receiver.close();
  });

  const start = (options: Partial<StatsdOptions> = {}) =>
    startStatsd(metrics, {
      host: '127.0.0.1',
      port: receiver.address().port,
      globalTags: [],
      hasGauges: true,
      onError: (error) => errors.push(error),
      ...options,
    });
  /** Everything that came, line by line, once at least `count` lines have. */
  const lines = async (count: number): Promise<string[]> => {
    const read = (): string[] =>
      packets.flatMap((packet) => packet.split('\n')).filter((line) => line !== '');
    while (read().length < count) await once(receiver, 'message');
    return read().sort();
  };

  test("sends Superset's counters under their names, without prefix or tags", async () => {
    const statsd = start();
    metrics.count('ws_connected_client');
    metrics.count('ws_upgrade_rejected');
    await statsd.close();
    expect(await lines(2)).toEqual(['ws_connected_client:1|c', 'ws_upgrade_rejected:1|c']);
  });

  test('adds up what is counted between two sends', async () => {
    const statsd = start();
    for (let events = 0; events < 1000; events++) metrics.count('signalbox.events_delivered', 2);
    await statsd.close();
    expect(await lines(1)).toEqual(['signalbox.events_delivered:2000|c']);
  });

  test('sends what was counted once, and nothing when nothing was', async () => {
    const statsd = start({ flushIntervalMs: 10 });
    metrics.count('signalbox.events_routed', 3);
    await lines(1);
    metrics.count('signalbox.events_routed', 4);
    await lines(2);
    await statsd.close();
    metrics.count('ws_connected_client');
    expect(await lines(2)).toEqual(['signalbox.events_routed:3|c', 'signalbox.events_routed:4|c']);
  });

  test('sends labels and global tags as tags, each value counted for itself', async () => {
    const statsd = start({ globalTags: ['env:test', 'blue'] });
    metrics.count('signalbox.gaps', 1, { reason: 'trimmed' });
    metrics.count('signalbox.gaps', 1, { reason: 'epoch' });
    metrics.count('signalbox.gaps', 1, { reason: 'epoch' });
    await statsd.close();
    expect(await lines(2)).toEqual([
      'signalbox.gaps:1|c|#env:test,blue,reason:trimmed',
      'signalbox.gaps:2|c|#env:test,blue,reason:epoch',
    ]);
  });

  test('sends the last value of a gauge, and again at each send', async () => {
    const statsd = start({ flushIntervalMs: 10 });
    metrics.gauge('signalbox.sockets', 3, { state: 'live' });
    metrics.gauge('signalbox.sockets', 2, { state: 'live' });
    const first = await lines(1);
    await statsd.close();
    expect(first[0]).toBe('signalbox.sockets:2|g|#state:live');
    expect(new Set(await lines(2))).toEqual(new Set(['signalbox.sockets:2|g|#state:live']));
  });

  test('leaves gauges to somebody else where there is one', async () => {
    const statsd = start({ hasGauges: false });
    metrics.gauge('signalbox.lag_ms', 3);
    metrics.count('ws_connected_client');
    await statsd.close();
    expect(await lines(1)).toEqual(['ws_connected_client:1|c']);
  });

  test('sends times as timings and other distributions as histograms, a value at a time', async () => {
    const statsd = start();
    metrics.record('signalbox.replay_ms', 12.5, { cause: 'joined' });
    metrics.record('signalbox.replay_ms', 40, { cause: 'joined' });
    metrics.record('signalbox.batch_events', 7);
    await statsd.close();
    expect(await lines(3)).toEqual([
      'signalbox.batch_events:7|h',
      'signalbox.replay_ms:12.5|ms|#cause:joined',
      'signalbox.replay_ms:40|ms|#cause:joined',
    ]);
  });

  test('of very many values sends some, and says how many they stand for', async () => {
    const statsd = start();
    for (let batches = 0; batches < 5_000; batches++) metrics.record('signalbox.batch_events', 1);
    await statsd.close();
    const sent = await lines(1);
    expect(new Set(sent)).toEqual(new Set(['signalbox.batch_events:1|h|@0.02']));
    // 100 are expected; 7 standard deviations are 70.
    expect(sent.length).toBeGreaterThan(30);
    expect(sent.length).toBeLessThan(170);
  });

  test('sends by itself, without being closed', async () => {
    const statsd = start({ flushIntervalMs: 10 });
    metrics.count('ws_connected_client');
    expect(await lines(1)).toEqual(['ws_connected_client:1|c']);
    await statsd.close();
  });

  test('tells of a host that has no address, and goes on', async () => {
    const failed = new Promise<Error>((resolve) => {
      const statsd = start({ host: 'no-such-host.invalid', onError: resolve });
      metrics.count('ws_connected_client');
      void statsd.close().then(() => metrics.count('ws_connected_client'));
    });
    expect((await failed).message).toContain('no-such-host.invalid');
  });

  test('is closed once, however often it is asked', async () => {
    const statsd = start();
    await Promise.all([statsd.close(), statsd.close()]);
    expect(errors).toEqual([]);
  });
});
