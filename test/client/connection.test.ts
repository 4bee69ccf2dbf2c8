import { describe, expect, jest, test } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  type AbortSignalLike,
  connect,
  SignalboxError,
  type WebSocketConstructor,
} from '../../client/src/index.ts';
import { CLOSES } from '../../src/protocol/native/close-codes.ts';
import { HeapClock } from '../support/heap-clock.ts';
import { CountingClock } from './support/counting-clock.ts';
import { A_MOMENT_MS, setup } from './support/setup.ts';
import { TestServer } from './support/server.ts';

const hellos = (server: TestServer) => server.frames.filter(({ type }) => type === 'hello').length;

describe('a connection', () => {
  test('takes the WebSocket of ws', () => {
    const ofWs: WebSocketConstructor = WebSocket;
    expect(ofWs).toBe(WebSocket);
  });

  test('says so where there is no WebSocket at all', () => {
    const saved = globalThis.WebSocket;
    Reflect.deleteProperty(globalThis, 'WebSocket');
    try {
      expect(() => connect('ws://server/')).toThrow('there is no global WebSocket');
    } finally {
      if (saved !== undefined) globalThis.WebSocket = saved;
    }
  });

  test('goes from connecting to live, to stale when it is lost, over replaying to live, and is closed', async () => {
    const { server, connection, advance } = setup();
    const states = [connection.state as string];
    connection.onState((state) => states.push(state));
    const subscription = connection.subscribe('a');
    const itsStates = [subscription.state as string];
    subscription.onState((state) => itsStates.push(state));
    await advance(A_MOMENT_MS);
    server.wire.cut(true);
    await advance(60_000);
    connection.close();
    expect(states).toEqual(['connecting', 'live', 'stale', 'replaying', 'live', 'closed']);
    expect(itsStates).toEqual(['connecting', 'live', 'stale', 'replaying', 'live', 'closed']);
    expect(connection.error).toBeUndefined();
  });

  describe.each(Object.entries(CLOSES).filter(([code]) => code !== '1006'))(
    'closed with %s',
    (code, close) => {
      test(`does what "${close.reconnect}" says`, async () => {
        const { server, connection, advance } = setup();
        await advance(A_MOMENT_MS);
        server.end(Number(code), close.reason);
        await advance(5000);
        // There is no token to be got here.
        const isBack = close.reconnect === 'jitter' || close.reconnect === 'backoff';
        expect(connection.state).toBe(isBack ? 'live' : 'closed');
        expect(hellos(server)).toBe(isBack ? 2 : 1);
        expect(connection.error?.message ?? code).toContain(code);
      });
    },
  );

  test('waits longer each time, up to a limit, and by chance', async () => {
    const dialled: number[] = [];
    const server = new TestServer();
    server.wire.isUp = false;
    const Counting = class extends server.wire.WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        dialled.push(server.clock.now());
      }
    };
    const connection = connect('ws://server/', {
      ...server.options,
      WebSocket: Counting,
      random: () => 0.999,
    });
    await server.clock.advance(200_000);
    const pauses = dialled.slice(1).map((atMs, index) => atMs - (dialled[index] ?? 0));
    for (const [index, pause] of pauses.slice(0, 8).entries()) {
      const limit = Math.min(30_000, 1000 * 2 ** index);
      expect(pause).toBeGreaterThan(limit * 0.99);
      expect(pause).toBeLessThan(limit + 100);
    }
    connection.close();
  });

  test.each([0, 0.25, 0.75])('waits any part of a pause: at %d of it', async (part) => {
    const { server, connection, advance } = setup({}, { random: () => part, backoffMs: 10_000 });
    await advance(A_MOMENT_MS);
    const changes: [string, number][] = [];
    connection.onState((state) => changes.push([state, server.clock.now()]));
    server.wire.cut(true);
    await advance(20_000);
    const [stale, back] = changes as [[string, number], [string, number]];
    expect([stale[0], back[0]]).toEqual(['stale', 'live']);
    const pauseMs = back[1] - stale[1];
    expect(pauseMs).toBeGreaterThanOrEqual(part * 10_000);
    expect(pauseMs).toBeLessThan(part * 10_000 + A_MOMENT_MS);
    connection.close();
  });

  test('waits a short pause again after a connection that held, and not after one that did not', async () => {
    const { server, connection, advance } = setup({}, { random: () => 0.999 });
    let staleAtMs = 0;
    let pauseMs = 0;
    connection.onState((state) => {
      if (state === 'stale') staleAtMs = server.clock.now();
      if (state === 'live') pauseMs = server.clock.now() - staleAtMs;
    });
    await advance(A_MOMENT_MS);
    for (let times = 0; times < 5; times++) {
      server.wire.cut(true);
      await advance(2 ** times * 1_000 + A_MOMENT_MS);
      expect(connection.state).toBe('live');
    }
    expect(pauseMs).toBeGreaterThan(15_000);
    await advance(10_000);
    server.wire.cut(true);
    await advance(1_000 + A_MOMENT_MS);
    expect(connection.state).toBe('live');
    expect(pauseMs).toBeLessThan(1_000 + A_MOMENT_MS);
    connection.close();
  });

  test('says hello with the older of two epochs, which is answered with what was lost', () => {
    const sockets: { onopen?: () => void; onmessage?: (event: object) => void; sent: string[] }[] = [];
    const Silent = class {
      sent: string[] = [];
      constructor() {
        sockets.push(this);
      }
      send(text: string): void {
        this.sent.push(text);
      }
      close(): void {}
    } as unknown as WebSocketConstructor;
    const clock = new HeapClock();
    const connection = connect('ws://server/', { WebSocket: Silent, clock });
    const hear = (frame: object) => sockets[0]?.onmessage?.({ data: JSON.stringify(frame) });
    const at = (channel: string) => ({ channel, id: '5-0', epoch: 'e1', recovered: true });
    sockets[0]?.onopen?.();
    const subscriptions = [at('user:u'), at('session:s')];
    hear({ type: 'welcome', ref: 0, socket: 's', pingInterval: 1_000, subscriptions });
    const gap = { type: 'gap', channel: 'user:u', after: '5-0', id: '0-0', epoch: 'e2', reason: 'epoch' };
    hear(gap);
    clock.increment(3_000);
    sockets[1]?.onopen?.();
    expect(JSON.parse(sockets[1]?.sent[0] ?? '')).toEqual({
      type: 'hello',
      ref: 0,
      positions: { 'user:u': '0-0', 'session:s': '5-0' },
      epoch: 'e1',
    });
    connection.close();
  });

  test('comes back after the time that reconnect gives', async () => {
    const { server, connection, advance } = setup();
    await advance(A_MOMENT_MS);
    server.send({ type: 'reconnect', after: 7000, reason: 'drain' });
    server.end(1001, 'drain');
    await advance(6900);
    expect(connection.state).toBe('stale');
    await advance(500);
    expect(connection.state).toBe('live');
  });

  test('comes back not before the last retryAfter', async () => {
    const { server, connection, advance } = setup();
    await advance(A_MOMENT_MS);
    server.send({ type: 'error', code: 'rate_limited', message: 'slower', retryAfter: 9000 });
    server.end(4429, 'rate_limited');
    await advance(8900);
    expect(hellos(server)).toBe(1);
    await advance(2000);
    expect(connection.state).toBe('live');
  });

  test('takes a line for dead on which it heard nothing for one and a half ping intervals', async () => {
    const { server, connection, advance } = setup({ pingInterval: 10_000 });
    await advance(A_MOMENT_MS);
    const changes: [string, number][] = [];
    connection.onState((state) => changes.push([state, server.clock.now() - cutAtMs]));
    const cutAtMs = server.clock.now();
    server.wire.cut(false);
    await advance(18_000);
    expect(changes.map(([state]) => state)).toEqual(['stale', 'live']);
    const [[, silentMs] = ['', 0]] = changes;
    expect(silentMs).toBeGreaterThan(15_000 - A_MOMENT_MS);
    expect(silentMs).toBeLessThanOrEqual(15_000);
    connection.close();
  });

  test('does not go on after what it cannot read', async () => {
    const { server, connection, advance } = setup();
    await advance(A_MOMENT_MS);
    for (const line of server.wire.ends) line.send('{"type":"event",');
    await advance(5000);
    expect([connection.state, hellos(server)]).toEqual(['live', 2]);
  });

  test('answers each ping', async () => {
    const { server, connection, advance } = setup({ pingInterval: 10_000 });
    await advance(61_000);
    expect(server.frames.filter(({ type }) => type === 'pong')).toHaveLength(6);
    connection.close();
  });

  test('hands out what the server tells', async () => {
    const { server, connection, advance } = setup();
    const told: unknown[] = [];
    const stop = connection.on('maintenance', (data) => told.push(data));
    await advance(A_MOMENT_MS);
    server.send({ type: 'tell', topic: 'maintenance', data: '{"at":"22:00"}' as never });
    await advance(A_MOMENT_MS);
    stop();
    server.send({ type: 'tell', topic: 'maintenance', data: '2' as never });
    await advance(A_MOMENT_MS);
    expect(told).toEqual([{ at: '22:00' }]);
  });

  test('leaves no timer behind when it is closed while subscriptions and requests wait', async () => {
    const server = new TestServer({ refuse: ({ type }) => (type === 'hello' ? undefined : 'unavailable') });
    const clock = new CountingClock(server.clock);
    const connection = connect('ws://server/', { ...server.options, clock });
    const [first] = ['a', 'b'].map((channel) => connection.subscribe(channel));
    await server.clock.advance(A_MOMENT_MS);
    server.wire.isUp = false;
    const asked = connection.ask('echo').catch(() => {});
    first?.unsubscribe();
    expect(clock.running).toBeGreaterThan(1);
    connection.close();
    expect(clock.running).toBe(0);
    await asked;
  });

  test('has no handler called after close, not even from within a handler', async () => {
    const { server, connection, advance } = setup();
    const heard: unknown[] = [];
    const subscription = connection.subscribe('a');
    subscription.on('message', (data) => {
      heard.push(data);
      if (data === 2) connection.close();
    });
    subscription.on('*', (data) => heard.push(data));
    await advance(A_MOMENT_MS);
    for (const data of [1, 2, 3]) server.append('a', data);
    await advance(60_000);
    expect(heard).toEqual([1, 1, 2]);
    expect(hellos(server)).toBe(1);
    expect(server.wire.ends).toEqual([]);
  });

  test('stays itself when a handler throws', async () => {
    const { server, connection, advance } = setup();
    const heard: unknown[] = [];
    const thrown: unknown[] = [];
    const later = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => {
      try {
        run();
      } catch (error) {
        thrown.push(error);
      }
    });
    const subscription = connection.subscribe('a');
    subscription.on('message', () => {
      throw new Error('mine');
    });
    subscription.on('message', (data) => heard.push(data));
    await advance(A_MOMENT_MS);
    server.append('a', 1);
    server.append('a', 2);
    await advance(A_MOMENT_MS);
    later.mockRestore();
    expect(heard).toEqual([1, 2]);
    expect(thrown).toEqual([new Error('mine'), new Error('mine')]);
  });

  describe('with a token', () => {
    const fetched: string[] = [];
    const fetch = async (url: string, { headers }: { headers: Record<string, string> }) => {
      fetched.push(`${url} ${headers['authorization']}`);
      return { ok: true, status: 201, json: async () => ({ ticket: `ticket${fetched.length}` }) };
    };

    test('exchanges it for a ticket before each connection', async () => {
      let count = 0;
      const { server, connection, advance } = setup({}, { token: async () => `token${++count}`, fetch });
      await advance(A_MOMENT_MS);
      expect(server.wire.ends[0]?.protocols).toEqual(['signalbox.v1', 'signalbox.ticket.ticket1']);
      server.end(4401, 'unauthorized');
      await advance(3000);
      expect(connection.state).toBe('live');
      expect(fetched).toEqual([
        'https://server/path/ticket Bearer token1',
        'https://server/path/ticket Bearer token2',
      ]);
    });

    test('goes on with a new one before it expires', async () => {
      const { server, connection, advance } = setup(
        { expiresInMs: 100_000 },
        { token: () => 'new', ticket: () => 'ticket' },
      );
      await advance(79_000);
      expect(server.tokens).toEqual([]);
      await advance(2000);
      expect(server.tokens).toEqual(['new']);
      await advance(81_000);
      expect(server.tokens).toEqual(['new', 'new']);
      expect(hellos(server)).toBe(1);
      connection.close();
    });

    test('sends none that was asked for an earlier connection', async () => {
      const { server, advance, connection } = setup(
        { expiresInMs: 20_000 },
        {
          token: () => new Promise((resolve) => void server.clock.setTimeout(() => resolve('late'), 5_000)),
          ticket: () => 'ticket',
        },
      );
      await advance(17_000);
      server.wire.cut(true);
      await advance(6_000);
      expect([server.tokens, hellos(server), connection.state]).toEqual([[], 2, 'live']);
      connection.close();
    });

    test('says so when the server does not take it, and tries again', async () => {
      let isTaken = false;
      const { server, connection, advance } = setup(
        {
          expiresInMs: 100_000,
          refuse: ({ type }) => (type === 'refresh' && !isTaken ? 'unauthorized' : undefined),
        },
        { token: () => 'new', ticket: () => 'ticket' },
      );
      const codes: unknown[] = [];
      connection.on('error', (error) => codes.push((error as SignalboxError).code));
      await advance(81_000);
      expect(codes).toEqual(['unauthorized']);
      isTaken = true;
      await advance(20_000);
      expect(codes).toEqual(['unauthorized']);
      expect([server.tokens, hellos(server)]).toEqual([['new'], 1]);
      connection.close();
    });

    test('tries again when it cannot be had, and says so', async () => {
      const tokens = ['', 'good'];
      const errors: unknown[] = [];
      const ticket = async () => tokens.shift() || Promise.reject(new Error('offline'));
      const { connection, advance } = setup({}, { ticket });
      connection.on('error', (error) => errors.push(error));
      await advance(3000);
      expect(connection.state).toBe('live');
      expect(errors).toEqual([new Error('offline')]);
    });

    test('closed while a ticket is being fetched, opens nothing', async () => {
      const { server, connection, advance } = setup({}, { ticket: async () => 'ticket' });
      connection.close();
      await advance(60_000);
      expect(server.wire.ends).toEqual([]);
      expect(hellos(server)).toBe(0);
    });
  });
});

