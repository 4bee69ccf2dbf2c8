import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createStatsd, type StatsdOptions } from '../../src/telemetry/statsd.ts';

describe('the StatsD sink', () => {
  let receiver: Socket;
  let packets: string[];
  const errors: Error[] = [];

  beforeEach(async () => {
    packets = [];
    receiver = createSocket('udp4', (packet) => packets.push(packet.toString()));
    receiver.bind(0, '127.0.0.1');
    await once(receiver, 'listening');
  });
  afterEach(() => {
    receiver.close();
  });

  const statsdTo = (options: Partial<StatsdOptions> = {}) =>
    createStatsd({
      host: '127.0.0.1',
      port: receiver.address().port,
      globalTags: [],
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
    const statsd = statsdTo();
    statsd.count('ws_connected_client');
    statsd.count('ws_upgrade_rejected');
    await statsd.close();
    expect(await lines(2)).toEqual(['ws_connected_client:1|c', 'ws_upgrade_rejected:1|c']);
  });

  test('adds up what is counted between two sends', async () => {
    const statsd = statsdTo();
    for (let events = 0; events < 1000; events++) statsd.count('signalbox.events_delivered', 2);
    await statsd.close();
    expect(await lines(1)).toEqual(['signalbox.events_delivered:2000|c']);
  });

  test('sends labels and global tags as tags, each value counted for itself', async () => {
    const statsd = statsdTo({ globalTags: ['env:test', 'blue'] });
    statsd.count('signalbox.gaps', 1, { reason: 'trimmed' });
    statsd.count('signalbox.gaps', 1, { reason: 'epoch' });
    statsd.count('signalbox.gaps', 1, { reason: 'epoch' });
    await statsd.close();
    expect(await lines(2)).toEqual([
      'signalbox.gaps:1|c|#env:test,blue,reason:trimmed',
      'signalbox.gaps:2|c|#env:test,blue,reason:epoch',
    ]);
  });

  test('sends the last value of a gauge, and again at each send', async () => {
    const statsd = statsdTo({ flushIntervalMs: 10 });
    statsd.gauge('signalbox.sockets', 3);
    statsd.gauge('signalbox.sockets', 2);
    const first = await lines(1);
    await statsd.close();
    expect(first[0]).toBe('signalbox.sockets:2|g');
    expect(new Set(await lines(2))).toEqual(new Set(['signalbox.sockets:2|g']));
  });

  test('sends by itself, without being closed', async () => {
    const statsd = statsdTo({ flushIntervalMs: 10 });
    statsd.count('ws_connected_client');
    expect(await lines(1)).toEqual(['ws_connected_client:1|c']);
    await statsd.close();
  });

  test('tells of a host that has no address, and goes on', async () => {
    const failed = new Promise<Error>((resolve) => {
      const statsd = statsdTo({ host: 'no-such-host.invalid', onError: resolve });
      statsd.count('ws_connected_client');
      void statsd.close().then(() => statsd.count('ws_connected_client'));
    });
    expect((await failed).message).toContain('no-such-host.invalid');
  });

  test('is closed once, however often it is asked', async () => {
    const statsd = statsdTo();
    await Promise.all([statsd.close(), statsd.close()]);
    expect(errors).toEqual([]);
  });
});
