import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type Contract,
  type Principal,
  type Socket,
  SignalboxError,
  type SignalboxOptions,
} from '../../src/index.ts';
import { WebSocket } from 'ws';
import type { WebSocketConstructor } from '../../client/src/index.ts';
import { RawClient } from './raw-client.ts';
import { closed, heard, live, type Started, startProgram } from './program.ts';

let started: Started<Contract>;

async function start(options: SignalboxOptions<Contract> = {}): Promise<Started<Contract>> {
  started = await startProgram(options);
  return started;
}

afterEach(async () => {
  await started.stop();
});

describe('a program', () => {
  describe('authenticates', () => {
    test('a client by its request, cookies parsed, and has its locals on the socket', async () => {
      const requests: unknown[] = [];
      const { signalbox, client, url } = await start({
        authenticate({ headers, cookies, url: target }) {
          requests.push({ cookies, target });
          const user = headers.authorization?.replace('Bearer ', '');
          return user === undefined
            ? null
            : { user, session: 's', channels: ['sport'], locals: { role: 'admin' } };
        },
      });
      const socket = heard<Socket<Contract>>(signalbox.onSocket);
      const headers = {
        authorization: 'Bearer ann',
        cookie: 'theme=dark%20blue',
        origin: url.replace('ws:', 'http:'),
      };
      const connection = client('', {
        token: undefined,
        WebSocket: class extends WebSocket {
          constructor(target: string, protocols?: string[]) {
            super(target, protocols, { headers });
          }
        } as unknown as WebSocketConstructor,
      });
      await live(connection);
      expect(await socket).toMatchObject({
        user: 'ann',
        session: 's',
        locals: { role: 'admin' },
        isOpen: true,
      });
      expect(requests).toEqual([{ cookies: { theme: 'dark blue' }, target: '/' }]);
    });

    test.each([
      ['nothing', () => undefined],
      ['false', (): false => false],
      [
        'a refusal that is thrown',
        () => {
          throw new SignalboxError('unauthorized');
        },
      ],
    ])('and refuses by %s', async (_, authenticate) => {
      const { url } = await start({ authenticate });
      const response = await fetch(`${url.replace('ws:', 'http:')}/ticket`, {
        method: 'POST',
        headers: { authorization: 'Bearer x' },
      });
      expect(response.status).toBe(401);
    });

    test('a client for no longer than anybody remembers whom a token was taken from', async () => {
      const maxTokenLifeSeconds = 60;
      const { url } = await start({
        config: { native: { maxTokenLifeSeconds } },
        authenticate: () => ({ user: 'ann', expiresAt: Number.MAX_SAFE_INTEGER }),
      });
      const client = await RawClient.open(url);
      const latest = Date.now() + maxTokenLifeSeconds * 1_000;
      expect(client.frames[0]?.['expiresAt']).toBeLessThanOrEqual(latest);
    });

    test.each([{ user: '' }, { user: 'a', channels: 'sport' }, { user: 'a', expiresAt: Number.NaN }])(
      'and is told of %j as its own bug',
      async (principal) => {
        const { url } = await start({ authenticate: () => principal as unknown as Principal });
        const response = await fetch(`${url.replace('ws:', 'http:')}/ticket`, {
          method: 'POST',
          headers: { authorization: 'Bearer x' },
        });
        expect(response.status).toBe(500);
      },
    );

    test('with a new token a client that is refreshed, which ends what it may no longer', async () => {
      const tokens = ['a', 'b'];
      const lifeMs = 1_500;
      const { client } = await start({
        authenticate: ({ headers }) => {
          const token = headers.authorization?.replace('Bearer ', '');
          if (token !== 'a' && token !== 'b') return undefined;
          return {
            user: 'ann',
            channels: [token],
            expiresAt: Date.now() + (token === 'a' ? lifeMs : 60_000),
          };
        },
      });
      const connection = client('', {
        token: () => tokens.shift() ?? 'b',
        // A refresh comes at 0.8 of the time, and not before 10 s.
        clock: {
          now: Date.now,
          setTimeout: (run, ms) => setTimeout(run, ms === 10_000 ? 100 : ms),
          clearTimeout,
        },
      });
      const a = connection.subscribe('a');
      await live(connection);
      await closed(a);
      expect(a.error).toMatchObject({ code: 'forbidden' });
      expect(connection.state).toBe('live');
    });
  });

  test('is asked about one new token of a client at a time', async () => {
    const waiting: (() => void)[] = [];
    const { url } = await start({
      async authenticate({ headers, url: target }) {
        if (target === '/' && headers['sec-websocket-key'] === undefined) {
          await new Promise<void>((resolve) => void waiting.push(resolve));
        }
        return { user: 'ann', channels: headers.authorization?.includes('less') === true ? [] : ['*'] };
      },
    });
    const client = await RawClient.open(url);
    const first = client.ask({ type: 'refresh', ref: 1, token: 'more' });
    // Which of them was answered last would be who the client is.
    const second = await client.ask({ type: 'refresh', ref: 2, token: 'less' });
    expect(second).toMatchObject({ type: 'error', code: 'too_many' });
    expect(waiting).toHaveLength(1);
    waiting[0]?.();
    expect(await first).toMatchObject({ type: 'refreshed' });
    const third = client.ask({ type: 'refresh', ref: 3, token: 'less' });
    await client.ask({ type: 'subscribe', ref: 4, channel: 'a' });
    waiting[1]?.();
    expect(await third).toMatchObject({ type: 'refreshed' });
    expect(await client.heard(({ type }) => type === 'unsubscribed')).toMatchObject({ channel: 'a' });
    client.socket.terminate();
  });

  test('decides who may connect', async () => {
    const { client } = await start({
      onConnect: ({ user }, { request }) => user !== 'eve' && request.url === '/',
    });
    await live(client('ann'));
    const eve = client('eve');
    await expect(live(eve)).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('decides who may subscribe, by the query too, whatever the principal says', async () => {
    const { client } = await start({
      authorize: ({ user }, channel, query) => channel === 'club' && user === 'ann' && query === 'please',
    });
    const connection = client('ann');
    await live(connection.subscribe('club', { query: 'please' }));
    const refused = client('bob').subscribe('club', { query: 'please' });
    await closed(refused);
    expect(refused.error).toMatchObject({ code: 'forbidden' });
  });

  test.each([undefined, 'yes', 1, {}])(
    'allows no subscription by answering %j, which is not true',
    async (answer) => {
      const { client } = await start({ authorize: () => answer as boolean });
      const refused = client().subscribe('club');
      await closed(refused);
      expect(refused.error).toMatchObject({ code: 'forbidden' });
    },
  );

  test('decides who may have the history of a channel, as who may subscribe it', async () => {
    const { url } = await start({ authorize: (_, channel) => channel === 'a' });
    const statusOf = async (channel: string): Promise<number> => {
      const target = `${url.replace('ws:', 'http:')}/history?channel=${channel}`;
      return (await fetch(target, { headers: { authorization: 'Bearer ann' } })).status;
    };
    expect([await statusOf('a'), await statusOf('b'), await statusOf('user:ann')]).toEqual([200, 403, 200]);
  });

  test.each(['/history', '/events'])('refuses %s in its own words', async (path) => {
    const { url } = await start({
      authorize() {
        throw new SignalboxError('forbidden', 'Say who invited you.');
      },
    });
    const headers = { authorization: 'Bearer ann' };
    const refused = await fetch(`${url.replace('ws:', 'http:')}${path}?channel=a`, { headers });
    expect([refused.status, await refused.json()]).toMatchObject([403, { detail: 'Say who invited you.' }]);
  });

  test('gives each client a snapshot of its own, and the events after it', async () => {
    let state = ['first'];
    const { signalbox, client } = await start({
      snapshot: ({ user }, channel, query) => (channel === 'list' ? { user, query, state } : undefined),
    });
    await signalbox.publish('list', 'added', 'first');
    const connection = client('ann');
    const list = connection.subscribe('list', { query: 5 });
    const store = list.store<unknown>(
      (now, event) => [...(now as { state: unknown[] }).state, event.data],
      null,
    );
    await live(list);
    expect(store.getSnapshot()).toEqual({ user: 'ann', query: 5, state: ['first'] });
    state = ['first', 'second'];
    const changed = heard((resolve) => {
      let calls = 0;
      store.subscribe(() => calls++ > 0 && resolve(undefined));
    });
    await signalbox.publish('list', 'added', 'second');
    await changed;
    expect(store.getSnapshot()).toEqual(['first', 'second']);
  });

  describe('is asked', () => {
    const asked = {
      onAsk: {
        double: async (data: unknown) => (data as number) * 2,
        whoami: (_: unknown, { socket }: { socket: Socket<Contract> }) => socket.user,
        nothing: () => undefined,
        refused() {
          throw new SignalboxError('rate_limited', 'Not so often.');
        },
        broken() {
          throw new Error('a secret of the program');
        },
        unsayable: () => 5n,
      },
    };

    test.each([
      ['double', 21, 42],
      ['whoami', undefined, 'ann'],
      ['nothing', undefined, null],
    ])('%s', async (topic, data, answer) => {
      const { client } = await start(asked);
      expect(await client('ann').ask(topic, data)).toEqual(answer);
    });

    test.each([
      ['refused', { code: 'rate_limited', message: 'Not so often.' }],
      ['broken', { code: 'internal', message: 'Something is wrong here. It has been logged.' }],
      ['unsayable', { code: 'internal', message: 'Something is wrong here. It has been logged.' }],
      ['constructor', { code: 'no_handler' }],
      ['unknown', { code: 'no_handler' }],
    ])('%s, and the client hears why there is no answer', async (topic, error) => {
      const { client } = await start(asked);
      await expect(client().ask(topic)).rejects.toMatchObject(error);
    });

    test('longer than a client waits, and is told that nobody does any more', async () => {
      let aborted: (() => void) | undefined;
      const wasAborted = new Promise<void>((resolve) => {
        aborted = resolve;
      });
      const { client } = await start({
        config: { askTimeoutMs: 20 },
        onAsk: {
          slow: (_: unknown, { signal }: { signal: AbortSignal }) =>
            new Promise(() => {
              signal.addEventListener('abort', () => aborted?.());
            }),
        },
      });
      await expect(client().ask('slow')).rejects.toMatchObject({ code: 'timeout' });
      await wasAborted;
    });
  });

  test('is told things, and its client that it was', async () => {
    const told: unknown[] = [];
    const { client } = await start({
      onTell: {
        liked: (data, { socket }) => void told.push([data, socket.user]),
        refused() {
          throw new SignalboxError('forbidden');
        },
      },
    });
    const connection = client('ann');
    await connection.tell('liked', { article: 7 });
    expect(told).toEqual([[{ article: 7 }, 'ann']]);
    await expect(connection.tell('refused')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(connection.tell('unheard')).rejects.toMatchObject({ code: 'no_handler' });
  });

  test('publishes to a channel, to many, once for a key, and keeps a snapshot', async () => {
    const { signalbox, client } = await start();
    const connection = client();
    const events: unknown[] = [];
    const subscriptions = ['a', 'b'].map((name) => {
      const subscription = connection.subscribe(name);
      subscription.on('*', (data) => void events.push([name, data]));
      return subscription;
    });
    await Promise.all(subscriptions.map(live));
    const id = await signalbox.publish('a', 'topic', 1, { key: 'k' });
    expect(await signalbox.publish('a', 'topic', 2, { key: 'k' })).toBe(id);
    const all = await signalbox.publishToMany(['a', 'b'], 'topic', 3);
    expect(all.map(({ channel }) => channel)).toEqual(['a', 'b']);
    const last = heard((resolve) => subscriptions[1]?.on('last', resolve));
    await signalbox.publish('b', 'last', 4, { snapshot: true });
    await last;
    const late = client().subscribe('b');
    const store = late.store((_: unknown, { data }) => data, undefined);
    await live(late);
    expect(store.getSnapshot()).toBe(4);
    expect(events).toEqual([
      ['a', 1],
      ['a', 3],
      ['b', 3],
      ['b', 4],
    ]);
  });

  test('publishes once what it publishes again over HTTP by an API key, with the same key', async () => {
    const apiKey = 'an-api-key-of-this-very-program';
    const { signalbox, url } = await start({ config: { broker: 'memory', apiKeys: [apiKey] } });
    const id = await signalbox.publish('a', 'topic', 1, { key: 'k' });
    const repeated = await fetch(`${url.replace('ws:', 'http:')}/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: 'a', topic: 'topic', data: 1, key: 'k' }),
    });
    expect(await repeated.json()).toMatchObject({ id });
  });

  test('tells one socket, a user and everybody', async () => {
    const { signalbox, client } = await start();
    const sockets: Socket<Contract>[] = [];
    signalbox.onSocket((socket) => void sockets.push(socket));
    const connections = ['ann', 'ann', 'bob'].map((name) => client(name));
    const told: unknown[] = [];
    connections.forEach((connection, at) => {
      for (const topic of ['one', 'user', 'all', 'last'])
        connection.on(topic, () => void told.push([topic, at]));
    });
    await Promise.all(connections.map(live));
    const bob = sockets.find(({ user }) => user === 'bob');
    expect(bob?.tell('one')).toBe(true);
    await signalbox.tell({ user: 'ann' }, 'user');
    const all = Promise.all(
      connections.map((connection) => heard((resolve) => connection.on('last', resolve))),
    );
    await signalbox.broadcast('all');
    await signalbox.broadcast('last', { at: 5 });
    expect(await all).toEqual([{ at: 5 }, { at: 5 }, { at: 5 }]);
    const of = (topic: string): unknown[] => told.filter((entry) => (entry as unknown[])[0] === topic);
    expect([of('one'), of('user').length, of('all').length]).toEqual([[['one', 2]], 2, 3]);
  });

  test('boots a socket, a user, a channel and everybody, with a reason, and is told of their end', async () => {
    const ends: [string, string][] = [];
    const ended: Promise<unknown>[] = [];
    const { signalbox, client } = await start({
      onDisconnect: ({ user }, reason) => void ends.push([user, reason]),
    });
    const sockets: Socket<Contract>[] = [];
    signalbox.onSocket((socket) => {
      sockets.push(socket);
      ended.push(heard((resolve) => socket.onClose(resolve)));
    });
    const connections = ['ann', 'bob', 'cid', 'dan'].map((name) => client(name));
    const [ann, bob, cid, dan] = connections as [(typeof connections)[0], ...typeof connections];
    const club = cid?.subscribe('club');
    await Promise.all([...connections, club as NonNullable<typeof club>].map(live));
    const socket = sockets.find(({ user }) => user === 'ann');
    const reason = heard((resolve) => socket?.onClose(resolve));
    socket?.boot('you know why');
    await closed(ann);
    expect(ann.error).toMatchObject({ message: expect.stringContaining('you know why') });
    expect(await reason).toBe('ended');
    expect(socket?.isOpen).toBe(false);
    expect(await signalbox.boot({ user: 'bob' })).toEqual({ closed: 1, unconfirmed: [] });
    expect(await signalbox.bootAll('club')).toEqual({ closed: 1, unconfirmed: [] });
    expect(await signalbox.bootAll()).toEqual({ closed: 1, unconfirmed: [] });
    await Promise.all(connections.map(closed));
    await Promise.all(ended);
    expect([bob?.state, cid?.state, dan?.state]).toEqual(['closed', 'closed', 'closed']);
    expect(new Map(ends)).toEqual(new Map(['ann', 'bob', 'cid', 'dan'].map((user) => [user, 'ended'])));
  });

  test('boots by a reason in any language, and refuses one that no close frame has room for', async () => {
    const { signalbox, client } = await start();
    const connection = client('ann');
    await live(connection);
    expect(await signalbox.boot({ user: 'ann' }, 'Tschüß 👋')).toEqual({ closed: 1, unconfirmed: [] });
    await closed(connection);
    expect(connection.error).toMatchObject({ message: expect.stringContaining('Tschüß 👋') });
    for (const reason of ['', 'ü'.repeat(62), 'a\nb', '\ud800']) {
      await expect(signalbox.boot({ user: 'ann' }, reason)).rejects.toMatchObject({ code: 'bad_request' });
    }
  });

  test.each([{ channel: 'not a channel' }, { channel: '_a' }, { socket: 'x'.repeat(201) }])(
    'is told that nobody can be meant by %j',
    async (target) => {
      const { signalbox } = await start();
      await expect(signalbox.tell(target, 'hello')).rejects.toMatchObject({ code: 'bad_request' });
      await expect(signalbox.boot(target)).rejects.toMatchObject({ code: 'bad_request' });
    },
  );

  test('sees its channels open and close, its sockets, and who has what', async () => {
    const heardOf: string[] = [];
    const { signalbox, client } = await start({
      config: { gcChannelsIntervalMs: 0 },
      onSubscribe: ({ user }, channel, query) => void heardOf.push(`${user} has ${channel} ${String(query)}`),
      onUnsubscribe: ({ user }, channel) => void heardOf.push(`${user} leaves ${channel}`),
    });
    signalbox.onChannelOpen(({ name, locals }) => {
      locals['opened'] = name;
    });
    const channelClosed = heard<string>((resolve) =>
      signalbox.onChannelClose(({ name, locals }) => name === 'club' && resolve(String(locals['opened']))),
    );
    const connection = client('ann');
    const club = connection.subscribe('club', { query: 5 });
    await live(club);
    const [socket] = signalbox.sockets;
    expect(signalbox.channel('club').sockets).toEqual([socket]);
    expect(signalbox.channel('club').locals).toEqual({ opened: 'club' });
    expect(signalbox.socket(socket?.id ?? '')).toBe(socket);
    expect([
      socket?.isSubscribed('club'),
      socket?.isSubscribed('user:ann'),
      socket?.isSubscribed('other'),
    ]).toEqual([true, true, false]);
    expect(signalbox.isSubscribed(socket?.id ?? '', 'club')).toBe(true);
    club.unsubscribe();
    expect(await channelClosed).toBe('club');
    expect(heardOf).toEqual(['ann has club 5', 'ann leaves club']);
  });

  test('publishes as one of its sockets to all but that one', async () => {
    const { signalbox, client } = await start({
      onAsk: {
        say: (data, { socket }) => socket.publish('chat', 'line', data),
      },
    });
    const [ann, bob] = [client('ann'), client('bob')];
    const heardBy: Record<string, unknown[]> = { ann: [], bob: [] };
    const chats = [ann, bob].map((connection) => connection.subscribe('chat'));
    chats[0]?.on('line', (data) => void heardBy['ann']?.push(data));
    chats[1]?.on('line', (data) => void heardBy['bob']?.push(data));
    await Promise.all(chats.map(live));
    await ann.ask('say', 'mine');
    const last = Promise.all(
      chats.map((chat) => heard((resolve) => chat.on('line', (data) => data === 'last' && resolve(data)))),
    );
    await signalbox.publish('chat', 'line', 'last');
    await last;
    expect(heardBy).toEqual({ ann: ['last'], bob: ['mine', 'last'] });
  });

  test.each([
    ['a channel', (box: Started<Contract>['signalbox']) => box.publish('_a', 'topic', 1)],
    ['a topic', (box: Started<Contract>['signalbox']) => box.publish('a', 'gap', 1)],
    ['data', (box: Started<Contract>['signalbox']) => box.publish('a', 'topic', 5n)],
    ['data that is a function', (box: Started<Contract>['signalbox']) => box.publish('a', 'topic', () => 5)],
    [
      'channels that are no list',
      (box: Started<Contract>['signalbox']) => box.publishToMany('a' as unknown as string[], 'topic', 5),
    ],
    [
      'a key that is no text',
      (box: Started<Contract>['signalbox']) => box.publish('a', 'topic', 5, { key: 7 as unknown as string }),
    ],
    ['a key', (box: Started<Contract>['signalbox']) => box.publish('a', 'topic', 5, { key: ' ' })],
    ['a target', (box: Started<Contract>['signalbox']) => box.tell({} as { user: string }, 'topic')],
    ['two targets', (box: Started<Contract>['signalbox']) => box.boot({ user: 'a', session: 'b' })],
    ['a target that no channel is', (box: Started<Contract>['signalbox']) => box.bootAll('_a')],
    ['a reason', (box: Started<Contract>['signalbox']) => box.boot({ user: 'a' }, 'x'.repeat(124))],
  ])('is told what is wrong with %s', async (_, act) => {
    const { signalbox } = await start();
    await expect(act(signalbox)).rejects.toMatchObject({ name: 'SignalboxError', code: 'bad_request' });
  });

  test('tells no more at once than every instance can be made to keep', async () => {
    const { signalbox } = await start();
    await signalbox.tell({ everyone: true }, 'note', 'x'.repeat(65_534));
    await expect(signalbox.broadcast('note', 'x'.repeat(65_535))).rejects.toMatchObject({
      code: 'too_large',
    });
  });

  test('is told of an answer that JSON cannot say as of any bug, and its client no more than that', async () => {
    const errors: string[] = [];
    const log = (_: object, text: string): void => void errors.push(text);
    const { client } = await start({
      logger: { debug() {}, info() {}, warn() {}, error: log },
      onAsk: { big: () => 5n },
      snapshot: (_, channel) => (channel === 'a' ? 5n : 1),
    });
    const connection = client();
    await expect(connection.ask('big')).rejects.toMatchObject({
      code: 'internal',
      message: expect.not.stringContaining('JSON'),
    });
    await live(connection.subscribe('b'));
    connection.subscribe('a');
    await heard((resolve) => {
      const look = (): void => {
        if (errors.includes('snapshot threw')) resolve(undefined);
        else setImmediate(look);
      };
      look();
    });
    expect(errors.slice(0, 2)).toEqual(['onAsk.big threw', 'snapshot threw']);
  });

  test('goes on when its logger throws', async () => {
    const failing = (): void => {
      throw new Error('the log is full');
    };
    const { client } = await start({
      config: { askTimeoutMs: 1_000 },
      logger: { debug: failing, info: failing, warn: failing, error: failing },
      onAsk: {
        broken() {
          throw new Error('a bug');
        },
      },
    });
    await expect(client().ask('broken')).rejects.toMatchObject({ code: 'internal' });
  });

  test('calls each listener, whatever the others throw or reject with, and logs that', async () => {
    const errors: string[] = [];
    const log = (_: object, text: string): void => void errors.push(text);
    const { signalbox, client } = await start({
      logger: { debug() {}, info() {}, warn() {}, error: log },
      config: { gcChannelsIntervalMs: 10 },
    });
    const fail = (): void => {
      throw new Error('a bug');
    };
    const reject = async (): Promise<void> => fail();
    for (const bug of [fail, reject]) {
      signalbox.onSocket(bug);
      signalbox.onSocket((one) => one.onClose(bug));
      signalbox.onChannelOpen(bug);
      signalbox.onChannelClose(bug);
    }
    const socket = heard<Socket<Contract>>(signalbox.onSocket);
    const channels = Promise.all([heard(signalbox.onChannelOpen), heard(signalbox.onChannelClose)]);
    const connection = client();
    const one = await socket;
    const gone = heard((listener) => one.onClose(listener));
    connection.close();
    await gone;
    await channels;
    await started.stop();
    for (const callback of ['onSocket', 'onClose', 'onChannelOpen', 'onChannelClose']) {
      expect(errors.filter((text) => text === `${callback} threw`).length).toBeGreaterThanOrEqual(2);
    }
  });

  test('goes on when a callback throws, and logs it', async () => {
    const errors: string[] = [];
    const log = (_: object, text: string): void => void errors.push(text);
    const { signalbox, client } = await start({
      logger: { debug() {}, info() {}, warn() {}, error: log },
      onSubscribe() {
        throw new Error('a bug');
      },
      async onDisconnect() {
        throw new Error('another');
      },
    });
    signalbox.onSocket(() => {
      throw new Error('a third');
    });
    const connection = client();
    await live(connection.subscribe('a'));
    await signalbox.bootAll();
    await closed(connection);
    await signalbox.stop();
    expect(errors.sort()).toEqual(['onDisconnect threw', 'onSocket threw', 'onSubscribe threw']);
  });
});
