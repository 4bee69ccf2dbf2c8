import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';
import { clientFrame, cookieOf, openRaw } from './raw.ts';

const LIFETIME_MS = 1_500;
/** For a busy machine; the old sidecar was late by up to a ping interval of 20 s. */
const TOLERANCE_MS = 400;

describe('an expired token keeps its socket', () => {
  const ended: (() => unknown)[] = [];
  let publisher: Publisher;
  let signalbox: Signalbox;
  beforeEach(async () => {
    const prefix = uniquePrefix();
    publisher = new Publisher(redisUrl(), prefix);
    ended.unshift(() => publisher.close());
    await publisher.redis.connect();
    signalbox = await startSignalbox({
      REDIS_URL: redisUrl(),
      REDIS_STREAM_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    });
    ended.unshift(() => signalbox.stop());
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
  });
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  test('F1.24 tokens: exp ends the socket at its time with 1008, and nothing is delivered after it', async () => {
    const expiresAtMs = Date.now() + LIFETIME_MS;
    const client = await Client.open(signalbox.port, { channel: 'a', claims: { exp: expiresAtMs / 1000 } });
    const lasting = await Client.open(signalbox.port, { channel: 'a' });
    let closedAtMs = 0;
    client.socket.on('close', () => {
      closedAtMs = Date.now();
    });
    await eventually('it is closed', async () => {
      await publisher.publish('a');
      return client.closed !== undefined;
    });
    expect(client.closed).toEqual({ code: 1008, reason: 'token expired' });
    expect(closedAtMs).toBeGreaterThanOrEqual(expiresAtMs - 5);
    expect(closedAtMs).toBeLessThan(expiresAtMs + TOLERANCE_MS);
    const lastMs = Number(client.lastId?.split('-')[0]);
    expect(client.messages.length).toBeGreaterThan(5);
    expect(lastMs).toBeLessThan(expiresAtMs + TOLERANCE_MS);
    expect(lasting.closed).toBeUndefined();
    expect(lasting.messages.length).toBeGreaterThanOrEqual(client.messages.length);
  });

  test('a client that does not answer the close gets nothing after it either', async () => {
    const cookie = cookieOf({ channel: 'a', exp: (Date.now() + LIFETIME_MS) / 1000 });
    const socket = await openRaw(signalbox.port, { cookie });
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
    const isClosed = (): boolean => bytes.includes('token expired');
    await eventually('it is closed', isClosed);
    const witness = await Client.open(signalbox.port, { channel: 'a' });
    await publisher.publish('a');
    await witness.receives(1);
    socket.write(clientFrame(0xa, Buffer.from('pong')));
    await eventually('the server gives up on it', () => socket.readableEnded);
    expect(bytes.includes('channel_id')).toBe(false);
    socket.destroy();
  });

  test('a token that expires in 100 years is no token that has expired', async () => {
    const exp = Math.floor(Date.now() / 1000) + 100 * 365 * 86_400;
    const client = await Client.open(signalbox.port, { channel: 'a', claims: { exp } });
    await publisher.publish('a');
    await client.receives(1);
    expect(client.closed).toBeUndefined();
  });
});
