import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Connection, connect, type WebSocketConstructor } from '../../client/src/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { tokenWith } from './client.ts';
import { NumberClient } from './number-client.ts';
import { Numbers } from './numbers.ts';

const HERD = 2_000;
const LIBRARY_HERD = 200;
const USERS = 50;
const CHANNEL = 'herd';
const FLOW_MS = 250;
const DRAIN_MS = 1_500;
/** Over how long the clients are told to come back. */
const SPREAD_MS = 5_000;
const SLICE_MS = 250;
/**
 * Evenly spread, a slice has a twentieth: 100 of 2,000, give or take 10. Half of that less or more is beyond chance,
 * and far from a herd.
 */
const LEAST_OF_SLICE = 0.025;
const MOST_OF_SLICE = 0.075;
/** The longest pause between two attempts of who was not told. */
const RETRY_MS = 1_000;
/** Timers of Node may be a millisecond early. */
const MOST_EARLY_MS = 2;
const MOST_LATE_MS = 100;

interface Told {
  readonly after: number;
  readonly atMs: number;
}

const sliced = (times: readonly number[]): number[] => {
  const first = Math.min(...times);
  const counts: number[] = [];
  for (const at of times) {
    const slice = Math.floor((at - first) / SLICE_MS);
    counts[slice] = (counts[slice] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count ?? 0);
};

describe('the clients of a server that is replaced', () => {
  const processes: SignalboxProcess[] = [];
  let numbers: Numbers;
  const closing: (() => void)[] = [];

  const start = async (prefix: string, port = 0): Promise<SignalboxProcess> => {
    const signalbox = await startProcess({
      PORT: String(port),
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: prefix,
      SIGNALBOX_DRAIN_MS: String(DRAIN_MS),
      // So many at once take this machine some time.
      SIGNALBOX_HANDSHAKE_TIMEOUT_MS: '60000',
    });
    processes.push(signalbox);
    return signalbox;
  };
  afterEach(async () => {
    for (const close of closing.splice(0)) close();
    await numbers.close();
    await Promise.all(processes.splice(0).map((one) => one.end('SIGKILL')));
  });

  test('are each told when to come back, spread evenly, and find the next one with nothing lost', async () => {
    const prefix = `${uniquePrefix()}own:`;
    numbers = new Numbers(prefix);
    const old = await start(prefix);
    let { port } = old;
    const herd = Array.from({ length: HERD }, (_, at) => new Member(() => port, `user-${at % USERS}`));
    closing.push(...herd.map((member) => () => member.leave()));
    await eventually('all are there', () => herd.every(({ client }) => client.recovered === true), 60_000);
    numbers.flow([CHANNEL], 1, FLOW_MS);
    await eventually('all have heard', () => herd.every(({ client }) => client.heard > 0));

    // As a balancer has it: new connections go to the next one from here on.
    port = (await start(prefix)).port;
    expect(await old.end()).toBe(0);
    await eventually('all are back', () => herd.every(({ backAtMs }) => backAtMs !== undefined), 60_000);
    await numbers.still();
    const last = numbers.last(CHANNEL);
    await eventually('the last one', () => herd.every(({ client }) => client.last === last));

    for (const { client, faults, codes } of herd) {
      const { recovered } = client;
      expect({ faults, recovered, codes }).toEqual({ faults: [], recovered: true, codes: [1001] });
    }
    const told = sliced(herd.map((member) => member.told?.after ?? Number.NaN));
    const due = sliced(herd.map((member) => (member.told?.atMs ?? 0) + (member.told?.after ?? 0)));
    const back = sliced(herd.map(({ backAtMs }) => backAtMs ?? 0));
    process.stderr.write(`of ${HERD}, in slices of ${SLICE_MS} ms: told ${told}; due ${due}; back ${back}\n`);
    expect(told).toHaveLength(SPREAD_MS / SLICE_MS);
    expect(Math.min(...told)).toBeGreaterThan(LEAST_OF_SLICE * HERD);
    // When they are back is also a matter of how fast this machine takes them: it is printed, and not judged.
    for (const slices of [told, due]) expect(Math.max(...slices)).toBeLessThan(MOST_OF_SLICE * HERD);
  }, 180_000);

  test('obey when they are of the library, and try again until a new one is there at the same port', async () => {
    const prefix = `${uniquePrefix()}own:`;
    const port = await freePort();
    numbers = new Numbers(prefix);
    const old = await start(prefix, port);
    const herd = Array.from({ length: LIBRARY_HERD }, (_, at) => new LibraryMember(port, `user-${at}`));
    closing.push(
      ...herd.map(
        ({ connection }) =>
          () =>
            connection.close(),
      ),
    );
    await eventually(
      'all are there',
      () => herd.every(({ connection }) => connection.state === 'live'),
      60_000,
    );
    numbers.flow([CHANNEL], 1, FLOW_MS);
    await eventually('all have heard', () => herd.every(({ heard }) => heard.length > 0));
    const delay = monitorEventLoopDelay();
    delay.enable();

    expect(await old.end()).toBe(0);
    await start(prefix, port);
    await eventually(
      'all are back',
      () => herd.every(({ connection }) => connection.state === 'live'),
      60_000,
    );
    await numbers.still();
    const last = numbers.last(CHANNEL);
    await eventually('the last one', () => herd.every(({ heard }) => heard.at(-1) === last), 60_000);

    for (const { heard } of herd) {
      const first = heard[0] as number;
      expect(heard).toEqual(Array.from({ length: last - first + 1 }, (_, at) => first + at));
    }
    const late = herd.map(({ cameAtMs, told }) => (cameAtMs ?? 0) - (told?.atMs ?? 0) - (told?.after ?? 0));
    process.stderr.write(`came ${Math.min(...late).toFixed(0)} to ${Math.max(...late).toFixed(0)} ms late\n`);
    expect(Math.min(...late)).toBeGreaterThan(-MOST_EARLY_MS);
    // A timer is as late as this process is busy, and so is what it calls.
    expect(Math.max(...late)).toBeLessThan(MOST_LATE_MS + (2 * delay.max) / 1e6);
  }, 180_000);
});

/** One that uses the library: when it was told to come back, and when it first tried. */
class LibraryMember {
  readonly connection: Connection;
  readonly heard: number[] = [];
  told: Told | undefined;
  cameAtMs: number | undefined;

  constructor(port: number, user: string) {
    const hear = (data: Buffer): void => {
      const frame = JSON.parse(data.toString()) as { type: string; after: number };
      if (frame.type === 'reconnect') this.told = { after: frame.after, atMs: performance.now() };
    };
    class HeardWebSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        this.on('message', hear);
      }
    }
    this.connection = connect(`ws://127.0.0.1:${port}`, {
      // What it asks for first, before each connection.
      token: () => {
        if (this.told !== undefined) this.cameAtMs ??= performance.now();
        return tokenWith({ sub: user });
      },
      WebSocket: HeardWebSocket as unknown as WebSocketConstructor,
      maxBackoffMs: RETRY_MS,
    });
    this.connection.subscribe(CHANNEL).on('*', (data) => void this.heard.push((data as { n: number }).n));
  }
}

