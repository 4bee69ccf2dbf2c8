import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RedisAddress } from '../../src/broker/redis/address.ts';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';

const PREFIXES = { streamPrefix: 'async-events-', nativePrefix: 'signalbox:' };
const HISTORY = { maxLength: 1000, firehoseMaxLength: 10_000 };

async function head(address: RedisAddress) {
  const broker = createRedisBroker({ ...PREFIXES, history: HISTORY, address });
  try {
    return await (await broker.log.openFirehose(new AbortController().signal)).head();
  } finally {
    await broker.close();
  }
}

describe('redis broker over TLS', () => {
  let redis: OwnRedis;
  let ca: string;

  beforeAll(async () => {
    redis = await startRedis({ tls: true });
    ca = redis.certificates?.ca ?? '';
  });
  afterAll(() => redis.stop());

  const refused = (message: RegExp) => ({ code: 'unavailable', message: expect.stringMatching(message) });

  test('connects where the authority is trusted and the name is right, by fields and by URL', async () => {
    const tls = { validateHostname: true, ca };
    expect((await head({ host: redis.host, port: redis.port, tls })).lastId).toBe(ZERO_ID);
    expect((await head({ host: 'localhost', port: redis.port, tls })).lastId).toBe(ZERO_ID);
    expect((await head({ url: redis.url, tls })).lastId).toBe(ZERO_ID);
  });

  test('appends, reads, subscribes and listens', async () => {
    const address = { url: redis.url, tls: { validateHostname: true, ca } };
    const { log, control, once, close } = createRedisBroker({ ...PREFIXES, history: HISTORY, address });
    const heard = new Promise((resolve) => {
      void control.listen(resolve).then(() => control.send('hello'));
    });
    const message = new Promise((resolve) => {
      const listener = { message: (_: string, payload: Buffer) => resolve(`${payload}`), lost: () => {} };
      void log.subscribe(['a'], listener).then(() => log.publish('a', Buffer.from('news')));
    });
    const id = await log.append('a', Buffer.from('1'));
    expect((await log.range('a', ZERO_ID, undefined, 1)).entries[0]?.id).toBe(id);
    expect(await once.claim('a', 1000)).toBe(true);
    expect(await Promise.all([heard, message])).toEqual(['hello', 'news']);
    await close();
  });

  test('refuses an authority that is not trusted, whether host names matter or not', async () => {
    const other = (await makeCertificates()).ca;
    for (const validateHostname of [true, false]) {
      for (const untrusted of [other, undefined]) {
        const tls = { validateHostname, ca: untrusted };
        await expect(head({ host: redis.host, port: redis.port, tls })).rejects.toMatchObject(
          refused(/certificate/),
        );
      }
    }
  });

  test('an attempt may be given up at any moment of a handshake that is about to fail', async () => {
    const other = (await makeCertificates()).ca;
    const address = { host: redis.host, port: redis.port, tls: { validateHostname: true, ca: other } };
    const broker = createRedisBroker({ ...PREFIXES, history: HISTORY, address });
    // Whatever escapes a connection ends the process, and fails this test.
    for (let turns = 0; turns < 300; turns += 1) {
      const abort = new AbortController();
      const opening = broker.log.openFirehose(abort.signal).catch((error: unknown) => error);
      for (let turn = 0; turn < turns % 60; turn += 1) await new Promise((next) => setImmediate(next));
      abort.abort(new Error('enough'));
      expect(await opening).toBeInstanceOf(Error);
    }
    await broker.close();
  });

  test('refuses a certificate for another name, unless told that names do not matter', async () => {
    const { host, port, certificates, stop } = await startRedis({ tls: 'misnamed' });
    const at = (validateHostname: boolean) => ({
      host,
      port,
      tls: { validateHostname, ca: certificates?.ca },
    });
    await expect(head(at(true))).rejects.toMatchObject(refused(/does not match certificate/));
    expect((await head(at(false))).epoch).not.toBe('');
    await stop();
  });

  test('without TLS nothing is answered', async () => {
    await expect(head({ host: redis.host, port: redis.port })).rejects.toMatchObject({
      code: expect.stringMatching(/unavailable|lost/),
    });
  });

  test('shows a client certificate where the server insists on one', async () => {
    const strict = await startRedis({ tls: 'mutual' });
    const { ca: authority = '', client } = strict.certificates ?? {};
    try {
      const tls = { validateHostname: true, ca: authority };
      expect((await head({ url: strict.url, tls: { ...tls, ...client } })).lastId).toBe(ZERO_ID);
      await expect(head({ url: strict.url, tls })).rejects.toMatchObject({
        code: expect.stringMatching(/unavailable|lost/),
      });
    } finally {
      await strict.stop();
    }
  });
});
