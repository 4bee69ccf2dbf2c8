import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { Connection, WebSocketConstructor } from '../../client/src/index.ts';
import { SignalboxError } from '../../client/src/index.ts';
import { connect } from '../../client/src/sse.ts';
import { createSignalbox, type Signalbox } from '../../src/index.ts';
import { Random } from '../../test/support/random.ts';
import { startUpgradeWall, type UpgradeWall } from '../../test/support/upgrade-wall.ts';
import { type RoughLines, startRoughLines } from '../faults/rough-line.ts';
import { tokenWith } from '../native/client.ts';
import { Numbers } from '../native/numbers.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { JWT_SECRET } from '../support/signalbox.ts';

/** How long it is cut and stalled in each of two parts; catching up comes on top. */
const SECONDS = Number(process.env['FALLBACK_SECONDS'] ?? 6);
/** Repeats what is chosen at random; when it happens is not repeated. */
const SEED = Number(process.env['FALLBACK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CHANNELS = ['a', 'b', 'c'];
const CLIENTS = 3;
const FLOW_MS = 50;
const PER_FLOW = 3;
const OWN_MS = 200;
const TIMEOUT_MS = SECONDS * 2_000 + 120_000;

describe('clients that may open no WebSocket, on lines that are slow, stalled and ended at random', () => {
  const people: Person[] = [];
  let signalbox: Signalbox;
  let numbers: Numbers;
  let lines: RoughLines;
  let wall: UpgradeWall;

  afterEach(async () => {
    for (const person of people.splice(0)) person.leave();
    await wall.stop();
    lines.stop();
    await numbers.close();
    await signalbox.stop();
  });

  const begin = async (manner: UpgradeWall['manner']): Promise<void> => {
    process.stderr.write(`FALLBACK_SEED=${SEED} FALLBACK_SECONDS=${SECONDS}\n`);
    const prefix = `${uniquePrefix()}own:`;
    numbers = new Numbers(prefix);
    await numbers.publish(['before']);
    signalbox = createSignalbox({
      env: {},
      logger: false,
      config: {
        port: 0,
        drainMs: 0,
        broker: 'redis',
        redis: { url: redisUrl() },
        jwtSecret: JWT_SECRET,
        superset: { protocol: 'off' },
        native: { prefix },
        history: { maxLength: 100_000 },
        // Small, so that some who come back read their channels' own streams.
        window: { maxEvents: 400 },
        pingSocketsIntervalMs: 1_000,
        socketResponseTimeoutMs: 4_000,
      },
      onAsk: { echo: (data) => data },
    });
    const { port } = await signalbox.start();
    lines = await startRoughLines({
      ports: [port],
      random: new Random(SEED),
      lifetimeMs: { least: 300, most: 5_000 },
      delayMs: { least: 1, most: 20 },
      stallOneOf: 400,
      stallMs: 1_000,
    });
    wall = await startUpgradeWall(lines.port);
    wall.manner = manner;
    people.push(...Array.from({ length: CLIENTS }, (_, at) => new Person(wall.port, `user-${at}`)));
    await eventually('all have joined', () => people.every(({ hasJoined }) => hasJoined), 30_000);
  };

  test.each(['refuses', 'cuts'] as const)(
    'hear every event once and in order, where something %s WebSockets, and when nothing does so any more',
    async (manner) => {
      await begin(manner);
      numbers.flow(CHANNELS, PER_FLOW, FLOW_MS);
      for (const person of people) person.speak();
      await pause(SECONDS * 1_000);
      // Each may have been unlucky with its lines.
      await eventually('all are answered', () => people.every(({ answered }) => answered > 0), 30_000);
      const overHttp = people.map(({ answered }) => answered);
      const streams = wall.requestsOf('/events');
      wall.manner = 'open';
      await pause(SECONDS * 1_000);
      lines.mend();
      await eventually('all have a WebSocket', () => wall.webSockets === CLIENTS, 40_000);
      const isAnswered = ({ answered }: Person, at: number): boolean => answered > (overHttp[at] as number);
      await eventually('all are answered by one', () => people.every(isAnswered), 30_000);
      await numbers.still();
      await Promise.all(people.map((person) => person.hush()));
      const last = CHANNELS.map((channel) => numbers.last(channel));
      const hasAll = ({ heard, said }: Person): boolean =>
        CHANNELS.every((channel, at) => (heard.get(channel)?.at(-1) ?? -1) >= (last[at] as number)) &&
        (heard.get('own')?.length ?? 0) >= said;
      await eventually('everything', () => people.every(hasAll), 40_000).catch(() => {});
      const isLive = ({ connection }: Person): boolean => connection.state === 'live';
      await eventually('live', () => people.every(isLive), 30_000);
      const faults = people.flatMap(({ heard, said, faults: others }) => [
        ...others,
        ...CHANNELS.flatMap((channel, at) => faultsOf(heard.get(channel), last[at])),
        ...faultsOf(heard.get('own'), said - 1),
      ]);
      const [events] = [last.reduce((sum, n) => sum + n + 1, 0)];
      const reconnects = people.map((person) => person.reconnects);
      const answered = people.map((person) => person.answered);
      const lost = people.map((person) => person.lost);
      process.stderr.write(
        `${JSON.stringify({ events, streams, reconnects, overHttp, answered, lost, ended: lines.ended })}\n`,
      );
      expect(faults).toEqual([]);
      expect(Math.max(...reconnects)).toBeGreaterThan(0);
      for (const [at, person] of people.entries()) {
        // Nothing is cut any more.
        expect(await person.connection.ask('echo', { at })).toEqual({ at });
      }
    },
    TIMEOUT_MS,
  );
});

/** A client that hears all channels, publishes to one of its own and asks, and notes what it gets. */
class Person {
  readonly connection: Connection;
  readonly heard = new Map<string, number[]>();
  readonly faults: unknown[] = [];
  said = 0;
  answered = 0;
  lost = 0;
  reconnects = 0;
  readonly #own: string;
  readonly #waiting: Promise<unknown>[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, user: string) {
    this.#own = `own-${user}`;
    this.connection = connect(`ws://127.0.0.1:${port}`, {
      token: () => tokenWith({ sub: user }),
      WebSocket: WebSocket as unknown as WebSocketConstructor,
      backoffMs: 50,
      maxBackoffMs: 1_000,
      connectTimeoutMs: 3_000,
      webSocketRetryMs: 1_000,
    });
    this.connection.onState((state) => {
      if (state === 'stale') this.reconnects += 1;
      if (state === 'closed') this.faults.push(this.connection.error);
    });
    for (const channel of [...CHANNELS, this.#own]) {
      const heard: number[] = [];
      this.heard.set(channel === this.#own ? 'own' : channel, heard);
      const subscription = this.connection.subscribe(channel);
      subscription.on('*', (data) => void heard.push((data as { n: number }).n));
      subscription.on('gap', (gap) => void this.faults.push(gap));
      this.#subscriptions.push(subscription);
    }
  }

  readonly #subscriptions: { readonly position: unknown }[] = [];

  get hasJoined(): boolean {
    return this.#subscriptions.every(({ position }) => position !== undefined);
  }

  /** Publishes a number and asks for it every now and then. */
  speak(): void {
    this.#timer = setInterval(() => {
      const n = this.said;
      this.said += 1;
      this.#waiting.push(this.#publish(n), this.#ask(n));
    }, OWN_MS);
  }

  async #publish(n: number): Promise<void> {
    try {
      await this.connection.publish(this.#own, 't', { n });
    } catch (error) {
      this.faults.push(error);
    }
  }

  async #ask(n: number): Promise<void> {
    try {
      const answer = await this.connection.ask('echo', n);
      if (answer === n) this.answered += 1;
      else this.faults.push({ answer, n });
    } catch (error) {
      // Whoever was cut off before the answer knows that much.
      const code = error instanceof SignalboxError ? error.code : 'none';
      if (code === 'lost' || code === 'timeout') this.lost += 1;
      else this.faults.push(error);
    }
  }

  async hush(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#waiting);
  }

  leave(): void {
    clearInterval(this.#timer);
    this.connection.close();
  }
}

/** What is wrong with numbers that should be all from 0 to `last`. */
function faultsOf(numbers: readonly number[] = [], last = -1): string[] {
  const at = numbers.findIndex((n, place) => n !== place);
  if (at >= 0) return [`${numbers[at]} after ${numbers[at - 1]}`];
  return numbers.length === last + 1 ? [] : [`the last one is ${numbers.at(-1)}, not ${last}`];
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
