import { createSecretKey } from 'node:crypto';
import { createHistogram } from 'node:perf_hooks';
import jwt from 'jsonwebtoken';
import { Client } from './client.ts';
import type { Dialect } from './dialects/dialect.ts';
import { type DialectName, DIALECTS } from './dialects.ts';
import { addExactness, dealt, type Exactness, NOTHING_DUE } from './ledger.ts';
import { answer } from './remote.ts';
import { type Latency, summarise } from './summary.ts';

/** Some clients that are asked for together, dealt to their channels in turn: `<group>0`, `<group>1`, … */
interface Group {
  readonly clients: readonly Client[];
  readonly channels: number;
}

const SOURCE_ADDRESSES = 20;
const POLL_MS = 10;

const groups = new Map<string, Group>();
const latencies = { live: createHistogram(), replay: createHistogram() };
let lost = 0;
let marked = { cpu: process.cpuUsage(), atMs: performance.now() };

const groupOf = (name: string): Group => {
  const group = groups.get(name);
  if (group === undefined) throw new Error(`no such group: ${name}`);
  return group;
};

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Has all of them open, `concurrency` at once. */
async function openAll(clients: readonly Client[], port: number, concurrency: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let client = clients[next++]; client !== undefined; client = clients[next++])
      await client.open(port);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

const publishedTo = (client: Client, channels: number, total: number): number =>
  dealt(total, channels, client.channel);

interface Named {
  readonly group: string;
}

interface Clients {
  readonly clients: number;
  readonly channels: number;
  readonly dialect: DialectName;
  readonly secret: string;
  readonly remembers: boolean;
}

const verbs = {
  /** Makes clients and signs their tokens, before anything is timed. */
  prepare(request: Named & Clients): void {
    const { group, channels, secret, remembers } = request;
    const key = createSecretKey(Buffer.from(secret));
    const names = Array.from({ length: channels }, (_, at) => `${group}${at}`);
    const dialect: Dialect = DIALECTS[request.dialect];
    const tokens = names.map((channel) => jwt.sign(dialect.claims?.(channel) ?? { channel }, key));
    const onLost = (): void => {
      lost += 1;
    };
    const clients = Array.from({ length: request.clients }, (_, at) => {
      const channel = at % channels;
      return new Client({
        dialect,
        channel,
        channelName: names[channel] as string,
        token: tokens[channel] as string,
        localAddress: `127.0.0.${2 + (at % SOURCE_ADDRESSES)}`,
        remembers,
        latencies,
        onLost,
      });
    });
    groups.set(group, { clients, channels });
  },

  /** Connects a whole group; how long it took until the last upgrade was answered. */
  async open({ group, port, concurrency }: Named & { port: number; concurrency: number }): Promise<number> {
    const begin = performance.now();
    await openAll(groupOf(group).clients, port, concurrency);
    return performance.now() - begin;
  },

  vanish({ group }: Named): void {
    for (const client of groupOf(group).clients) client.vanish();
  },

  /** The first `count` of a group stop reading. */
  stall({ group, count }: Named & { count: number }): void {
    for (const client of groupOf(group).clients.slice(0, count)) client.stall();
  },

  resume({ group }: Named): void {
    for (const client of groupOf(group).clients) client.resume();
  },

  /**
   * Waits until a group has all of `total` events, or until nothing new comes, or too long; when the last one came,
   * in µs.
   */
  async settle(request: Named & { total: number; quietMs: number; limitMs: number }): Promise<number> {
    const { group, total, quietMs, limitMs } = request;
    const giveUpAt = performance.now() + limitMs;
    const { clients, channels } = groupOf(group);
    const begin = clients.map((client) => client.ledger.start);
    let due = 0;
    for (const [at, client] of clients.entries())
      due += publishedTo(client, channels, total) - (begin[at] ?? 0);
    let distinct = -1;
    let changedAt = performance.now();
    for (;;) {
      const before = distinct;
      distinct = clients.reduce((sum, { ledger }) => sum + ledger.distinct, 0);
      if (distinct >= due) break;
      if (distinct !== before) changedAt = performance.now();
      if (performance.now() - changedAt > quietMs || performance.now() > giveUpAt) break;
      await pause(POLL_MS);
    }
    return clients.reduce((last, { lastArrivalUs }) => Math.max(last, lastArrivalUs), 0);
  },

  /** The account of a group up to `total` events; the next one begins there. */
  take({ group, total }: Named & { total: number }): Exactness {
    const { clients, channels } = groupOf(group);
    return clients.reduce(
      (sum, client) => addExactness(sum, client.ledger.take(publishedTo(client, channels, total))),
      NOTHING_DUE,
    );
  },

  mark(): void {
    latencies.live.reset();
    latencies.replay.reset();
    marked = { cpu: process.cpuUsage(), atMs: performance.now() };
  },

  /** Since `mark`: latencies, and how busy this process was: near 100 it is the load that was measured. */
  latency(): { live: Latency; replay: Latency; lost: number; busyPercent: number } {
    const { user, system } = process.cpuUsage(marked.cpu);
    const busyPercent = (user + system) / 10 / (performance.now() - marked.atMs);
    return { live: summarise(latencies.live), replay: summarise(latencies.replay), lost, busyPercent };
  },

  /** Each client vanishes at a moment of its own, every `everyMs` until `forMs` are over, and is away `awayMs`. */
  async jitter(
    request: Named & { port: number; everyMs: number; awayMs: number; forMs: number },
  ): Promise<number> {
    const { group, port, everyMs, awayMs, forMs } = request;
    const end = performance.now() + forMs;
    let absences = 0;
    const live = async (client: Client): Promise<void> => {
      await pause(Math.random() * everyMs);
      while (performance.now() < end) {
        client.vanish();
        absences += 1;
        await pause(awayMs * (0.75 + Math.random() / 2));
        await client.open(port);
        await pause(everyMs - awayMs);
      }
    };
    await Promise.all(groupOf(group).clients.map(live));
    return absences;
  },
};

export type LoadVerbs = typeof verbs;

answer(verbs);
