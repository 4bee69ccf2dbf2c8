import { describe, expect, test } from '@jest/globals';
import { BlockReader } from '../../client/src/fallback/blocks.ts';
import type {
  Connection,
  Gap,
  SignalboxError,
  Subscription,
  WebSocketConstructor,
} from '../../client/src/index.ts';
import { connect, type FallbackOptions } from '../../client/src/sse.ts';
import { compareIds, type StreamId } from '../../src/event/stream-id.ts';
import { settled } from '../support/heap-clock.ts';
import { TestHttp, type TestHttpOptions } from './support/http.ts';
import { TestServer } from './support/server.ts';

function setup(
  { seed = 1, ...http }: TestHttpOptions & { seed?: number } = {},
  client: FallbackOptions = {},
) {
  const server = new TestServer({ seed, user: http.user ?? 'ann' });
  const over = new TestHttp(server, http);
  server.wire.isUp = false;
  const connection = connect('wss://server/path?query', {
    ...server.options,
    fetch: over.fetch,
    webSocketRetryMs: 10_000,
    backoffMs: 200,
    maxBackoffMs: 1_000,
    ...client,
  });
  const advance = async (ms: number) => {
    await settled();
    await server.clock.advance(ms);
    await settled();
  };
  return { server, over, connection, advance };
}

/** What a subscription hears of its channel, and what it is told is lost. */
function listen(subscription: Subscription) {
  const ids: string[] = [];
  const gaps: Gap[] = [];
  subscription.on('*', (_, { id }) => void ids.push(id));
  subscription.on('gap', (gap) => void gaps.push(gap));
  return { ids, gaps };
}

const idsOf = (server: TestServer, channel: string) =>
  server.log.filter((event) => event.channel === channel).map(({ id }) => id);

const opens = (connection: Connection) => {
  const states: string[] = [connection.state];
  connection.onState((state) => states.push(state));
  return states;
};

describe('blocks', () => {
  test('are read however a text is cut', () => {
    const text = 'retry: 5\r\n\r\n: comment\n\ndata: {"a":\r\ndata:1}\rid: x\n\n\ndata\n\n';
    const whole = new BlockReader().push(text);
    expect(whole).toEqual([
      { data: undefined, retry: 5 },
      { data: '{"a":\n1}', retry: undefined },
      { data: '', retry: undefined },
    ]);
    for (let at = 0; at <= text.length; at += 1) {
      const reader = new BlockReader();
      expect([...reader.push(text.slice(0, at)), ...reader.push(text.slice(at))]).toEqual(whole);
    }
  });
});