describe('a request', () => {
  test('is answered', async () => {
    const { connection, advance } = setup();
    const answers = [
      connection.ask('echo', { of: 'tea' }),
      connection.ask('echo'),
      connection.tell('liked', 1),
    ];
    await advance(A_MOMENT_MS);
    expect(await Promise.all(answers)).toEqual([{ of: 'tea' }, null, undefined]);
  });

  test('is refused with the code of the server', async () => {
    const { connection, advance } = setup({
      refuse: (frame) => (frame.type === 'ask' ? 'no_handler' : undefined),
    });
    const refused = connection.ask('nothing').catch((error: unknown) => error);
    await advance(A_MOMENT_MS);
    expect(await refused).toBeInstanceOf(SignalboxError);
    expect(await refused).toMatchObject({ code: 'no_handler', retry: 'never' });
  });

  test('gives up after its time, and when it is aborted', async () => {
    const { server, connection, advance } = setup();
    server.wire.isUp = false;
    const abort = new AbortController();
    const late = connection.ask('echo', 1, { timeoutMs: 3000 }).catch((error: unknown) => error);
    const aborted = connection
      .publish('a', 'b', 1, { signal: abort.signal })
      .catch((error: unknown) => error);
    const never = connection
      .tell('x', 1, { signal: AbortSignal.abort('before') })
      .catch((error: unknown) => error);
    abort.abort('enough');
    await advance(3000);
    server.wire.isUp = true;
    await advance(30_000);
    expect(await late).toMatchObject({ code: 'timeout' });
    expect([await aborted, await never]).toEqual(['enough', 'before']);
    expect(server.frames.filter(({ type }) => type !== 'hello' && type !== 'pong')).toEqual([]);
  });

  test('that may take for ever does, where timers of more than 25 days are over at once', async () => {
    const server = new TestServer();
    const { clock } = server.options;
    const setTimeout = (run: () => void, delayMs: number) =>
      clock.setTimeout(run, delayMs < 2 ** 31 ? delayMs : 1);
    server.wire.isUp = false;
    const connection = connect('ws://server/', {
      ...server.options,
      clock: { now: clock.now, clearTimeout: clock.clearTimeout, setTimeout },
    });
    const asked = connection.ask('echo', 1, { timeoutMs: Number.POSITIVE_INFINITY });
    await clock.advance(60_000);
    server.wire.isUp = true;
    await clock.advance(60_000);
    expect(await asked).toBe(1);
    connection.close();
  });

  test('leaves nothing at its signal, however it ended', async () => {
    const { server, connection, advance } = setup();
    const runs = new Set<unknown>();
    const signal: AbortSignalLike = {
      aborted: false,
      reason: undefined,
      addEventListener: (_, run) => runs.add(run),
      removeEventListener: (_, run) => runs.delete(run),
    };
    const { random } = server;
    const said: Promise<unknown>[] = [100, 0, 0].map((timeoutMs) =>
      connection.ask('echo', random.next(), { timeoutMs, signal }).catch(() => {}),
    );
    expect(runs.size).toBe(said.length);
    await advance(A_MOMENT_MS);
    server.wire.isUp = false;
    server.wire.cut(true);
    said.push(connection.publish('a', 'b', 1, { signal }).catch(() => {}));
    await advance(A_MOMENT_MS);
    connection.close();
    await Promise.all(said);
    expect(runs.size).toBe(0);
  });

  test('waits for a connection, up to a bound', async () => {
    const { server, connection, advance } = setup({}, { maxQueued: 2 });
    server.wire.isUp = false;
    const asked = [1, 2, 3].map((data) =>
      connection.ask('echo', data, { timeoutMs: 0 }).catch((error: unknown) => error),
    );
    await advance(20_000);
    server.wire.isUp = true;
    await advance(40_000);
    expect(await Promise.all(asked)).toEqual([1, 2, expect.objectContaining({ code: 'queue_full' })]);
  });

  test('that was under way when the connection was lost says that nobody knows', async () => {
    const { server, connection, advance } = setup();
    await advance(A_MOMENT_MS);
    const asked = connection.ask('echo', 1).catch((error: unknown) => error);
    server.wire.cut(true);
    await advance(A_MOMENT_MS);
    expect(await asked).toMatchObject({ code: 'lost' });
  });

  test('is rejected by close, and after it', async () => {
    const { connection } = setup();
    const before = connection.publish('a', 'b', 1).catch((error: unknown) => error);
    connection.close();
    expect(await before).toMatchObject({ code: 'closed' });
    await expect(connection.ask('echo')).rejects.toMatchObject({ code: 'closed' });
    expect(() => connection.subscribe('a')).toThrow('closed');
  });

  test('is not sent when it would end the connection by its size', async () => {
    const { server, connection, advance } = setup();
    await advance(A_MOMENT_MS);
    const fits = '€'.repeat(21_000);
    const sent = connection.ask('echo', fits);
    await expect(connection.ask('echo', '€'.repeat(22_000))).rejects.toMatchObject({ code: 'too_large' });
    await advance(A_MOMENT_MS);
    expect(await sent).toBe(fits);
    expect(server.faults).toEqual([]);
  });

  test('asks no more at once than the server allows', async () => {
    const { server, connection, advance } = setup({}, { maxAsksInFlight: 2 });
    await advance(A_MOMENT_MS);
    const asked = [1, 2, 3, 4, 5].map((data) => connection.ask('echo', data));
    expect(server.frames.filter(({ type }) => type === 'ask').length).toBeLessThan(3);
    await advance(1000);
    expect(await Promise.all(asked)).toEqual([1, 2, 3, 4, 5]);
  });

  test('goes no faster than the server allows', async () => {
    const { server, connection, advance } = setup({}, { framesPerSecond: 10 });
    for (let at = 0; at < 60; at++) connection.subscribe(`c${at}`);
    await advance(A_MOMENT_MS);
    const first = server.frames.length;
    await advance(2000);
    expect(first).toBeLessThan(27);
    expect(server.frames.length - first).toBeLessThan(22);
    await advance(3000);
    expect(server.frames.filter(({ type }) => type === 'subscribe')).toHaveLength(60);
  });
});
