import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { channelMachine } from '../../machines/channel.machine.ts';
import { readerMachine } from '../../machines/reader.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import type {
  ChannelDetail,
  ChannelRow,
  Chart,
  Explained,
  Gathered,
  LogLine,
  Overview,
  ReaderDetail,
  ReaderRow,
  Rows,
  SocketDetail,
  SocketRow,
  SocketState,
} from '../../src/inspect/api.ts';

import { chartOf } from '../../src/inspect/chart.ts';

const PANEL = fileURLToPath(new URL('../../dist/panel/', import.meta.url));
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
};
const STATES: readonly SocketState[] = [
  'live',
  'live',
  'live',
  'live',
  'replaying',
  'stale',
  'connecting',
  'closing',
];
const id = (ms: number, seq = 0) => `${ms}-${seq}` as StreamId;

export interface PanelFixture {
  readonly url: string;
  readonly token: string;
  /** What was asked of the lists, in order. */
  readonly asked: string[];
  /** The POSTs that were taken, with their bodies. */
  readonly done: string[];
  /** Whether streams speak; a silent one is a line that is cut without anybody saying so. */
  silence(isSilent: boolean): void;
  stop(): Promise<void>;
}

/** As the admin listener answers, with made-up rows: as many as no test could open. */
export async function startPanelFixture(
  size: number,
  startedAtMs = Date.now() - 7_500_000,
): Promise<PanelFixture> {
  const token = 'let-me-see';
  const asked: string[] = [];
  const done: string[] = [];
  let isSilent = false;
  let stately = { on: false, dropped: 0, sent: 0 };
  let isPaused = false;
  const sockets = Array.from({ length: size }, (_, at) => socketAt(at, startedAtMs));
  const channels = Array.from({ length: Math.ceil(size / 8) }, (_, at) => channelAt(at));
  const streams = new Set<() => void>();

  const routes: Readonly<Record<string, (url: URL, response: ServerResponse) => unknown>> = {
    overview: () => overviewOf(sockets, channels.length, startedAtMs),
    sockets: (url) => {
      asked.push(url.search);
      return page(
        url,
        sockets,
        ({ id: name, user, address, channels: names }) => `${name} ${user} ${address} ${names}`,
      );
    },
    channels: (url) => page(url, channels, ({ name, feed }) => `${name} ${feed}`),
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://fixture');
    const json = (body: unknown, status = 200): void => {
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(body === undefined ? '' : JSON.stringify(body));
    };
    if (url.pathname === '/inspect/login' || url.pathname === '/inspect/logout' || request.method !== 'GET') {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (url.pathname === '/inspect/login') {
          if ((JSON.parse(body) as { token: string }).token !== token)
            return json({ title: 'Unauthorized' }, 401);
          response.setHeader('set-cookie', 'panel=yes; HttpOnly; SameSite=Strict; Path=/inspect');
        } else if (url.pathname === '/inspect/logout') {
          response.setHeader('set-cookie', 'panel=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/inspect');
        } else if (url.pathname === '/inspect/api/stately') {
          stately =
            request.method === 'PUT'
              ? { on: true, sent: 12, dropped: 3, ...{ filter: JSON.parse(body) } }
              : { on: false, sent: 0, dropped: 0 };
        } else {
          isPaused = url.pathname.endsWith('/pause') || (isPaused && !url.pathname.endsWith('/resume'));
          done.push(`${url.pathname} ${body}`);
        }
        response.writeHead(204).end();
      });
      return;
    }
    if (url.pathname.startsWith('/inspect/assets/'))
      return serve(url.pathname.slice('/inspect/'.length), response);
    const isData = url.pathname.startsWith('/inspect/api/') || url.pathname === '/inspect/explain';
    if (!isData) return serve('index.html', response);
    if (request.headers.cookie !== 'panel=yes') return json({ title: 'Unauthorized' }, 401);
    const [name = '', ...rest] = url.pathname
      .slice('/inspect/api/'.length)
      .split('/')
      .map(decodeURIComponent);
    if (url.pathname === '/inspect/explain') return json(explained(url, startedAtMs));
    if (name === 'overview' && rest[0] === 'stream')
      return speak(response, 1000, () => overviewOf(sockets, channels.length, startedAtMs));
    if (name === 'log') return speak(response, 150, () => logLine(url, sockets));
    if (name === 'stately') return json(stately);
    if (name === 'machines') return json(charts[rest[0] ?? '']);
    if (name === 'sockets' && rest[0] !== undefined) {
      const row = sockets.find((socket) => socket.id === rest[0]);
      return row === undefined
        ? json({ detail: 'There is no such socket.' }, 404)
        : json(detailOf(row, isPaused));
    }
    if (name === 'channels' && rest.length === 2)
      return json(channelDetail(rest[1] ?? '', channels, sockets));
    if (name === 'readers') return json(readerDetail(startedAtMs));
    const route = routes[name];
    return route === undefined ? json({ title: 'Not Found' }, 404) : json(route(url, response));
  }

  function speak(response: ServerResponse, everyMs: number, message: () => unknown): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const say = (): void => {
      if (!isSilent) response.write(`data: ${JSON.stringify(message())}\n\n`);
    };
    say();
    const timer = setInterval(say, everyMs);
    const end = (): void => {
      clearInterval(timer);
      response.end();
      streams.delete(end);
    };
    streams.add(end);
    response.on('close', end);
  }

  const server: Server = createServer((request, response) => {
    response.setHeader('content-security-policy', POLICY);
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/inspect`,
    token,
    asked,
    done,
    silence: (value) => {
      isSilent = value;
    },
    stop: () =>
      new Promise((stopped) => {
        for (const end of streams) end();
        server.close(() => stopped());
        server.closeAllConnections();
      }),
  };
}

function serve(path: string, response: ServerResponse): void {
  const file = join(PANEL, path);
  if (!existsSync(file)) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}

const FIELDS = ['state', 'user', 'address'] as const;

function page<Row extends object>(url: URL, rows: readonly Row[], textOf: (row: Row) => string): Rows<Row> {
  const query = url.searchParams;
  const offset = Number(query.get('offset') ?? 0);
  const text = (query.get('text') ?? '').toLowerCase();
  const states = query.getAll('state');
  const matched = rows.filter((row) => {
    const fields = row as Record<string, unknown>;
    if (states.length > 0 && !states.includes(String(fields['state']))) return false;
    for (const name of FIELDS.slice(1))
      if (!String(fields[name]).includes(query.get(name) ?? '')) return false;
    return textOf(row).toLowerCase().includes(text);
  });
  const sort = query.get('sort');
  if (sort !== null) {
    const sign = query.get('isDescending') === 'true' ? -1 : 1;
    matched.sort((a, b) => {
      const [left, right] = [a, b].map((row) => (row as Record<string, string | number>)[sort] ?? 0);
      return (left! < right! ? -1 : left! > right! ? 1 : 0) * sign;
    });
  }
  const limit = Math.min(500, Number(query.get('limit') ?? 100));
  return {
    rows: matched.slice(offset, offset + limit),
    offset,
    matched: matched.length,
    total: rows.length,
    unanswered: [],
  };
}

function socketAt(at: number, startedAtMs: number): SocketRow {
  const state = STATES[at % 29 < 22 ? 0 : at % STATES.length] ?? 'live';
  return {
    instance: `box-${1 + (at % 2)}`,
    id: `s${(at * 7919 + 4096).toString(36)}`,
    state,
    transport: at % 5 === 0 ? 'sse' : 'websocket',
    protocol: at % 3 === 0 ? 'superset' : 'native',
    user: at % 17 === 0 ? undefined : `user-${at % 3000}`,
    session: `session-${at}`,
    address: `10.${at % 4}.${at % 200}.${at % 250}`,
    channels: [`room:${at % 400}`, 'news', 'deploys'].slice(0, 1 + (at % 3)),
    channelCount: 1 + (at % 3),
    openedAtMs: startedAtMs + at * 300,
    lagMs: state === 'live' ? 0 : (at % 90) * 130,
    bufferedBytes: state === 'live' ? 0 : (at % 70) * 4096,
    roundTripMs: state === 'connecting' ? undefined : 4 + (at % 80) / 3,
    expiresAtMs: at % 2 === 0 ? Date.now() + 45_000 + at * 60_000 : undefined,
  };
}

const channelAt = (at: number): ChannelRow => ({
  instance: `box-${1 + (at % 2)}`,
  feed: at % 3 === 0 ? 'superset' : 'native',
  name: `room:${at}`,
  state: at % 11 === 0 ? 'replaying' : at % 13 === 0 ? 'stale' : 'live',
  subscribers: at % 13 === 0 ? 0 : 1 + (at % 40),
  attempt: 0,
});

const readerAt = (instance: string, startedAtMs: number): ReaderRow => ({
  instance,
  id: 'firehose-native',
  feed: 'native',
  state: 'live',
  attempt: 0,
  position: id(Date.now() - 40),
  epoch: 'b1946ac92492d234',
  lagMs: 12 + 9 * Math.sin(Date.now() / 9000),
  batches: Math.floor((Date.now() - startedAtMs) / 20),
  events: Math.floor((Date.now() - startedAtMs) / 4),
  isRouting: true,
  window: {
    events: 41_233,
    bytes: 22_112_000,
    maxEvents: 100_000,
    maxBytes: 67_108_864,
    floor: id(startedAtMs),
  },
});

function overviewOf(sockets: readonly SocketRow[], channels: number, startedAtMs: number): Overview {
  const now = Date.now();
  const age = now - startedAtMs;
  const answers = ['box-1', 'box-2'].map((instance) => ({
    instance,
    version: '0.1.0',
    atMs: now,
    startedAtMs,
    isReady: true,
    isDraining: false,
    sockets: Object.fromEntries(
      ['connecting', 'replaying', 'live', 'stale', 'closing'].map((state) => [
        state,
        sockets.filter((socket) => socket.instance === instance && socket.state === state).length,
      ]),
    ) as Record<SocketState, number>,
    channels: {
      connecting: 0,
      replaying: Math.floor(channels / 22),
      live: Math.floor(channels / 2),
      stale: 3,
    },
    readers: [readerAt(instance, startedAtMs)],
    counters: {
      routed: Math.floor(age / 4 + 200 * Math.sin(age / 20_000)),
      delivered: Math.floor(age * 12 + 60_000 * Math.sin(age / 15_000)),
      replayed: Math.floor(age / 400),
      notDelivered: 12,
      gaps: 0,
    },
    bufferedBytes: Math.floor(300_000 + 200_000 * Math.sin(now / 7000)),
    eventLoopDelayMs: 11 + 3 * Math.sin(now / 5000),
    broker: { name: 'redis' as const, roundTripMs: 0.4 + 0.2 * Math.sin(now / 3000) },
  }));
  return { answers, unanswered: ['box-3'] };
}

function detailOf(row: SocketRow, isPaused: boolean): SocketDetail {
  const now = Date.now();
  const isStale = row.state === 'stale';
  const delivery =
    row.state === 'live' && !isPaused ? 'open.delivery.live' : 'open.delivery.replaying.catchingUp';
  const heartbeat = isStale ? 'open.heartbeat.unanswered.stale' : 'open.heartbeat.idle';
  const credential = row.expiresAtMs === undefined ? 'open.credential.lasting' : 'open.credential.expiring';
  return {
    ...row,
    active: [delivery, heartbeat, credential],
    isPaused,
    transitions: [
      {
        atMs: row.openedAtMs,
        event: 'socket.opened',
        from: ['connecting'],
        to: ['open.delivery.replaying.catchingUp', 'open.heartbeat.idle', credential],
      },
      {
        atMs: row.openedAtMs + 14,
        event: 'delivery.caughtUp',
        from: ['open.delivery.replaying.catchingUp', 'open.heartbeat.idle', credential],
        to: ['open.delivery.live', 'open.heartbeat.idle', credential],
      },
      {
        atMs: now - 61_000,
        event: 'ping.due',
        detail: { silentMs: 15_000 },
        from: ['open.heartbeat.idle'],
        to: ['open.heartbeat.unanswered.awaiting'],
        times: 41,
      },
      ...(isStale
        ? [
            {
              atMs: now - 31_000,
              event: 'ping.due',
              detail: { silentMs: 30_000 },
              from: ['open.heartbeat.unanswered.awaiting'],
              to: ['open.heartbeat.unanswered.stale'],
            },
          ]
        : [
            {
              atMs: now - 60_990,
              event: 'answer.received',
              from: ['open.heartbeat.unanswered.awaiting'],
              to: ['open.heartbeat.idle'],
              times: 41,
            },
          ]),
    ],
    subscriptions: [
      {
        channels: row.channels,
        mode: row.state === 'live' ? 'live' : 'replaying',
        cursor: id(now - 900, 2),
        lagMs: row.lagMs,
        behind: row.lagMs > 0 ? 41 : 0,
        spans: [
          { kind: 'joined', atMs: row.openedAtMs, cursor: id(row.openedAtMs - 60_000) },
          {
            kind: 'replayed',
            atMs: row.openedAtMs + 12,
            after: id(row.openedAtMs - 60_000),
            cursor: id(row.openedAtMs),
          },
          { kind: 'live', atMs: row.openedAtMs + 14, cursor: id(row.openedAtMs) },
          ...(isStale
            ? [
                {
                  kind: 'paused' as const,
                  atMs: now - 31_000,
                  cursor: id(now - 31_400),
                  reason: 'stale' as const,
                },
              ]
            : []),
        ],
      },
    ],
    denials: [{ atMs: row.openedAtMs + 40, channel: 'admin', by: 'claims', code: 'forbidden' }],
  };
}

function channelDetail(
  name: string,
  channels: readonly ChannelRow[],
  sockets: readonly SocketRow[],
): Gathered<ChannelDetail> {
  const row = channels.find((channel) => channel.name === name);
  if (row === undefined) return { answers: [], unanswered: [] };
  const transitions = [
    { atMs: Date.now() - 90_000, event: 'feed.attached', from: ['connecting.attaching'], to: [row.state] },
  ];
  return {
    answers: [
      {
        ...row,
        active: [row.state],
        transitions,
        pages: 0,
        sockets: sockets.filter(({ channels: names }) => names.includes(name)).slice(0, 100),
      },
    ],
    unanswered: [],
  };
}

function readerDetail(startedAtMs: number): Gathered<ReaderDetail> {
  const now = Date.now();
  const recent = [5, 4, 3, 2, 1].map((ago) => ({
    atMs: now - ago * 300,
    count: ago * 3,
    firstId: id(now - ago * 300 - 20),
    lastId: id(now - ago * 300 - 2),
  }));
  const transitions = [
    { atMs: startedAtMs, event: 'done connect', from: ['connecting'], to: ['replaying'] },
    { atMs: startedAtMs + 40, event: 'done catchUp', from: ['replaying'], to: ['live'] },
  ];
  return {
    answers: [{ ...readerAt('box-1', startedAtMs), active: ['live'], transitions, recent }],
    unanswered: [],
  };
}

function explained(url: URL, startedAtMs: number): Explained {
  const event = url.searchParams.get('event') as StreamId;
  const socket = url.searchParams.get('socket') ?? 's34g';
  return {
    event: { id: event, channels: ['room:4'], feed: 'native' },
    unanswered: [],
    answers: [
      {
        instance: 'box-1',
        socket,
        user: url.searchParams.get('user') ?? 'user-4',
        verdict: { kind: 'stale', sinceMs: Date.now() - 31_000 },
        sentence: 'It is due, and is sent when the socket answers: no ping has been answered for 31 seconds.',
        evidence: [
          { atMs: startedAtMs, text: 'joined room:4 at 1764288000000-0' },
          { atMs: startedAtMs + 14, text: 'live' },
          { atMs: Date.now() - 31_000, text: 'paused at 1764288031400-0: a ping was unanswered' },
          { atMs: Date.now() - 12_000, text: `a batch of 4 with ${event} was routed` },
        ],
      },
    ],
  };
}

let lines = 0;
function logLine(url: URL, sockets: readonly SocketRow[]): LogLine {
  lines += 1;
  const row = sockets.find((socket) => socket.id === url.searchParams.get('socket')) ?? sockets[lines % 40];
  const base = {
    atMs: Date.now(),
    instance: row?.instance ?? 'box-1',
    socket: row?.id ?? 's0',
    user: row?.user,
  };
  if (lines % 9 === 0)
    return {
      ...base,
      kind: 'transition',
      transition: {
        atMs: base.atMs,
        event: 'ping.due',
        from: ['open.heartbeat.idle'],
        to: ['open.heartbeat.unanswered.awaiting'],
      },
    };
  if (lines % 13 === 0)
    return {
      ...base,
      kind: 'denied',
      denial: { atMs: base.atMs, channel: 'admin', by: 'claims', code: 'forbidden' },
    };
  return { ...base, kind: 'delivered', channel: row?.channels[0], id: id(base.atMs, lines % 4) };
}

const charts: Readonly<Record<string, Chart>> = {
  socket: chartOf(socketMachine as unknown as AnyStateMachine),
  channel: chartOf(channelMachine as unknown as AnyStateMachine),
  reader: chartOf(readerMachine as unknown as AnyStateMachine),
};