describe('a connection whose WebSockets cannot be opened', () => {
  test('goes on over HTTP after two of them, below the path of its URL', async () => {
    const { over, connection, advance } = setup();
    connection.subscribe('a');
    await advance(3_000);
    expect(connection.state).toBe('live');
    expect(over.requests.map((request) => request.split('&last')[0])).toEqual([
      'GET /path/events?frames=signalbox.v1',
      'GET /path/events?frames=signalbox.v1&channel=a',
      'GET /path/events?frames=signalbox.v1&channel=user%3Aann&channel=a',
    ]);
  });

  test('has changes of its channels in one stream', async () => {
    const { server, over, connection, advance } = setup();
    const [a, b] = ['a', 'b'].map((channel) => connection.subscribe(channel)) as [Subscription, Subscription];
    await advance(3_000);
    const before = over.requests.length;
    a.unsubscribe();
    b.unsubscribe();
    await advance(500);
    expect(over.requests.slice(before).map((request) => request.split('&last')[0])).toEqual([
      'GET /path/events?frames=signalbox.v1&channel=user%3Aann',
    ]);
    expect(server.faults).toEqual([]);
  });

  test('says with each request who it is, and takes a ticket only for a WebSocket', async () => {
    const { server, over } = setup();
    const seen: (string | undefined)[] = [];
    const connection = connect('wss://other/', {
      ...server.options,
      fetch: (url, request) => {
        seen.push(`${new URL(url).pathname} ${request.headers['authorization']}`);
        return over.fetch(url, request);
      },
      token: () => 'secret',
      webSocketAttempts: 1,
    });
    await settled();
    await server.clock.advance(3_000);
    const asking = connection.ask('x', 1);
    await server.clock.advance(500);
    await asking;
    expect(seen).toEqual(['/ticket Bearer secret', '/events Bearer secret', '/ask Bearer secret']);
    connection.close();
  });

  test('asks, tells and publishes in order, also what it had said before', async () => {
    const { server, connection, advance } = setup();
    const heard = listen(connection.subscribe('a'));
    const publishing = [1, 2, 3].map((n) => connection.publish('a', 't', n));
    const asking = connection.ask('x', { n: 1 });
    const telling = connection.tell('y');
    await advance(3_000);
    expect(await Promise.all(publishing)).toEqual(idsOf(server, 'a'));
    expect(await asking).toEqual({ n: 1 });
    await telling;
    expect(server.log.map(({ data }) => data)).toEqual(['1', '2', '3']);
    expect(heard.ids).toEqual(idsOf(server, 'a'));
  });

  test('is stale when nothing was heard for one and a half ping intervals, and comes back after `retry`', async () => {
    const { server, over, connection, advance } = setup();
    const heard = listen(connection.subscribe('a'));
    await advance(3_000);
    const states = opens(connection);
    over.cut(false);
    server.append('a', 1);
    await advance(3_000);
    expect(states).toEqual(['live', 'stale']);
    await advance(1_500);
    expect(states.at(-1)).toBe('live');
    expect(heard).toEqual({ ids: idsOf(server, 'a'), gaps: [] });
  });

  test.each([
    [0, 15_000, 25_000],
    [2_000, 2_000, 3_000],
  ])(
    'pinged every %d ms it hears something every %d ms, and bears silence for %d ms',
    async (pingMs, apartMs, silenceMs) => {
      const { over, connection, advance } = setup({ pingMs });
      await advance(3_000);
      const states = opens(connection);
      await advance(60_000);
      over.cut(false);
      await advance(silenceMs - apartMs - 100);
      expect(states).toEqual(['live']);
      await advance(apartMs + 200);
      expect(states).toContain('stale');
    },
  );

  test('waits for a stream no longer than for a welcome, and so does what is asked meanwhile', async () => {
    let dead = 1;
    const { connection, advance } = setup(
      { isDead: (_, channels) => channels.join() === 'b' && dead-- > 0 },
      { connectTimeoutMs: 4_000 },
    );
    connection.subscribe('a');
    await advance(3_000);
    connection.subscribe('b');
    const states = opens(connection);
    let answer: unknown;
    void connection.ask('echo', 1).then((given) => (answer = given));
    await advance(3_500);
    expect([dead, answer]).toEqual([0, undefined]);
    await advance(2_500);
    expect([answer, states]).toEqual([1, ['live']]);
  });

  test('goes on from the position of a WebSocket, and a WebSocket from its', async () => {
    const { server, over, connection, advance } = setup();
    server.wire.isUp = true;
    const heard = listen(connection.subscribe('a'));
    await advance(1_000);
    server.append('a', 1);
    await advance(1_000);
    expect(over.requests).toEqual([]);
    server.wire.isUp = false;
    server.wire.cut(true);
    server.append('a', 2);
    await advance(8_000);
    expect(over.requests).not.toEqual([]);
    server.append('a', 3);
    await advance(1_000);
    const before = over.requests.length;
    server.wire.isUp = true;
    await advance(12_000);
    server.append('a', 4);
    await advance(30_000);
    expect(heard).toEqual({ ids: idsOf(server, 'a'), gaps: [] });
    expect(server.wire.ends).toHaveLength(1);
    expect(over.requests.slice(before)).toEqual([]);
    expect(connection.state).toBe('live');
  });

  test('tries WebSockets as well when HTTP cannot be reached either', async () => {
    const { server, over, connection, advance } = setup();
    over.isUp = false;
    await advance(5_000);
    server.wire.isUp = true;
    await advance(5_000);
    expect(connection.state).toBe('live');
    expect(server.wire.ends).toHaveLength(1);
  });

  test('is told which of its channels it may not have', async () => {
    const { connection, advance } = setup({
      refuse: (_, channels) => (channels.includes('secret') ? 403 : undefined),
    });
    const secret = connection.subscribe('secret');
    const open = connection.subscribe('open');
    await advance(3_000);
    expect([secret.state, secret.error?.code, open.state]).toEqual(['closed', 'forbidden', 'live']);
  });

  test('ends a channel that it may have no more, and keeps the others', async () => {
    let isSecret = false;
    const { server, over, connection, advance } = setup({
      refuse: (_, channels) => (isSecret && channels.includes('a') ? 403 : undefined),
    });
    const [a, b] = ['a', 'b'].map((channel) => connection.subscribe(channel)) as [Subscription, Subscription];
    const heard = listen(b);
    await advance(3_000);
    isSecret = true;
    over.cut(true);
    server.append('b', 1);
    await advance(10_000);
    expect([a.state, b.state]).toEqual(['closed', 'live']);
    expect(heard.ids).toEqual(idsOf(server, 'b'));
  });

  test('does not hear what it has published without an echo, and hears what comes before and after', async () => {
    const { server, connection, advance } = setup();
    const heard: unknown[] = [];
    connection.subscribe('a').on('*', (data) => heard.push(data));
    await advance(3_000);
    for (let n = 0; n < 20; n += 1) {
      server.append('a', `before ${n}`);
      const publishing = connection.publish('a', 't', 'its own', { echo: false });
      await advance(server.random.below(60));
      server.append('a', `after ${n}`);
      await advance(500);
      await publishing;
    }
    expect(server.log.filter(({ data }) => data === '"its own"')).toHaveLength(20);
    expect(heard).toEqual(Array.from({ length: 20 }, (_, n) => [`before ${n}`, `after ${n}`]).flat());
  });

  test('is told things once, also while one stream takes the place of another', async () => {
    const { over, connection, advance } = setup();
    const told: unknown[] = [];
    connection.on('news', (data) => told.push(data));
    await advance(3_000);
    connection.subscribe('a');
    const all = Array.from({ length: 40 }, (_, n) => n);
    for (const n of all) {
      over.tell('news', n);
      await advance(20);
    }
    expect(told).toEqual([...new Set(told)]);
    // Best effort, in between.
    expect(told.length).toBeGreaterThan(all.length - 5);
  });

  test('moves to a WebSocket only when no answer is under way, so that none is lost', async () => {
    const { server, connection, advance } = setup();
    await advance(3_000);
    server.wire.isUp = true;
    const asked: Promise<unknown>[] = [];
    for (let n = 0; n < 400; n += 1) {
      asked.push(connection.ask('echo', n));
      await advance(30);
    }
    await advance(20_000);
    expect(await Promise.all(asked)).toEqual(asked.map((_, n) => n));
    expect(server.wire.ends).toHaveLength(1);
  });

  test('gives up its requests when it is closed', async () => {
    const { server, over } = setup();
    const signals: AbortSignal[] = [];
    const connection = connect('wss://server/', {
      ...server.options,
      fetch: (url, request) => {
        if (!url.endsWith('/ask')) return over.fetch(url, request);
        signals.push(request.signal as unknown as AbortSignal);
        return new Promise(() => {});
      },
      backoffMs: 200,
    });
    await settled();
    await server.clock.advance(3_000);
    const asked = connection.ask('x').catch(({ code }: SignalboxError) => code);
    await settled();
    connection.close();
    expect(await asked).toBe('closed');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('stays with WebSockets as long as it is the server that closes them', async () => {
    const { server, over } = setup();
    server.wire.isUp = true;
    let closed = 0;
    const WebSocket = function dial(url: string, protocols: string[]) {
      const socket = new server.wire.WebSocket(url, protocols);
      if (closed < 5)
        server.clock.setTimeout(() => {
          closed += 1;
          (socket.onclose as (event: object) => void)({ code: 1013, reason: 'too_many' });
        }, 1);
      return socket;
    } as unknown as WebSocketConstructor;
    const options = { ...server.options, WebSocket, fetch: over.fetch, backoffMs: 100 };
    const connection = connect('wss://other/', options);
    await server.clock.advance(20_000);
    expect([closed, connection.state]).toEqual([5, 'live']);
    expect(over.requests.filter((request) => !request.includes('/path/'))).toEqual([]);
    connection.close();
  });

  test('calls nothing and asks for nothing once it is closed', async () => {
    const { server, over, connection, advance } = setup();
    const heard = listen(connection.subscribe('a'));
    await advance(3_000);
    connection.close();
    const before = over.requests.length;
    server.append('a', 1);
    server.wire.isUp = true;
    await advance(60_000);
    expect(over.requests).toHaveLength(before);
    expect(heard.ids).toEqual([]);
    expect(server.wire.ends).toEqual([]);
  });
});

const CHANNELS = ['a', 'b', 'c'];
const SEEDS = Array.from({ length: 60 }, (_, at) => at + 1);

describe('under cuts, refusals, changes and trims at random', () => {
  test.each(SEEDS)('every event is heard once and in order, or said to be lost (seed %d)', async (seed) => {
    const { server, over, connection, advance } = setup({ seed });
    const { random } = server;
    const listeners = new Map(CHANNELS.map((channel) => [channel, listen(connection.subscribe(channel))]));
    await advance(3_000);
    const own = connection.subscribe('own');
    const heardOfOwn = listen(own);
    const publishing: Promise<unknown>[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      for (let count = random.below(4); count > 0; count -= 1) server.append(random.pick(CHANNELS), turn);
      if (random.chance(0.3)) publishing.push(connection.publish('own', 't', publishing.length));
      if (random.chance(0.08)) over.cut(random.chance(0.5));
      if (random.chance(0.05)) server.wire.cut(random.chance(0.5));
      if (random.chance(0.05)) over.isUp = !over.isUp;
      if (random.chance(0.05)) server.wire.isUp = !server.wire.isUp;
      if (random.chance(0.1)) connection.subscribe(`other-${turn}`);
      if (random.chance(0.03)) server.trim(random.pick(CHANNELS));
      await advance(random.below(700));
    }
    over.isUp = true;
    await advance(300_000);
    await Promise.all(publishing);
    expect(connection.state).toBe('live');
    for (const [channel, { ids, gaps }] of listeners)
      expect(faultsOf(server, channel, ids, gaps)).toEqual([]);
    expect(server.log.filter(({ channel }) => channel === 'own').map(({ data }) => Number(data))).toEqual(
      publishing.map((_, at) => at),
    );
    expect(faultsOf(server, 'own', heardOfOwn.ids, heardOfOwn.gaps)).toEqual([]);
    expect(server.faults).toEqual([]);
  });
});

/** Events that were heard twice, out of order, or not at all although nothing says that they are lost. */
function faultsOf(
  server: TestServer,
  channel: string,
  ids: readonly string[],
  gaps: readonly Gap[],
): string[] {
  const missing = idsOf(server, channel).filter((id) => !ids.includes(id));
  const isTold = (id: StreamId) =>
    gaps.some((gap) => compareIds(gap.after as StreamId, id) < 0 && compareIds(id, gap.id as StreamId) <= 0);
  const inOrder = [...new Set(ids)].sort((one, other) => compareIds(one as StreamId, other as StreamId));
  return [
    ...missing.filter((id) => !isTold(id)).map((id) => `${id} is missing`),
    ...(inOrder.join() === ids.join() ? [] : [`not in order: ${ids.join()}`]),
  ];
}
