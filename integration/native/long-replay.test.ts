import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { NumberClient } from './number-client.ts';
import { Numbers } from './numbers.ts';

const EVENTS = 100_000;
const TEXT_BYTES = 200;
const TOGETHER = 10;
/** Of those that read slowly. */
const SLOW = 3;
const EVENTS_AT_ONCE = 5_000;
const PAUSE_MS = 50;
const MEBIBYTE = 1024 * 1024;
const CHANNEL = 'long';
/**
 * Garbage that the runtime has not collected yet would hide what is held (up to 280 MiB where there is room), so there
 * is little room for it.
 */
const NODE_OPTIONS = '--max-old-space-size=64 --max-semi-space-size=8';
/** The frames of one replay are more than 30 MB, of three more than 90, of ten more than 300. */
const MOST_GROWTH = 64 * MEBIBYTE;

describe('a replay of 100,000 events, while new ones are published', () => {
  const prefix = `${uniquePrefix()}own:`;
  let numbers: Numbers;
  let signalbox: SignalboxProcess;
  let clients: NumberClient[] = [];

  beforeAll(async () => {
    numbers = new Numbers(prefix, { textBytes: TEXT_BYTES });
    await numbers.publish([CHANNEL], EVENTS + 1);
    signalbox = await startProcess({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: prefix,
      SIGNALBOX_HISTORY_MAX_LENGTH: String(2 * EVENTS),
      SIGNALBOX_WINDOW_MAX_EVENTS: '1000',
      NODE_OPTIONS,
    });
  });
  afterEach(() => {
    for (const { socket } of clients) socket.terminate();
    clients = [];
  });
  afterAll(async () => {
    await numbers.close();
    await signalbox.end('SIGKILL');
  });

  const join = (): NumberClient => {
    const client = new NumberClient(signalbox.port, {
      channel: CHANNEL,
      lastId: numbers.firstId(CHANNEL),
      last: 0,
    });
    clients.push(client);
    return client;
  };

  /** Runs `replay`, with events coming, until all clients have everything; gives by how much the server's memory grew. */
  const growthDuring = async (replay: () => Promise<unknown>): Promise<number> => {
    const before = signalbox.residentBytes();
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, signalbox.residentBytes());
    }, 20);
    numbers.flow([CHANNEL], 1, 10);
    try {
      await replay();
      await numbers.still();
      await eventually('the last one', () => clients.every(({ last }) => last === numbers.last(CHANNEL)));
    } finally {
      clearInterval(watch);
    }
    for (const { recovered, faults, heard } of clients) {
      const whole = { recovered: true, faults: [], heard: numbers.last(CHANNEL) };
      expect({ recovered, faults, heard }).toEqual(whole);
    }
    const growth = most - before;
    const [from, by] = [before, growth].map((bytes) => (bytes / MEBIBYTE).toFixed(1));
    process.stderr.write(
      `replays at once: ${clients.length}; memory: ${from} MiB, and ${by} MiB more meanwhile\n`,
    );
    return growth;
  };
  const hasAll = ({ last = 0 }: NumberClient): boolean => last >= EVENTS;

  test('arrives whole, in order, once, and costs no memory for being long', async () => {
    const client = join();
    const growth = await growthDuring(() => eventually('all of it', () => hasAll(client), 90_000));
    expect(growth).toBeLessThan(MOST_GROWTH);
  }, 120_000);

  test('arrives so for ten clients at once', async () => {
    for (let n = 0; n < TOGETHER; n += 1) join();
    const growth = await growthDuring(() => eventually('all of it', () => clients.every(hasAll), 90_000));
    expect(growth).toBeLessThan(MOST_GROWTH);
  }, 120_000);

  test('arrives so for some that read nothing until another has it all, and slowly then', async () => {
    const stuck = new Set<NumberClient>();
    let pauses = 0;
    for (let n = 0; n < SLOW; n += 1) {
      join().onEvent = (client) => {
        if (client.heard % EVENTS_AT_ONCE !== 0) return;
        pauses += 1;
        client.socket.pause();
        if (client.heard === EVENTS_AT_ONCE) stuck.add(client);
        else setTimeout(() => client.socket.resume(), PAUSE_MS);
      };
    }
    const growth = await growthDuring(async () => {
      await eventually('they are stuck', () => stuck.size === SLOW);
      const fast = join();
      await eventually('all of it for the fast one', () => hasAll(fast), 90_000);
      expect(clients.filter(hasAll)).toEqual([fast]);
      for (const { socket } of stuck) socket.resume();
      await eventually('all of it', () => clients.every(hasAll), 90_000);
    });
    expect(pauses).toBe((SLOW * EVENTS) / EVENTS_AT_ONCE);
    expect(growth).toBeLessThan(MOST_GROWTH / 2);
  }, 120_000);
});
