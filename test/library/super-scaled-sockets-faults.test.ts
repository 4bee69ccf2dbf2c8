import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { WebSocketConstructor } from '../../client/src/index.ts';
import { type Contract, createPublisher, type SignalboxOptions } from '../../src/index.ts';
import { heard, live, type Started, startProgram } from './program.ts';
import { RawClient } from './raw-client.ts';

let started: Started<Contract>;

async function start(options: SignalboxOptions<Contract> = {}): Promise<Started<Contract>> {
  started = await startProgram(options);
  return started;
}

afterEach(async () => {
  await started?.stop();
});

const events = ({ frames }: RawClient): unknown[] =>
  frames.filter(({ type }) => type === 'event').map(({ data }) => data);

/** A client's WebSocket, and the line of the one that is open now cut by `cut`. */
function cuttable(): { readonly WebSocket: WebSocketConstructor; cut(): void } {
  const opened: WebSocket[] = [];
  class Cuttable extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      opened.push(this);
    }
  }
  return { WebSocket: Cuttable, cut: () => opened.at(-1)?.terminate() };
}

describe('faults of super-scaled-sockets', () => {
  test('F3.1 broadcast throws: here it reaches everybody', async () => {
    const { signalbox, url } = await start();
    const clients = await Promise.all(['ann', 'bob'].map((name) => RawClient.open(url, name)));
    await signalbox.broadcast('notice', 'hello');
    for (const client of clients) {
      expect(await client.heard(({ type }) => type === 'tell')).toMatchObject({ data: 'hello' });
    }
  });

  test.each(['{', '', '[', 'null', '{"type":"__proto__"}'])(
    'F3.2 a client that sends bad JSON ends the server: here %j is answered, and others are served',
    async (text) => {
      const { url, signalbox } = await start();
      const [mallory, ann] = [await RawClient.open(url, 'mallory'), await RawClient.open(url, 'ann')];
      mallory.send(text);
      const heardOf = await Promise.race([
        mallory.heard(({ type }) => type === 'error'),
        mallory.whenClosed(),
      ]);
      expect(['bad_request', 'unknown_type', 4400]).toContain(heardOf.code);
      expect(await ann.ask({ type: 'subscribe', ref: 1, channel: 'sport' })).toMatchObject({
        type: 'subscribed',
      });
      expect(signalbox.isReady()).toBe(true);
    },
  );

  test('F3.3 a stranger closes the channel of its only subscriber: here he has nothing to leave', async () => {
    const { url, signalbox } = await start();
    const [ann, stranger] = [await RawClient.open(url, 'ann'), await RawClient.open(url, 'stranger')];
    await ann.ask({ type: 'subscribe', ref: 1, channel: 'sport' });
    const answer = await stranger.ask({ type: 'unsubscribe', ref: 1, channel: 'sport' });
    expect(answer).toMatchObject({ type: 'error', code: 'not_subscribed' });
    await signalbox.publish('sport', 'article', 'still');
    expect(await ann.heard(({ type }) => type === 'event')).toMatchObject({ data: 'still' });
  });

  test('F3.4 close throws: here stop resolves, and nothing is left', async () => {
    const { url, signalbox } = await start();
    const ann = await RawClient.open(url);
    await signalbox.stop();
    expect(await ann.whenClosed()).toMatchObject({ code: 1001 });
    expect(await signalbox.ended).toBe(0);
    expect(signalbox.sockets).toEqual([]);
  });

  test('F3.5 the first subscription is answered in another way than the second: here they are alike', async () => {
    const { client, signalbox } = await start();
    const connection = client();
    const subscriptions = ['sport', 'fashion'].map((channel) => connection.subscribe(channel));
    const articles = subscriptions.map((one) => heard((resolve) => one.on('article', resolve)));
    await Promise.all(subscriptions.map(live));
    await signalbox.publishToMany(['sport', 'fashion'], 'article', 5);
    expect(await Promise.all(articles)).toEqual([5, 5]);
    expect(() => connection.subscribe('sport')).toThrow('share its subscription');
  });

  test('F3.6 who subscribes twice hears everything twice: here once, and the second is refused', async () => {
    const { url, signalbox } = await start();
    const ann = await RawClient.open(url);
    await ann.ask({ type: 'subscribe', ref: 1, channel: 'sport' });
    const second = await ann.ask({ type: 'subscribe', ref: 2, channel: 'sport' });
    expect(second).toMatchObject({ type: 'error', code: 'already_subscribed' });
    await signalbox.publish('sport', 'article', 'once');
    await signalbox.publish('sport', 'article', 'last');
    await ann.heard(({ data }) => data === 'last');
    expect(events(ann)).toEqual(['once', 'last']);
  });

  test('F3.7 what a user missed is lost when he is back: here he has it', async () => {
    const { client, signalbox } = await start();
    const line = cuttable();
    const connection = client('ann', { WebSocket: line.WebSocket });
    const notes: unknown[] = [];
    connection.user.on('note', (note) => void notes.push(note));
    const first = heard((resolve) => connection.user.on('note', resolve));
    await live(connection);
    await signalbox.publish('user:ann', 'note', 'before');
    await first;
    const away = heard((resolve) => connection.onState((state) => state === 'stale' && resolve(state)));
    line.cut();
    await away;
    const last = heard((resolve) => connection.user.on('note', (note) => note === 'after' && resolve(note)));
    await signalbox.publish('user:ann', 'note', 'meanwhile');
    await signalbox.publish('user:ann', 'note', 'after');
    await last;
    expect(notes).toEqual(['before', 'meanwhile', 'after']);
  });

  test('F3.8 what comes between the records and the subscription is lost: here a client has all, once, in order', async () => {
    const { client, signalbox } = await start();
    const line = cuttable();
    const connection = client('ann', { WebSocket: line.WebSocket });
    const sport = connection.subscribe('sport');
    await live(sport);
    let losses = 0;
    connection.onState((state) => {
      if (state === 'stale') losses += 1;
    });
    const numbers: unknown[] = [];
    const last = heard((resolve) => {
      sport.on('n', (n) => {
        numbers.push(n);
        if (n === 499) resolve(n);
      });
    });
    for (let n = 0; n < 500; n++) {
      if (n % 100 === 50) line.cut();
      await signalbox.publish('sport', 'n', n);
    }
    await last;
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect(losses).toBeGreaterThan(0);
  });

  test('F3.9 a publish that fails without a callback throws somewhere: here its promise is rejected', async () => {
    // Nothing listens there.
    const publisher = createPublisher({
      env: { SIGNALBOX_BROKER: 'redis', REDIS_HOST: '127.0.0.1', REDIS_PORT: '1' },
      logger: false,
    });
    await expect(publisher.publish('sport', 'article', 1)).rejects.toMatchObject({
      name: 'SignalboxError',
      code: 'unavailable',
    });
    await publisher.close();
  });

  test('F3.10 what is published where nobody listens costs every later event, and order is not kept: here it is', async () => {
    const { client, signalbox } = await start();
    await Promise.all(Array.from({ length: 300 }, (_, n) => signalbox.publish(`nobody-${n % 3}`, 'n', n)));
    // Nobody has listened, and so nothing is held for anybody: what there is, is the history.
    expect(signalbox.channel('nobody-0').sockets).toEqual([]);
    const subscription = client().subscribe('nobody-0', { lastId: '0-0' });
    const numbers: number[] = [];
    const last = heard((resolve) => {
      subscription.on('n', (n: number) => {
        numbers.push(n);
        if (n === 297) resolve(n);
      });
    });
    await last;
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => 3 * n));
  });

  test('F3.11 sessions have no subscription: here a session has one, and another of the same user has not', async () => {
    const { url, signalbox } = await start();
    const [one, two] = [await RawClient.open(url, 'ann/one'), await RawClient.open(url, 'ann/two')];
    await signalbox.publish('session:one', 'note', 'for one');
    await signalbox.publish('user:ann', 'note', 'for both');
    for (const client of [one, two]) await client.heard(({ data }) => data === 'for both');
    expect([events(one), events(two)]).toEqual([['for one', 'for both'], ['for both']]);
  });

  test('F3.12 a client that does not want to stays when it is booted: here it is cut off, and its token refused', async () => {
    const issuedAt = Date.now() - 1_000;
    const { url, signalbox } = await start({
      authenticate: () => ({ user: 'mallory', channels: ['*'], issuedAt }),
    });
    // It does nothing by itself, whatever it is told.
    const mallory = await RawClient.open(url, 'any');
    expect(await signalbox.boot({ user: 'mallory' }, 'you know why')).toMatchObject({ closed: 1 });
    expect(await mallory.whenClosed()).toEqual({ code: 4410, reason: 'you know why' });
    expect(await new RawClient(url, 'any').whenClosed()).toEqual({ code: 4401, reason: 'unauthorized' });
  });

  test('F3.14 pings are off, and the client is not told when to expect one: here they are on, and it is', async () => {
    const { url } = await start();
    const ann = await RawClient.open(url);
    expect(ann.frames[0]).toMatchObject({ type: 'welcome', pingInterval: 20_000 });
  });

  test('F3.15 leaving what one does not have clears all that one has: here it is refused, and the rest is left later', async () => {
    const { url, signalbox } = await start({ config: { gcChannelsIntervalMs: 0 } });
    const ann = await RawClient.open(url);
    await ann.ask({ type: 'subscribe', ref: 1, channel: 'sport' });
    const answer = await ann.ask({ type: 'unsubscribe', ref: 2, channel: 'fashion' });
    expect(answer).toMatchObject({ type: 'error', code: 'not_subscribed' });
    expect(signalbox.sockets.map(({ channels }) => channels)).toEqual([['user:ann', 'sport']]);
    const left = heard<string>((resolve) =>
      signalbox.onChannelClose(({ name }) => name === 'sport' && resolve(name)),
    );
    ann.socket.close();
    expect(await left).toBe('sport');
    expect(signalbox.channel('sport').sockets).toEqual([]);
  });
});
