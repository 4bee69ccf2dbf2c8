import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { startSignalbox } from '../support/signalbox.ts';
import { Client, Publisher } from '../support/superset.ts';

describe('F1.19 JSON.parse + stringify of EVERY event: integers > 2^53 lose digits, 1.0 becomes 1, integer-like keys move first', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  test('every byte after the id reaches the client as it was published', async () => {
    const prefix = uniquePrefix();
    const publisher = new Publisher(redisUrl(), prefix);
    ended.unshift(() => publisher.close());
    const signalbox = await startSignalbox({
      REDIS_URL: redisUrl(),
      REDIS_STREAM_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    });
    ended.unshift(() => signalbox.stop());
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    const texts: string[] = [];
    const client = await Client.open(signalbox.port, { channel: 'a' });
    client.socket.on('message', (text: Buffer) => texts.push(text.toString()));
    const rest =
      '"channel_id": "a", "big": 9007199254740993, "float": 1.0, "10": 1, "2": 2, "e": "\\u00e4", "x": 1e400}';
    await publisher.redis.connect();
    const id = await publisher.redis.xadd(`${prefix}full`, '*', 'data', `{${rest}`);
    await client.receives(1);
    expect(texts).toEqual([`{"id":"${id}",${rest}`]);
    // What parsing and serialising it would have made of it.
    expect(JSON.stringify(JSON.parse(`{${rest}`))).not.toContain('9007199254740993');
  });
});
