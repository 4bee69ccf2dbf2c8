import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  type Connection,
  connect,
  type Subscription,
  type WebSocketConstructor,
} from '../../client/src/index.ts';
import { Random } from '../../test/support/random.ts';
import { type RoughLines, startRoughLines } from '../faults/rough-line.ts';
import { tokenWith } from '../native/client.ts';
import { Numbers } from '../native/numbers.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';

/** How long it is cut and stalled; a few seconds of starting and of catching up come on top. */
const SECONDS = Number(process.env['RECOVERY_SECONDS'] ?? 10);
/** Repeats what is chosen at random; when it happens is not repeated. */
const SEED = Number(process.env['RECOVERY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CHANNELS = ['a', 'b', 'c', 'd', 'e'];
const CLIENTS = 6;
/** On each of the channels: 500 events a second together. */
const FLOW_MS = 50;
const PER_FLOW = 5;
const OWN_MS = 200;
/** Short, so that a dead line is found out several times in a run. */
const PING_MS = 1_000;
const TIMEOUT_MS = SECONDS * 1_000 + 120_000;

interface Outcome {
  readonly faults: readonly unknown[];
  readonly hasReconnected: boolean;
  readonly unseenEndings: readonly unknown[];
}
const WHOLE: Outcome = { faults: [], hasReconnected: true, unseenEndings: [] };

describe('clients whose lines are slow, stalled and ended at random, under load', () => {
  const servers: SignalboxProcess[] = [];
  const people: Person[] = [];
  let numbers: Numbers;
  let lines: RoughLines;

  afterEach(async () => {
    for (const person of people.splice(0)) person.leave();
    lines.stop();
    await numbers.close();
    await Promise.all(servers.splice(0).map((server) => server.end('SIGKILL')));
  });

  const begin = async (ports: readonly number[]): Promise<(port: number) => Promise<SignalboxProcess>> => {
    process.stderr.write(`RECOVERY_SEED=${SEED} RECOVERY_SECONDS=${SECONDS}\n`);
    const prefix = `${uniquePrefix()}own:`;
    numbers = new Numbers(prefix);
    // A position before the first event of all is older than any history: a gap would be told of it.
    await numbers.publish(['before']);
    const start = async (port: number): Promise<SignalboxProcess> => {
      const server = await startProcess({
        PORT: String(port),
        REDIS_URL: redisUrl(),
        SIGNALBOX_SUPERSET_PROTOCOL: 'off',
        SIGNALBOX_NATIVE_PREFIX: prefix,
        SIGNALBOX_HISTORY_MAX_LENGTH: '100000',
        // Small, so that some who come back read their channels' own streams.
        SIGNALBOX_WINDOW_MAX_EVENTS: '400',
        PING_SOCKETS_INTERVAL_MS: String(PING_MS),
        SOCKET_RESPONSE_TIMEOUT_MS: String(4 * PING_MS),
      });
      servers.push(server);
      return server;
    };
    await Promise.all(ports.map(start));
    lines = await startRoughLines({
      ports,
      random: new Random(SEED),
      lifetimeMs: { least: 200, most: 4_000 },
      delayMs: { least: 1, most: 30 },
      stallOneOf: 200,
      stallMs: 1_000,
    });
    people.push(...Array.from({ length: CLIENTS }, (_, at) => new Person(lines.port, `user-${at}`)));
    await eventually('all have joined', () => people.every(({ hasJoined }) => hasJoined), 30_000);
    return start;
  };

  /** Events flow until `meanwhile` is over; then nothing ends any more, and everybody must have everything. */
  const live = async (meanwhile: Promise<unknown>): Promise<Outcome> => {
    numbers.flow(CHANNELS, PER_FLOW, FLOW_MS);
    for (const person of people) person.speak();
    await meanwhile;
    await numbers.still();
    lines.mend();
    await Promise.all(people.map((person) => person.hush()));
    const last = CHANNELS.map((channel) => numbers.last(channel));
    const hasAll = ({ heard, said }: Person): boolean =>
      CHANNELS.every((channel, at) => (heard.get(channel)?.at(-1) ?? -1) >= (last[at] as number)) &&
      (heard.get('own')?.length ?? 0) >= said;
    await eventually('everything', () => people.every(hasAll), 40_000).catch(() => {});
    const isLive = ({ connection }: Person): boolean => connection.state === 'live';
    await eventually('live again', () => people.every(isLive), 30_000);
    const events = last.reduce((sum, n) => sum + n + 1, 0);
    const reconnects = people.reduce((sum, person) => sum + person.reconnects, 0);
    const { ended, stalls } = lines;
    process.stderr.write(`${JSON.stringify({ events, clients: CLIENTS, reconnects, ended, stalls })}\n`);
    const faults = people.flatMap(({ heard, said, faults: others }) => [
      ...others,
      ...CHANNELS.flatMap((channel, at) => faultsOf(heard.get(channel), last[at])),
      ...faultsOf(heard.get('own'), said - 1),
    ]);
    return {
      faults,
      hasReconnected: reconnects > 0,
      unseenEndings: Object.entries(ended).filter(([, count]) => count === 0),
    };
  };

  test(
    'hear every event once, in order, on each of their channels, and what they publish counts once',
    async () => {
      await begin([await freePort()]);
      expect(await live(pause(SECONDS * 1_000))).toEqual(WHOLE);
    },
    TIMEOUT_MS,
  );

  test(
    'do so across two servers, of which one is killed and comes back',
    async () => {
      const ports = [await freePort(), await freePort()] as const;
      const start = await begin(ports);
      const replaced = async (): Promise<void> => {
        await pause((SECONDS * 1_000) / 3);
        await servers.find(({ port }) => port === ports[1])?.end('SIGKILL');
        await pause((SECONDS * 1_000) / 6);
        await start(ports[1]);
        await pause((SECONDS * 1_000) / 2);
      };
      expect(await live(replaced())).toEqual(WHOLE);
    },
    TIMEOUT_MS,
  );
});

/** A client of the library that hears all channels, publishes to one of its own, and notes what it gets. */
class Person {
  readonly connection: Connection;
  readonly heard = new Map<string, number[]>();
  readonly faults: unknown[] = [];
  said = 0;
  reconnects = 0;
  readonly #subscriptions: Subscription[] = [];
  readonly #own: string;
  readonly #saying: Promise<unknown>[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, user: string) {
    this.#own = `own-${user}`;
    this.connection = connect(`ws://127.0.0.1:${port}`, {
      token: () => tokenWith({ sub: user }),
      WebSocket: WebSocket as unknown as WebSocketConstructor,
      backoffMs: 50,
      maxBackoffMs: 1_000,
      connectTimeoutMs: 3_000,
    });
    this.connection.onState((state) => {
      if (state === 'stale') this.reconnects += 1;
      if (state === 'closed') this.faults.push(this.connection.error);
    });
    for (const channel of [...CHANNELS, this.#own]) {
      const numbers: number[] = [];
      this.heard.set(channel === this.#own ? 'own' : channel, numbers);
      const subscription = this.connection.subscribe(channel);
      this.#subscriptions.push(subscription);
      subscription.on('*', (data) => void numbers.push((data as { n: number }).n));
      subscription.on('gap', (gap) => void this.faults.push(gap));
    }
  }

  /** Whether everything that is published from now on is for it. */
  get hasJoined(): boolean {
    return this.#subscriptions.every(({ position }) => position !== undefined);
  }

  /** Publishes a number every now and then. */
  speak(): void {
    this.#timer = setInterval(() => {
      const n = this.said;
      this.said += 1;
      const saying = this.connection.publish(this.#own, 't', { n });
      saying.catch((error: unknown) => void this.faults.push(error));
      this.#saying.push(saying);
    }, OWN_MS);
  }

  /** Resolves when all that it said has been published. */
  async hush(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#saying);
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