/** One of the herd: comes back when it is told to. */
class Member {
  client: NumberClient;
  told: Told | undefined;
  readonly codes: number[] = [];
  backAtMs: number | undefined;
  readonly #portNow: () => number;
  readonly #user: string;
  readonly #faults: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #hasLeft = false;

  constructor(portNow: () => number, user: string) {
    this.#portNow = portNow;
    this.#user = user;
    this.client = this.#come();
  }

  get faults(): string[] {
    return [...this.#faults, ...this.client.faults];
  }

  leave(): void {
    this.#hasLeft = true;
    clearTimeout(this.#timer);
    this.client.socket.terminate();
  }

  #come(before?: NumberClient): NumberClient {
    const client = new NumberClient(this.#portNow(), {
      channel: CHANNEL,
      user: this.#user,
      lastId: before?.lastId,
      epoch: before?.epoch,
      last: before?.last,
    });
    client.onSubscribed = () => {
      if (before !== undefined) this.backAtMs = performance.now();
    };
    client.socket.on('close', (code: number) => this.#comeAgain(client, code));
    return client;
  }

  #comeAgain(client: NumberClient, code: number): void {
    if (this.#hasLeft) return;
    this.#faults.push(...client.faults);
    this.codes.push(code);
    this.told ??= client.reconnect;
    // Who was not told comes back all the same, and its code shows.
    const pauseMs = client.reconnect?.after ?? Math.random() * RETRY_MS;
    this.#timer = setTimeout(() => {
      this.client = this.#come(client);
    }, pauseMs);
  }
}
