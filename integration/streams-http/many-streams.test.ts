import { afterEach, describe, expect, test } from '@jest/globals';
import { Numbers } from '../native/numbers.ts';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { NumberStream } from './number-stream.ts';

const STREAMS = 2_000;
/** So many more come first: what the first ones bring with them, compiled code above all, is not a stream's. */
const WARM_UP = 500;
const AT_ONCE = 64;
const USERS = 50;
const EVENTS = 20;
const CHANNEL = 'many';

describe('thousands of streams of one channel', () => {
  let signalbox: SignalboxProcess | undefined;
  let numbers: Numbers;
  const streams: NumberStream[] = [];
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.leave();
    await numbers.close();
    await signalbox?.end('SIGKILL');
  });

  test('each get every event', async () => {
    const prefix = `${uniquePrefix()}own:`;
    numbers = new Numbers(prefix);
    const { port, residentBytes } = (signalbox = await startProcess({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: prefix,
    }));
    const url = `http://127.0.0.1:${port}`;
    await open(url, WARM_UP);
    const before = residentBytes();
    const begin = performance.now();
    await open(url, STREAMS);
    const seconds = (performance.now() - begin) / 1000;
    const bytes = (residentBytes() - before) / STREAMS;
    process.stderr.write(
      `${STREAMS} streams: ${(STREAMS / seconds).toFixed(0)} connects/s, ${(bytes / 1000).toFixed(1)} kB each\n`,
    );
    for (let sent = 0; sent < EVENTS; sent += 1) await numbers.publish([CHANNEL]);
    await eventually('all have heard all', () => streams.every(({ heard }) => heard === EVENTS), 60_000);
    const wrong = streams.filter(({ faults, hasEnded }) => faults.length > 0 || hasEnded);
    expect(wrong).toEqual([]);
  }, 120_000);

  async function open(url: string, count: number): Promise<void> {
    const from = streams.length;
    while (streams.length < from + count) {
      const some = Array.from({ length: Math.min(AT_ONCE, from + count - streams.length) }, (_, at) => {
        const user = `user-${(streams.length + at) % USERS}`;
        return new NumberStream({ url, channel: CHANNEL, user });
      });
      streams.push(...some);
      await Promise.all(some.map((stream) => stream.opens()));
    }
    expect(streams.filter(({ isOpen }) => !isOpen)).toEqual([]);
  }
});
