import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { Connection, Subscription, WebSocketConstructor } from '../../client/src/index.ts';
import { connect, type FallbackOptions } from '../../client/src/sse.ts';
import { startUpgradeWall, type UpgradeWall } from '../support/upgrade-wall.ts';
import type { Contract, SignalboxOptions } from '../../src/index.ts';
import { live, type Started, startProgram } from './program.ts';

let started: Started<Contract>;
let wall: UpgradeWall;
let clients: Connection[] = [];

async function start(options: SignalboxOptions<Contract> = {}): Promise<Started<Contract>> {
  started = await startProgram(options);
  wall = await startUpgradeWall(Number(new URL(started.url).port));
  return started;
}

afterEach(async () => {
  for (const connection of clients) connection.close();
  clients = [];
  await wall.stop();
  await started.stop();
});

function client(name = 'ann', options: FallbackOptions = {}): Connection {
  const connection = connect(`ws://127.0.0.1:${wall.port}`, {
    token: () => name,
    WebSocket: WebSocket as unknown as WebSocketConstructor,
    backoffMs: 10,
    ...options,
  });
  clients.push(connection);
  return connection;
}

/** What a subscription hears, and a promise for so much of it. */
function listen(subscription: Subscription) {
  const heard: unknown[] = [];
  let told = (): void => {};
  for (const topic of ['*', 'gap', 'snapshot'] as const)
    subscription.on(topic, (one: unknown) => {
      heard.push(topic === '*' ? one : { [topic]: (one as { data?: unknown }).data ?? true });
      told();
    });
  const until = async (count: number): Promise<unknown[]> => {
    while (heard.length < count)
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    return heard;
  };
  return { heard, until };
}

