import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import type { Decider, Peer } from '../../src/decider/decider.ts';
import { createHooks } from '../../src/decider/hooks.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';
import { createLogLimit } from '../../src/telemetry/log-limit.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';
import { answering, HookServer } from '../support/hook-server.ts';
import { principal } from '../support/native-auth.ts';

/** With every hook set. */
type All = { readonly [Name in keyof Decider]-?: NonNullable<Decider[Name]> };

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const TIMEOUT_MS = 2_000;
const never = new AbortController().signal;
setMaxListeners(0, never);
const raw = (value: unknown): RawJson => JSON.stringify(value) as RawJson;
const peer = (user = '5'): Peer => ({ socket: `socket of ${user}`, principal: { ...principal, user } });
const allowed = undefined;
const unavailable = { code: 'unavailable' };

describe('hooks', () => {
  let server: HookServer;
  let clock: HeapClock;
  let metrics: CountingMetrics;
  let log: Readonly<Record<string, unknown>>[];
  let hooks: All;

  const make = (config: object = {}, random = 0.5): All => {
    const url = (name: string): string => server.url(`/${name}`);
    const output = { write: (line: string) => void log.push(JSON.parse(line)) };
    let ids = 0;
    return createHooks({
      config: {
        connect: url('connect'),
        disconnect: url('disconnect'),
        subscribe: url('subscribe'),
        unsubscribe: url('unsubscribe'),
        ask: url('ask?v=1'),
        tell: url('tell'),
        snapshot: url('snapshot'),
        secret,
        previousSecret: '',
        timeoutMs: TIMEOUT_MS,
        ...config,
      },
      clock,
      metrics,
      logger: createLogger({ level: 'debug', toFile: false, filename: '', output }),
      limit: createLogLimit({ now: clock.now }),
      newId: () => String(ids++),
      random: () => random,
    }) as All;
  };
  const count = (hook: string, outcome: string): number =>
    metrics.of(`signalbox.hook_requests ${hook} ${outcome}`);
  const lines = (message: string) => log.filter((line) => line.message === message);
  /** Lets real time pass until something is so; everything else here happens in simulated time. */
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await settled();
  };
  const subscribe = (user?: string, signal = never) =>
    hooks.subscribe(peer(user), { channel: 'sport' }, signal);
  const ask = (user?: string, signal = never) =>
    hooks.ask(peer(user), { topic: 'time', data: raw(1) }, signal);

  beforeEach(async () => {
    server = await HookServer.start();
    clock = new HeapClock(Date.now());
    metrics = new CountingMetrics();
    log = [];
    hooks = make();
  });
  afterEach(async () => {
    const closed = hooks.close();
    clock.increment(10_000);
    await closed;
    await server.stop();
  });

  describe('what is asked', () => {
    test('is a POST that the library of Standard Webhooks accepts', async () => {
      server.answer = answering(200, { data: { now: 3 } });
      expect(await ask()).toEqual({ data: '{"now":3}' });
      const [request] = await server.receives(1);
      expect(request).toMatchObject({ method: 'POST', path: '/ask?v=1' });
      expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'msg_0' });
      expect(new Webhook(secret).verify(request?.text ?? '', request?.headers ?? {})).toMatchObject({
        hook: 'ask',
        socket: 'socket of 5',
        principal: { user: '5', session: 's-1' },
        topic: 'time',
        data: 1,
      });
    });

    test('says what each hook is about', async () => {
      const wish = { channel: 'sport', query: raw({ since: 1 }) };
      const request = { target: '/x', headers: { origin: 'https://a.example' }, address: '10.0.0.1' };
      server.answer = answering(204);
      expect(await hooks.connect(peer(), request, never)).toBe(allowed);
      expect(await hooks.subscribe(peer(), wish, never)).toBe(allowed);
      expect(await hooks.tell(peer(), { topic: 'liked' }, never)).toBe(allowed);
      expect(await hooks.snapshot(peer(), wish, never)).toBeUndefined();
      hooks.unsubscribed(peer(), 'sport');
      await server.receives(5);
      hooks.disconnected(peer(), 'drain');
      await server.receives(6);
      const bodies = server.requests.map(({ json: { socket: _s, principal: _p, ...rest } }) => rest);
      expect(bodies).toEqual([
        { hook: 'connect', request },
        { hook: 'subscribe', channel: 'sport', query: { since: 1 } },
        { hook: 'tell', topic: 'liked' },
        { hook: 'snapshot', channel: 'sport', query: { since: 1 } },
        { hook: 'unsubscribe', channel: 'sport' },
        { hook: 'disconnect', reason: 'drain' },
      ]);
      expect(server.requests.map(({ path }) => path)).toEqual([
        '/connect',
        '/subscribe',
        '/tell',
        '/snapshot',
        '/unsubscribe',
        '/disconnect',
      ]);
    });

    test('is signed with both secrets while one is replaced', async () => {
      const previousSecret = 'the secret that was used before';
      hooks = make({ previousSecret });
      await subscribe();
      const [{ text, headers } = { text: '', headers: {} }] = server.requests;
      expect(new Webhook(secret).verify(text, headers)).toMatchObject({ hook: 'subscribe' });
      const old = new Webhook(previousSecret, { format: 'raw' });
      expect(old.verify(text, headers)).toMatchObject({ hook: 'subscribe' });
    });

    test('goes over connections that are kept', async () => {
      for (let n = 0; n < 20; n++) expect(await subscribe()).toBe(allowed);
      const connections = new Set(server.requests.map(({ connection }) => connection));
      // The one that an answer came by is free again a moment after its end.
      expect(connections.size).toBeLessThanOrEqual(2);
    });
  });

  test('a hook without a URL decides nothing', () => {
    const none = make({ connect: '', subscribe: '', ask: '', tell: '', snapshot: '' });
    const { connect, subscribe: subscribed, ask: asked, tell, snapshot } = none;
    expect([connect, subscribed, asked, tell, snapshot]).toEqual(Array.from({ length: 5 }, () => undefined));
  });

  describe('what is answered', () => {
    test('counts by hook and outcome, with the time it took', async () => {
      server.answer = (response, request) => {
        clock.increment(70);
        answering(403, { code: 'too_many', message: 'Enough.' })(response, request);
      };
      expect(await subscribe()).toEqual({ code: 'too_many', message: 'Enough.' });
      expect(count('subscribe', 'refused')).toBe(1);
      expect(metrics.of('signalbox.hook_request_ms subscribe')).toBe(70);
      expect(log).toEqual([]);
    });

    test('as a redirect is unavailable, and nobody follows it', async () => {
      server.answer = (response) => response.writeHead(307, { location: server.url('/other') }).end();
      expect(await subscribe()).toEqual(unavailable);
      expect(server.requests).toHaveLength(1);
      expect(count('subscribe', 'failed')).toBe(1);
    });

    test('with 64 KiB is read, with a byte more it is unavailable', async () => {
      const text = (bytes: number): string => `{"data":"${'x'.repeat(bytes - 11)}"}`;
      server.answer = answering(200, text(65_536));
      expect(await ask()).toEqual({ data: `"${'x'.repeat(65_536 - 11)}"` });
      server.answer = answering(200, text(65_537));
      expect(await ask()).toEqual(unavailable);
      expect(count('ask', 'malformed')).toBe(1);
      server.answer = answering(403, text(65_537));
      expect(await subscribe()).toEqual(unavailable);
    });

    test('without an end is cut off at 64 KiB', async () => {
      let written = 0;
      server.answer = (response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384, 0x20))) written += 16_384;
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      };
      expect(await ask()).toEqual(unavailable);
      expect(written).toBeLessThan(16 * 1024 * 1024);
    });

    test('that is no JSON is unavailable, logged once a minute, without a word of it', async () => {
      server.answer = answering(200, 'the payload');
      expect(await ask()).toEqual(unavailable);
      expect(await ask()).toEqual(unavailable);
      clock.increment(60_000);
      expect(await ask()).toEqual(unavailable);
      expect(lines('A hook gave no answer')).toMatchObject([
        { level: 'warn', hook: 'ask', outcome: 'malformed', status: 200, suppressed: 0 },
        { suppressed: 1 },
      ]);
      expect(JSON.stringify(log)).not.toContain('the payload');
    });

    test('by a connection that breaks, before the answer or within it, is unavailable', async () => {
      server.answer = (response) => response.socket?.resetAndDestroy();
      expect(await ask()).toEqual(unavailable);
      server.answer = (response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{"data":');
        setImmediate(() => response.destroy());
      };
      expect(await ask()).toEqual(unavailable);
      expect(count('ask', 'unreachable')).toBe(2);
    });

    test('by nobody is unavailable, and again available when somebody is there', async () => {
      await server.stop();
      expect(await subscribe()).toEqual(unavailable);
      expect(lines('A hook gave no answer')).toMatchObject([
        { hook: 'subscribe', outcome: 'unreachable', err: { code: 'ECONNREFUSED' } },
      ]);
      await server.start();
      expect(await subscribe()).toBe(allowed);
    });
  });

  describe('who waits', () => {
    const silent: ServerResponse[] = [];
    const keepSilent = (): void => {
      server.answer = (response) => void silent.push(response);
    };
    afterEach(() => void silent.splice(0));

    test('is told after the time is over; what may have been done is a timeout', async () => {
      keepSilent();
      const asked = [subscribe(), ask(), hooks.tell(peer(), { topic: 't' }, never)];
      const snapshot = hooks.snapshot(peer(), { channel: 'sport' }, never);
      await server.receives(4);
      clock.increment(TIMEOUT_MS - 1);
      await settled();
      expect(count('ask', 'timeout')).toBe(0);
      clock.increment(1);
      expect(await Promise.all(asked)).toEqual([unavailable, { code: 'timeout' }, { code: 'timeout' }]);
      expect(await snapshot).toEqual(unavailable);
      expect(count('subscribe', 'timeout')).toBe(1);
    });

    test('also within an answer that does not end', async () => {
      server.answer = (response) => void response.writeHead(200).write('{');
      const asked = ask();
      await server.receives(1);
      clock.increment(TIMEOUT_MS);
      expect(await asked).toEqual({ code: 'timeout' });
    });

    test('may give up: the request is cut, and counts for nothing else', async () => {
      keepSilent();
      const controller = new AbortController();
      const { signal } = controller;
      const asked = subscribe('5', signal);
      await server.receives(1);
      controller.abort();
      expect(await asked).toEqual(unavailable);
      await until(() => silent[0]?.destroyed === true);
      expect(count('subscribe', 'given_up')).toBe(1);
      expect(log).toEqual([]);
      expect(await subscribe('5', signal)).toEqual(unavailable);
      expect(server.requests).toHaveLength(1);
    });

    test('is asked about 32 at once, the others in order, and more than 512 of them not at all', async () => {
      keepSilent();
      const asked = Array.from({ length: 32 + 512 }, (_, n) => ask(String(n)));
      expect(await ask('one too many')).toEqual(unavailable);
      expect(count('ask', 'full')).toBe(1);
      await server.receives(32);
      await subscribeElsewhere();
      expect(silent).toHaveLength(32);
      silent[7]?.writeHead(200).end('{"data":7}');
      expect(await asked[7]).toEqual({ data: '7' });
      await until(() => silent.length === 33);
      expect(server.requests.at(-1)?.json).toMatchObject({ principal: { user: '32' } });
      server.answer = answering(204);
      for (const response of silent) response.end();
      await until(() => count('ask', 'allowed') + count('ask', 'malformed') === 32 + 512);
      const users = server.requests
        .filter(({ json }) => json.hook === 'ask')
        .map(({ json }) => Number((json.principal as { user: string }).user));
      expect(users.slice(0, 32).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, n) => n));
      expect(users).toHaveLength(32 + 512);
      expect(new Set(server.requests.map(({ connection }) => connection)).size).toBeLessThanOrEqual(33);
    });

    /** Another hook has turns of its own. */
    const subscribeElsewhere = async (): Promise<void> => {
      const { answer } = server;
      server.answer = answering(204);
      expect(await subscribe()).toBe(allowed);
      server.answer = answer;
    };

    test('for a turn waits within the same time', async () => {
      keepSilent();
      const first = Array.from({ length: 32 }, () => ask());
      await server.receives(32);
      clock.increment(TIMEOUT_MS / 2);
      const late = ask();
      clock.increment(TIMEOUT_MS / 2);
      await Promise.all(first);
      await server.receives(33);
      clock.increment(TIMEOUT_MS / 2);
      expect(await late).toEqual({ code: 'timeout' });
      expect(server.requests).toHaveLength(33);
    });
  });

  describe('a hook that is not there', () => {
    const breaker = (state: string): number =>
      metrics.of(`signalbox.hook_breaker_changes subscribe ${state}`);

    test('is left alone once several principals have found it so, and is tried again', async () => {
      await server.stop();
      for (let n = 0; n < 20; n++) expect(await subscribe('one client')).toEqual(unavailable);
      expect([breaker('open'), count('subscribe', 'unreachable')]).toEqual([0, 20]);
      await subscribe('a second');
      await subscribe('a third');
      expect(breaker('open')).toBe(1);
      expect(await subscribe('a fourth')).toEqual(unavailable);
      expect([count('subscribe', 'open'), count('subscribe', 'unreachable')]).toEqual([1, 22]);
      clock.increment(5_000);
      expect(await subscribe()).toEqual(unavailable);
      expect([breaker('halfOpen'), breaker('open'), count('subscribe', 'unreachable')]).toEqual([1, 2, 23]);
      await server.start();
      clock.increment(5_000);
      expect(await subscribe('a fourth')).toBe(allowed);
      expect(breaker('closed')).toBe(1);
      expect(await subscribe()).toBe(allowed);
      expect(log.filter(({ hook, state }) => hook === 'subscribe' && state !== undefined)).toMatchObject([
        { level: 'warn', state: 'open', message: 'A hook is not there: it is left alone for a while' },
        { level: 'info', state: 'halfOpen', message: 'A hook is tried again' },
        { level: 'warn', state: 'open' },
        { level: 'info', state: 'halfOpen' },
        { level: 'info', state: 'closed', message: 'A hook is there again' },
      ]);
      expect(await ask()).toEqual({ data: 'null' });
    });

    test('is so for whoever waits for a turn as well, when it does not answer in time', async () => {
      server.answer = () => {};
      const first = Array.from({ length: 32 }, (_, n) => subscribe(String(n)));
      await server.receives(32);
      clock.increment(TIMEOUT_MS / 2);
      const late = Array.from({ length: 100 }, (_, n) => subscribe(String(n)));
      clock.increment(TIMEOUT_MS / 2);
      await Promise.all([...first, ...late]);
      expect([count('subscribe', 'timeout'), breaker('open')]).toEqual([32, 1]);
      expect(count('subscribe', 'open')).toBe(100);
      expect(server.requests).toHaveLength(32);
    });

    test('is not one that answers with errors, or nonsense', async () => {
      server.answer = answering(503);
      for (let n = 0; n < 20; n++) expect(await subscribe(String(n))).toEqual(unavailable);
      expect([breaker('open'), count('subscribe', 'failed')]).toEqual([0, 20]);
    });
  });

  describe('what is only told', () => {
    test('is told again with the same id, later each time, until it is heard', async () => {
      server.answer = answering(503);
      hooks.disconnected(peer(), 'gone');
      await server.receives(1);
      await until(() => count('disconnect', 'failed') === 1);
      await settled();
      clock.increment(499);
      await settled();
      expect(server.requests).toHaveLength(1);
      clock.increment(1);
      await server.receives(2);
      server.answer = answering(204);
      await until(() => count('disconnect', 'failed') === 2);
      await settled();
      clock.increment(1_000);
      const requests = await server.receives(3);
      await until(() => count('disconnect', 'allowed') === 1);
      expect(new Set(requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['msg_0']));
      const [first, , third] = requests.map(({ headers }) => Number(headers['webhook-timestamp']));
      expect((third as number) - (first as number)).toBeGreaterThanOrEqual(1);
      for (const { text, headers } of requests) {
        expect(new Webhook(secret).verify(text, headers)).toMatchObject({ reason: 'gone' });
      }
      clock.increment(300_000);
      await settled();
      expect(server.requests).toHaveLength(3);
    });

    test('and refused is not told again', async () => {
      server.answer = answering(404);
      hooks.unsubscribed(peer(), 'sport');
      await until(() => count('unsubscribe', 'refused') === 1);
      await settled();
      clock.increment(300_000);
      await settled();
      expect(server.requests).toHaveLength(1);
      expect(metrics.of('signalbox.hook_notices_dropped unsubscribe')).toBe(0);
    });

    test('is dropped after five minutes, and counted', async () => {
      server.answer = answering(500);
      hooks.disconnected(peer(), 'gone');
      const dropped = (): number => metrics.of('signalbox.hook_notices_dropped disconnect');
      for (let told = 1; dropped() === 0; told++) {
        await until(() => count('disconnect', 'failed') === told);
        await settled();
        clock.increment(30_000);
      }
      expect(count('disconnect', 'failed')).toBeGreaterThan(5);
      expect(lines('A hook was not told what it should have been')).toMatchObject([{ hook: 'disconnect' }]);
    });

    test('is bounded: what is too much is dropped and counted, and logged once', async () => {
      server.answer = () => {};
      for (let n = 0; n < 10_003; n++) hooks.disconnected(peer(String(n)), 'gone');
      expect(metrics.of('signalbox.hook_notices_dropped disconnect')).toBe(3);
      expect(lines('A hook was not told what it should have been')).toHaveLength(1);
      await server.receives(32);
      expect(server.requests).toHaveLength(32);
    });

    test('has a moment at the end, without a pause before it is told again', async () => {
      server.answer = answering(503);
      hooks.disconnected(peer(), 'gone');
      await until(() => count('disconnect', 'failed') === 1);
      await settled();
      server.answer = answering(204);
      hooks.disconnected(peer(), 'drain');
      await hooks.close();
      expect(count('disconnect', 'allowed')).toBe(2);
    });

    test('and not more than a moment', async () => {
      server.answer = () => {};
      hooks.disconnected(peer(), 'gone');
      await server.receives(1);
      const closed = hooks.close();
      clock.increment(2_000);
      await closed;
      hooks.disconnected(peer(), 'gone');
      expect(metrics.of('signalbox.hook_notices_dropped disconnect')).toBe(2);
      expect(server.requests).toHaveLength(1);
    });
  });
});
