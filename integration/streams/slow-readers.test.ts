import { afterEach, describe, expect, test } from '@jest/globals';
import { startProcess, type SignalboxProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { Client, Publisher } from '../support/superset.ts';
import { eventually } from '../support/eventually.ts';

const MEBIBYTE = 1024 * 1024;
const STUCK = 10;
const WARM_UP = 1_000;
const EVENTS = 4_000;
const EVENT_BYTES = 10_000;

describe('slow readers', () => {
  let signalbox: SignalboxProcess | undefined;
  afterEach(() => signalbox?.end('SIGKILL'));

  test('cost a cursor and not memory, and a healthy socket beside them gets everything', async () => {
    const prefix = uniquePrefix();
    const publisher = new Publisher(redisUrl(), prefix);
    await publisher.redis.connect();
    const env = {
      REDIS_URL: redisUrl(),
      REDIS_STREAM_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
      SIGNALBOX_WINDOW_MAX_BYTES: String(8 * MEBIBYTE),
    };
    signalbox = await startProcess(env, { isMeasured: true });
    const { port } = signalbox;
    const stuck = await Promise.all(
      Array.from({ length: STUCK }, () => Client.open(port, { channel: 'wide' })),
    );
    const healthy = await Client.open(port, { channel: 'wide' });
    const wide = (count: number) => publisher.publishMany('wide', count, { filler: 'x'.repeat(EVENT_BYTES) });
    // In service for a while: what the runtime itself takes at its first traffic is not what stuck sockets cost.
    for (let sent = 0; sent < WARM_UP; sent += 100) await wide(100);
    await Promise.all([healthy, ...stuck].map((client) => client.receives(WARM_UP)));
    for (const client of stuck) client.socket.pause();
    const before = await signalbox.keptBytes();

    const jobs: string[] = [];
    for (let sent = 0; sent < EVENTS; sent += 100) jobs.push(...(await wide(100)));
    await healthy.receives(WARM_UP + EVENTS, 30_000);
    expect(healthy.jobs.slice(WARM_UP)).toEqual(jobs);
    // Each of them may keep 1 MiB, and what the runtime adds; kept for each of them it would be 400.
    const grownBy = ((await signalbox.keptBytes()) - before) / MEBIBYTE;
    process.stderr.write(`${STUCK} stuck sockets: grown by ${grownBy.toFixed(1)} MiB\n`);
    expect(grownBy).toBeLessThan(40);

    // What is still held of the channel reaches them once they read on, in order.
    for (const client of stuck) client.socket.resume();
    const last = jobs.at(-1);
    for (const client of stuck) {
      await eventually('the stuck socket is caught up', () => client.jobs.at(-1) === last);
      const places = client.jobs.slice(WARM_UP).map((job) => jobs.indexOf(job));
      expect(client.closed).toBeUndefined();
      expect(new Set(places).size).toBeGreaterThan(500);
    }
    publisher.close();
  }, 90_000);
});