describe('a client that may open no WebSocket', () => {
  test.each(['refuses', 'cuts'] as const)('goes on over HTTP where something %s them', async (manner) => {
    const { signalbox } = await start({
      onAsk: { price: (data) => ({ of: data, is: 5 }) },
      onTell: { liked: () => {} },
    });
    wall.manner = manner;
    const connection = client('ann/s1');
    const subscription = connection.subscribe('sport');
    const sport = listen(subscription);
    const own = listen(connection.user);
    await live(connection);
    expect([wall.webSockets, wall.upgrades]).toEqual([0, 2]);
    expect(await connection.ask('price', { big: 1 })).toEqual({ of: { big: 1 }, is: 5 });
    await connection.tell('liked', 7);
    const id = await connection.publish('sport', 'goal', { n: 1 });
    expect(await sport.until(1)).toEqual([{ n: 1 }]);
    expect(id).toMatch(/^\d+-\d+$/);
    await signalbox.publish('user:ann', 'message', 'hello');
    expect(await own.until(1)).toEqual(['hello']);
    await expect(connection.ask('weather')).rejects.toMatchObject({ code: 'no_handler' });
    await expect(connection.publish('_own', 't', 1)).rejects.toMatchObject({ code: 'bad_request' });
  });

  test('has the snapshot of each channel, which is not had again, and then its events', async () => {
    const { signalbox } = await start();
    for (const channel of ['a', 'b', 'c'])
      await signalbox.publish(channel, 'set', channel, { snapshot: true });
    const connection = client();
    const subscriptions = ['a', 'b', 'c', 'none'].map((channel) => connection.subscribe(channel));
    const all = subscriptions.map(listen);
    for (const [at, channel] of ['a', 'b', 'c'].entries())
      expect(await all[at]?.until(1)).toEqual([{ snapshot: channel }]);
    await Promise.all(subscriptions.map(live));
    for (const channel of ['a', 'b', 'c', 'none']) await signalbox.publish(channel, 'n', 1);
    for (const one of all.slice(0, 3)) expect((await one.until(2)).slice(1)).toEqual([1]);
    expect(await all[3]?.until(1)).toEqual([1]);
  });

  test('says what is asked of each channel, with every stream that has it', async () => {
    const asked: unknown[] = [];
    const { signalbox } = await start({
      authorize(_, channel, query) {
        asked.push([channel, query]);
        return channel !== 'room:1' || (query as { by: string } | undefined)?.by === 'bob';
      },
      snapshot: (_, channel, query) => [channel, query],
    });
    const connection = client();
    const room = connection.subscribe('room:1', { query: { by: 'bob' } });
    const sport = connection.subscribe('sport', { query: 'ä & b' });
    const plain = connection.subscribe('plain');
    const all = [room, sport, plain].map(listen);
    const wishes = [
      ['room:1', { by: 'bob' }],
      ['sport', 'ä & b'],
      ['plain', undefined],
    ];
    for (const [at, [channel, query]] of wishes.entries())
      expect(await all[at]?.until(1)).toEqual([
        { snapshot: query === undefined ? [channel, null] : [channel, query] },
      ]);
    await Promise.all([room, sport, plain].map(live));
    for (const [channel] of wishes) await signalbox.publish(channel as string, 'n', 1);
    for (const one of all) expect((await one.until(2)).slice(1)).toEqual([1]);
    for (const wish of wishes) expect(asked).toContainEqual(wish);
    expect(
      asked.filter((one) => !wishes.some((wish) => JSON.stringify(wish) === JSON.stringify(one))),
    ).toEqual([]);
    const large = connection.subscribe('large', { query: 'x'.repeat(20_000) });
    await new Promise<void>((resolve) => large.onState((state) => state === 'closed' && resolve()));
    expect(large.error?.code).toBe('too_large');
  });

  test('is told of a channel that it may not have, and keeps the others', async () => {
    const { signalbox } = await start({ authorize: (_, channel) => channel !== 'secret' });
    const connection = client();
    const secret = connection.subscribe('secret');
    const subscription = connection.subscribe('sport');
    const sport = listen(subscription);
    await live(subscription);
    await new Promise<void>((resolve) => {
      if (secret.state === 'closed') resolve();
      else secret.onState((state) => state === 'closed' && resolve());
    });
    expect(secret.error?.code).toBe('forbidden');
    await signalbox.publish('sport', 'n', 1);
    expect(await sport.until(1)).toEqual([1]);
  });

  test('is told of what is lost, and filled by the snapshot after it', async () => {
    const { signalbox } = await start({ config: { window: { maxEvents: 1 }, history: { maxLength: 2 } } });
    const connection = client();
    const subscriptions = ['a', 'b'].map((channel) => connection.subscribe(channel));
    const [a, b] = subscriptions.map(listen);
    await Promise.all(subscriptions.map(live));
    await signalbox.publish('a', 'n', 0);
    await a?.until(1);
    // While it is away.
    wall.cut();
    for (const n of [1, 2, 3, 4]) await signalbox.publish('a', 'n', n, { snapshot: n === 3 });
    await signalbox.publish('b', 'n', 5);
    await b?.until(1);
    const heard = (await a?.until(4)) ?? [];
    expect(heard[1]).toEqual({ gap: true });
    expect(heard.slice(-2)).toEqual([{ snapshot: 3 }, 4]);
  });

  test('does not hear what it published without an echo, and hears what others say meanwhile', async () => {
    const { signalbox } = await start();
    const connection = client();
    const subscription = connection.subscribe('sport');
    const sport = listen(subscription);
    await live(subscription);
    for (let n = 0; n < 10; n += 1) {
      await Promise.all([
        connection.publish('sport', 't', `own ${n}`, { echo: false }),
        signalbox.publish('sport', 't', n),
      ]);
    }
    expect(await sport.until(10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('goes back when a WebSocket can be opened again', async () => {
    const { signalbox } = await start({ onAsk: { echo: (data) => data } });
    const connection = client('ann', { webSocketRetryMs: 300 });
    const subscription = connection.subscribe('sport');
    const sport = listen(subscription);
    await live(subscription);
    wall.manner = 'open';
    for (let n = 0; wall.webSockets === 0 || n < 50; n += 1) {
      const [answer] = await Promise.all([connection.ask('echo', n), signalbox.publish('sport', 'n', n)]);
      expect(answer).toBe(n);
      await sport.until(n + 1);
    }
    expect(sport.heard).toEqual(sport.heard.map((_, at) => at));
    expect(connection.state).not.toBe('closed');
  });
});
