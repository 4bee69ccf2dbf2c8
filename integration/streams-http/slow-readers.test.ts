import { afterEach, describe, expect, test } from '@jest/globals';
import { Numbers } from '../native/numbers.ts';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { NumberStream } from './number-stream.ts';

const MEBIBYTE = 1024 * 1024;
const SLOW = 10;
const GOOD = 5;
const WARM_UP = 1_000;
const EVENTS = 4_000;
const EVENT_BYTES = 10_000;
const CHANNEL = 'wide';

describe('readers of a stream that read nothing for a while', () => {
  let signalbox: SignalboxProcess | undefined;
  let numbers: Numbers;
  const streams: NumberStream[] = [];
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.leave();
    await numbers.close();
    await signalbox?.end('SIGKILL');
  });

  test('cost a cursor and not memory, keep nothing from others, and then get all of it, in order', async () => {
    const prefix = `${uniquePrefix()}own:`;
    numbers = new Numbers(prefix, { textBytes: EVENT_BYTES });
    const env = {
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: prefix,
      // Less than is published: what they missed has to be read again.
      SIGNALBOX_WINDOW_MAX_BYTES: String(8 * MEBIBYTE),
    };
    const { port, keptBytes } = (signalbox = await startProcess(env, { isMeasured: true }));
    const url = `http://127.0.0.1:${port}`;
    streams.push(...Array.from({ length: SLOW + GOOD }, () => new NumberStream({ url, channel: CHANNEL })));
    const slow = streams.slice(0, SLOW);
    const good = streams.slice(SLOW);
    await eventually('all are open', () => streams.every(({ isOpen }) => isOpen));
    // In service for a while: what the runtime itself takes at its first traffic is not what slow readers cost.
    for (let sent = 0; sent < WARM_UP; sent += 100) await numbers.publish([CHANNEL], 100);
    const has = (count: number) => (stream: NumberStream) => stream.heard === count;
    await eventually('all are warm', () => streams.every(has(WARM_UP)));
    for (const stream of slow) stream.pause();
    const before = await keptBytes();

    for (let sent = 0; sent < EVENTS; sent += 100) await numbers.publish([CHANNEL], 100);
    await eventually('the good ones have all', () => good.every(has(WARM_UP + EVENTS)), 30_000);
    expect(slow.filter(has(WARM_UP + EVENTS))).toEqual([]);
    // Each of them may keep 1 MiB, and what the runtime adds; kept for each of them it would be 400.
    const grownBy = ((await keptBytes()) - before) / MEBIBYTE;
    process.stderr.write(`${SLOW} slow readers of a stream: grown by ${grownBy.toFixed(1)} MiB\n`);
    expect(grownBy).toBeLessThan(40);

    for (const stream of slow) stream.resume();
    await eventually('the slow ones have all', () => slow.every(has(WARM_UP + EVENTS)), 30_000);
    for (const { faults, hasEnded } of streams)
      expect({ faults, hasEnded }).toEqual({ faults: [], hasEnded: false });
  }, 90_000);
});
