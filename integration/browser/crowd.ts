import { Writable } from 'node:stream';
import { createAdmin } from '../../src/admin/admin.ts';
import { OverviewTicker } from '../../src/admin/overview-ticker.ts';
import { systemClock } from '../../src/clock.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import {
  CHANNEL_STATES,
  type InstanceOverview,
  SOCKET_STATES,
  type SocketFilter,
  type SocketRow,
} from '../../src/inspect/api.ts';
import { Installation } from '../../src/inspect/installation.ts';
import type { Question } from '../../src/inspect/questions.ts';
import { firstRows, matchesSocket } from '../../src/inspect/rows.ts';
import { createLogLimit } from '../../src/telemetry/log-limit.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { ADMIN_TOKEN } from '../support/operator.ts';

/** The panel's listener before an installation of more sockets than a test can open. */
export interface Crowd {
  /** Of the listener, without a path. */
  readonly url: string;
  /** What its lists were asked for, in order. */
  readonly asked: readonly SocketFilter[];
  /** A silent one says nothing more on its streams, and does not end them: a line that nobody cut, and that is dead. */
  silence(isSilent: boolean): void;
  stop(): Promise<void>;
}

/** Two processes answer; a third lives and does not. Everything before their answers is as it is in a server. */
export async function startCrowd(size: number): Promise<Crowd> {
  const startedAtMs = Date.now();
  const sockets = Array.from({ length: size }, (_, at) => socketAt(at, startedAtMs));
  const asked: SocketFilter[] = [];
  let isSilent = false;

  function answersTo(question: Question): readonly unknown[] {
    if (question.kind === 'overview')
      return ['a', 'b'].map((instance) => overviewOf(instance, sockets, startedAtMs));
    if (question.kind !== 'sockets') return [];
    asked.push(question.filter);
    return ['a', 'b'].map((instance) => {
      const own = sockets.filter((socket) => socket.instance === instance);
      const matching = own.filter((row) => matchesSocket(row, question.filter));
      return firstRows(matching, own.length, question.filter, ({ id }) => id);
    });
  }

  const installation = new Installation({
    peers: {
      ask: async (question: Question) => ({
        // The answers to a question are of the type that whoever asks it says they are.
        answers: answersTo(question) as never[],
        unanswered: question.kind === 'overview' ? ['c'] : [],
      }),
    },
    watches: { begin: () => () => undefined },
  });
  const ticker = new OverviewTicker({ overview: () => installation.overview(), clock: systemClock });
  const admin = await createAdmin({
    token: ADMIN_TOKEN,
    mode: 'production',
    trustProxy: false,
    now: Date.now,
    logger: createLogger({ level: 'error', toFile: false, filename: '', output: new Writable() }),
    scrape: async () => ({ contentType: 'text/plain', body: '' }),
    installation,
    ticker: { add: (reader) => ticker.add((overview) => !isSilent && reader(overview)) },
    charts: new Map(),
    hasJournal: true,
    limit: createLogLimit({ now: Date.now }),
    stately: { dropped: () => undefined },
  });
  const { port } = await admin.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    silence(silent) {
      isSilent = silent;
    },
    stop: () => admin.close(),
  };
}

const SILENT_STATES = SOCKET_STATES.filter((state) => state !== 'live');

/** Of eight, one is not live; every user has three or four. */
function socketAt(at: number, startedAtMs: number): SocketRow {
  const state = at % 8 === 7 ? (SILENT_STATES[Math.floor(at / 8) % SILENT_STATES.length] ?? 'stale') : 'live';
  return {
    instance: at % 2 === 0 ? 'a' : 'b',
    id: `s${(at * 7919).toString(36)}`,
    state,
    transport: 'websocket',
    protocol: 'native',
    user: `user-${at % 3000}`,
    address: `10.0.${at % 200}.${at % 250}`,
    channels: [`room:${at % 400}`],
    channelCount: 1 + (at % 3),
    openedAtMs: startedAtMs - 3_600_000 + at * 300,
    lagMs: state === 'live' ? 0 : (at % 90) * 130,
    bufferedBytes: state === 'live' ? 0 : (at % 70) * 4096,
    roundTripMs: 4 + (at % 80) / 3,
  };
}

function overviewOf(instance: string, sockets: readonly SocketRow[], startedAtMs: number): InstanceOverview {
  const now = Date.now();
  const countOf = (state: string): number =>
    sockets.filter((socket) => socket.instance === instance && socket.state === state).length;
  return {
    instance,
    version: '1.0.0',
    atMs: now,
    startedAtMs,
    isReady: true,
    isDraining: false,
    sockets: Object.fromEntries(
      SOCKET_STATES.map((state) => [state, countOf(state)]),
    ) as InstanceOverview['sockets'],
    channels: Object.fromEntries(CHANNEL_STATES.map((state) => [state, 1])) as InstanceOverview['channels'],
    readers: [
      {
        instance,
        id: 'reader:firehose',
        feed: 'native',
        state: 'live',
        attempt: 0,
        position: `${now}-0` as StreamId,
        epoch: 'e',
        lagMs: 12,
        batches: 1,
        events: 1,
        isRouting: true,
        window: { events: 41, bytes: 22, maxEvents: 100, maxBytes: 100, floor: '0-0' as StreamId },
      },
    ],
    counters: {
      routed: now - startedAtMs,
      delivered: 9 * (now - startedAtMs),
      replayed: 0,
      notDelivered: 0,
      gaps: 0,
    },
    bufferedBytes: 300_000,
    eventLoopDelayMs: 11,
    broker: { name: 'redis', roundTripMs: 0.4 },
  };
}
