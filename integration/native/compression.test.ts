import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Frame, NativeClient, tokenWith } from './client.ts';

const API_KEY = 'an-api-key-of-the-integration-tests';
const MAX_FRAME_BYTES = 65_536;
const HISTORY = 50;

describe('compression of native sockets', () => {
  let signalbox: SignalboxProcess;
  beforeAll(async () => {
    signalbox = await startProcess({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: `${uniquePrefix()}own:`,
      SIGNALBOX_API_KEYS: API_KEY,
      SIGNALBOX_COMPRESSION_ENABLED: 'true',
      SIGNALBOX_COMPRESSION_THRESHOLD_BYTES: '200',
      SIGNALBOX_MAX_FRAME_BYTES: String(MAX_FRAME_BYTES),
      SIGNALBOX_HISTORY_MAX_LENGTH: String(HISTORY),
      SIGNALBOX_WINDOW_MAX_EVENTS: '10',
      SIGNALBOX_DRAIN_MS: '100',
      PING_SOCKETS_INTERVAL_MS: '200',
    });
  });
  afterAll(() => signalbox.end('SIGKILL'));

  const publish = async (body: unknown): Promise<{ id: string }[]> => {
    const response = await fetch(`http://127.0.0.1:${signalbox.port}/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(201);
    return [(await response.json()) as { id: string } | { id: string }[]].flat();
  };
  /** Rows as a chart has them: long ones are worth compressing, short ones stay as they are. */
  const rows = (channel: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => ({
      channel,
      data: {
        n: from + at,
        rows: Array.from({ length: at % 2 === 0 ? 0 : 100 }, (__, row) => ({ row, 名: 'ü' })),
      },
    }));
  /** Each client is another socket, and is pinged when it is its turn. */
  const comparable = ({ frames }: NativeClient): unknown[] =>
    frames
      .filter(({ type }) => type !== 'ping')
      .map((frame) => (frame.type === 'reconnect' ? { ...frame, after: 0 } : { ...frame, socket: '' }));
  const lastOf = (channel: string, n: number) => (frame: Frame) =>
    frame.channel === channel && (frame.data as { n?: number } | undefined)?.n === n;

  test('what a client sends compressed is what others hear, and no more than a frame may be', async () => {
    const [speaker, hearer] = (await Promise.all(
      [true, false].map((isCompressing) => NativeClient.open(signalbox.port, { isCompressing })),
    )) as [NativeClient, NativeClient];
    await hearer.ask({ type: 'subscribe', channel: 'said' });
    const most = 'ü'.repeat(MAX_FRAME_BYTES / 2 - 100);
    await speaker.ask({ type: 'publish', channel: 'said', topic: 't', data: most });
    await speaker.ask({ type: 'publish', channel: 'said', topic: 't', data: 'short' });
    expect(await hearer.hears('said', 2)).toEqual([most, 'short']);
    speaker.send({ type: 'publish', ref: 9, channel: 'said', topic: 't', data: most.repeat(100) });
    expect(await speaker.closes()).toEqual({ code: 1009, reason: 'too_large' });
    await hearer.ask({ type: 'publish', channel: 'said', topic: 't', data: 'after' });
    expect(await hearer.hears('said', 3)).toEqual([most, 'short', 'after']);
    hearer.cut();
  });

  test('a client with it and one without get the same frames, to the last one', async () => {
    const [first] = await publish(rows('replayed', 0, 0));
    await publish(rows('replayed', 1, HISTORY - 1));
    const [lost] = await publish(rows('trimmed', 0, 0));
    await publish(rows('trimmed', 1, 3 * HISTORY));
    await publish({ channel: 'kept', data: { n: 0, text: 'ü'.repeat(5_000) }, snapshot: true });
    // One token: two may run out a second apart.
    const token = tokenWith();
    const open = (isCompressing: boolean) => NativeClient.open(signalbox.port, { token, isCompressing });
    const clients = [await open(true), await open(false)] as const;
    expect(clients.map(({ extensions }) => extensions)).toEqual(['permessage-deflate', '']);

    const each = (act: (client: NativeClient) => Promise<unknown>) => Promise.all(clients.map(act));
    await each((client) => client.ask({ type: 'subscribe', channel: 'live' }));
    await publish(rows('live', 1, 40));
    await each((client) => client.receives(lastOf('live', 40)));
    await each((client) => client.ask({ type: 'subscribe', channel: 'replayed', lastId: first?.id }));
    await each((client) => client.receives(lastOf('replayed', HISTORY - 1)));
    await each((client) => client.ask({ type: 'subscribe', channel: 'trimmed', lastId: lost?.id }));
    await each((client) => client.receives(lastOf('trimmed', 3 * HISTORY)));
    await each((client) => client.ask({ type: 'subscribe', channel: 'kept' }));
    await each((client) => client.receives(({ type }) => type === 'snapshot'));
    await each((client) => client.ask({ type: 'subscribe', channel: 'kept' }));
    await each((client) => client.ask({ type: 'unsubscribe', channel: 'kept' }));
    const [last] = await publish(rows('live', 41, 41));
    await each((client) => client.receives(({ type, id }) => type === 'ping' && id === last?.id));

    expect(await signalbox.end()).toBe(0);
    await each((client) => client.closes());
    const [compressed, plain] = clients;
    expect(comparable(compressed)).toEqual(comparable(plain));
    expect(compressed.closed).toEqual({ code: 1001, reason: 'drain' });
    const types = new Set(compressed.frames.map(({ type }) => type));
    expect([...types].sort()).toEqual(
      [
        'error',
        'event',
        'gap',
        'ping',
        'reconnect',
        'snapshot',
        'subscribed',
        'unsubscribed',
        'welcome',
      ].sort(),
    );
    expect(compressed.data('replayed')).toHaveLength(HISTORY - 1);
    expect(compressed.bytesRead).toBeLessThan(plain.bytesRead / 2);
  });
});
