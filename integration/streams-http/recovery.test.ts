import { type ClientRequest, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Random } from '../../test/support/random.ts';
import { type RoughLines, startRoughLines } from '../faults/rough-line.ts';
import { tokenWith } from '../native/client.ts';
import { Numbers } from '../native/numbers.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';

/** As the recovery of the client of the library. */
const SECONDS = Number(process.env['RECOVERY_SECONDS'] ?? 10);
const SEED = Number(process.env['RECOVERY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CHANNELS = ['a', 'b', 'c', 'd', 'e'];
const READERS_OF_ALL = 4;
const FLOW_MS = 50;
const PER_FLOW = 5;
/** Short, so that a dead line is found out several times in a run. */
const PING_MS = 1_000;
const SILENT_MS = 1_500;
const MAX_BACK_MS = 200;
const TIMEOUT_MS = SECONDS * 1_000 + 120_000;

describe('streams whose lines are slow, stalled and ended at random, under load', () => {
  const servers: SignalboxProcess[] = [];
  const readers: Reader[] = [];
  let numbers: Numbers;
  let lines: RoughLines;

  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.leave();
    lines.stop();
    await numbers.close();
    await Promise.all(servers.splice(0).map((server) => server.end('SIGKILL')));
  });

  test(
    'bring every event once, in order, across two servers, of which one is killed and comes back',
    async () => {
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
          // Small, so that some who come back read their channels' own streams.
          SIGNALBOX_WINDOW_MAX_EVENTS: '400',
          PING_SOCKETS_INTERVAL_MS: String(PING_MS),
          SOCKET_RESPONSE_TIMEOUT_MS: String(4 * PING_MS),
        });
        servers.push(server);
        return server;
      };
      const ports = [await freePort(), await freePort()] as const;
      const [, second] = await Promise.all(ports.map(start));
      const random = new Random(SEED);
      lines = await startRoughLines({
        ports,
        random,
        lifetimeMs: { least: 200, most: 4_000 },
        delayMs: { least: 1, most: 30 },
        stallOneOf: 200,
        stallMs: 1_000,
      });
      const { port } = lines;
      readers.push(
        ...Array.from({ length: READERS_OF_ALL }, () => new Reader({ port, random, channels: CHANNELS })),
        ...CHANNELS.map((channel) => new Reader({ port, random, channels: [channel] })),
      );
      await eventually('all have joined', () => readers.every(({ hasJoined }) => hasJoined), 30_000);

      numbers.flow(CHANNELS, PER_FLOW, FLOW_MS);
      await pause((SECONDS * 1_000) / 3);
      await second?.end('SIGKILL');
      await pause((SECONDS * 1_000) / 6);
      await start(ports[1]);
      await pause((SECONDS * 1_000) / 2);
      await numbers.still();
      lines.mend();
      const hasAll = ({ channels, last }: Reader): boolean =>
        channels.every((channel) => last.get(channel) === numbers.last(channel));
      await eventually('everything', () => readers.every(hasAll), 40_000).catch(() => {});

      const { ended, stalls } = lines;
      const connections = readers.map((reader) => reader.connections);
      const events = CHANNELS.reduce((sum, channel) => sum + numbers.last(channel) + 1, 0);
      process.stderr.write(`${JSON.stringify({ events, connections, ended, stalls })}\n`);
      expect(readers.flatMap(({ faults }) => faults)).toEqual([]);
      expect(readers.filter((reader) => !hasAll(reader))).toEqual([]);
      expect(Math.min(...connections)).toBeGreaterThan(1);
      expect(Object.entries(ended).filter(([, count]) => count === 0)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

interface ReaderOptions {
  readonly port: number;
  readonly random: Random;
  /** One: as events of EventSource. Several: as frames, which say their channel. */
  readonly channels: readonly string[];
}

const FIELDS = /^(id|event|data): (.*)$/gm;

/** A client of streams: it comes back with what it was told last, and notes what it gets. */
class Reader {
  readonly channels: readonly string[];
  readonly last = new Map<string, number>();
  readonly faults: unknown[] = [];
  connections = 0;
  readonly #options: ReaderOptions;
  #lastEventId: string | undefined;
  #request: ClientRequest | undefined;
  #silence: NodeJS.Timeout | undefined;
  #back: NodeJS.Timeout | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.channels = options.channels;
    this.#come();
  }

  /** Whether everything that is published from now on is for it. */
  get hasJoined(): boolean {
    return this.#lastEventId !== undefined;
  }

  leave(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#back);
    this.#request?.off('close', this.#comeBack).destroy();
  }

  #come(): void {
    const { port, channels } = this.#options;
    const query = new URLSearchParams(channels.map((channel): [string, string] => ['channel', channel]));
    if (channels.length > 1) query.set('frames', 'signalbox.v1');
    const headers = {
      authorization: `Bearer ${tokenWith()}`,
      ...(this.#lastEventId !== undefined && { 'last-event-id': this.#lastEventId }),
    };
    let rest = '';
    const request = get(`http://127.0.0.1:${port}/events?${query}`, { agent: false, headers }, (response) => {
      if (response.statusCode !== 200) this.faults.push(response.statusCode);
      response.setEncoding('utf8').on('data', (text: string) => {
        this.#listen();
        const blocks = (rest + text).split('\n\n');
        // What is not whole when a line ends never was.
        rest = blocks.pop() as string;
        for (const block of blocks) this.#take(block);
      });
      response.on('error', () => {});
    });
    request.on('error', () => {});
    request.on('close', this.#comeBack);
    this.#request = request;
    this.#listen();
  }

  /** A line on which nothing comes is a dead one. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#request?.destroy(), SILENT_MS);
  }

  readonly #comeBack = (): void => {
    clearTimeout(this.#silence);
    this.#back = setTimeout(() => this.#come(), this.#options.random.below(MAX_BACK_MS));
  };

  #take(block: string): void {
    const fields = Object.fromEntries([...block.matchAll(FIELDS)].map(([, name, value]) => [name, value]));
    const { id, event, data } = fields as { readonly [name in 'id' | 'event' | 'data']?: string };
    if (block.startsWith('retry: ')) this.connections += 1;
    if (data !== undefined) this.#hear(event, JSON.parse(data) as Heard);
    this.#lastEventId = id ?? this.#lastEventId;
  }

  #hear(event: string | undefined, heard: Heard): void {
    const [channel] = this.channels;
    if (event === 't') this.#number(channel as string, heard);
    else if (event !== undefined) this.faults.push(event, heard);
    else if (heard.type === 'event') this.#number(heard.channel, heard.data);
    else if (
      heard.type === 'welcome'
        ? heard.subscriptions?.some(({ recovered }) => !recovered)
        : heard.type !== 'ping'
    )
      this.faults.push(heard);
  }

  #number(channel: string, { n }: Numbered): void {
    const last = this.last.get(channel) ?? -1;
    if (n !== last + 1) this.faults.push(`${channel}: ${n} after ${last}`);
    this.last.set(channel, n);
  }
}

interface Numbered {
  readonly n: number;
}
interface Heard extends Numbered {
  readonly type: string;
  readonly channel: string;
  readonly data: Numbered;
  readonly subscriptions?: readonly { readonly recovered: boolean }[];
}
