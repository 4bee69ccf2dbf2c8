import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { type ClientOptions, NativeClient, tokenWith } from './client.ts';

describe.each(['redis', 'memory'])('the native protocol over WebSocket, on the %s broker', (broker) => {
  const prefix = uniquePrefix();
  const env =
    broker === 'memory'
      ? { SIGNALBOX_BROKER: 'memory', SIGNALBOX_SUPERSET_PROTOCOL: 'off' }
      : {
          REDIS_URL: redisUrl(),
          REDIS_STREAM_PREFIX: prefix,
          SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
        };
  const instances: Signalbox[] = [];
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<Signalbox> => {
    const signalbox = await startSignalbox({ ...env, ...more });
    instances.push(signalbox);
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    return signalbox;
  };
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((instance) => instance.stop()));
  });

  test('a client is welcomed, subscribes, publishes and hears what is published', async () => {
    const { port } = await start();
    const client = await NativeClient.open(port, { token: tokenWith({ sid: 'x1' }) });
    expect(client.protocol).toBe('signalbox.v1');
    expect(client.frames[0]).toMatchObject({
      type: 'welcome',
      user: '5',
      session: 'x1',
      pingInterval: 20_000,
      subscriptions: [
        { channel: 'user:5', recovered: true },
        { channel: 'session:x1', recovered: true },
      ],
    });
    const subscribed = await client.ask({ type: 'subscribe', channel: 'sport' });
    expect(subscribed).toMatchObject({ type: 'subscribed', channel: 'sport', recovered: true });
    const { id } = await client.ask({ type: 'publish', channel: 'sport', topic: 'goal', data: { n: 1 } });
    await client.hears('sport', 1);
    expect(client.events('sport')).toEqual([
      { type: 'event', channel: 'sport', topic: 'goal', id, time: Number(id?.split('-')[0]), data: { n: 1 } },
    ]);
  });

  test('a client that was cut off resumes exactly, and is told what cannot be had', async () => {
    const { port } = await start({
      SIGNALBOX_WINDOW_MAX_EVENTS: '3',
      SIGNALBOX_HISTORY_MAX_LENGTH: '50',
      SIGNALBOX_LIMITS_FRAMES_PER_SECOND: '1000',
    });
    const publisher = await NativeClient.open(port);
    const say = async (from: number, to: number): Promise<void> => {
      // As many at once as may be under way.
      for (let n = from; n <= to; n += 50) {
        const part = Array.from({ length: Math.min(50, to - n + 1) }, (_, at) => n + at);
        await Promise.all(
          part.map((data) => publisher.ask({ type: 'publish', channel: 'sport', topic: 't', data })),
        );
      }
    };
    const first = await NativeClient.open(port);
    const { epoch } = await first.ask({ type: 'subscribe', channel: 'sport' });
    await say(1, 3);
    await first.hears('sport', 3);
    first.cut();
    const lastId = first.events('sport').at(-1)?.id;
    await say(4, 13);
    const second = await NativeClient.open(port);
    const back = await second.ask({ type: 'subscribe', channel: 'sport', lastId, epoch });
    expect(back).toMatchObject({ id: lastId, epoch, recovered: true });
    await say(14, 15);
    expect(await second.hears('sport', 12)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    await say(16, 300);
    const third = await NativeClient.open(port);
    const lost = await third.ask({ type: 'subscribe', channel: 'sport', lastId, epoch });
    expect(lost).toMatchObject({ id: lastId, recovered: false });
    const gap = await third.receives(({ type }) => type === 'gap');
    expect(gap).toMatchObject({ channel: 'sport', after: lastId, reason: 'trimmed' });
    await eventually('the last one', async () => third.data('sport').at(-1) === 300);
    const heard = third.data('sport') as number[];
    expect(heard).toEqual(Array.from({ length: heard.length }, (_, at) => 301 - heard.length + at));
    const other = await NativeClient.open(port);
    const strange = await other.ask({ type: 'subscribe', channel: 'sport', lastId, epoch: 'another' });
    expect(strange).toMatchObject({ recovered: false, epoch });
    expect(await other.receives(({ type }) => type === 'gap')).toMatchObject({
      after: lastId,
      id: strange.id,
      reason: 'epoch',
      epoch,
    });
  });

  test('what a client publishes without an echo reaches others, and not itself', async () => {
    const { port } = await start();
    const [one, other] = await Promise.all([NativeClient.open(port), NativeClient.open(port)]);
    await Promise.all([one, other].map((client) => client.ask({ type: 'subscribe', channel: 'chat' })));
    const publish = (data: number, echo?: boolean) =>
      one.ask({ type: 'publish', channel: 'chat', topic: 't', data, echo });
    await Promise.all([publish(1), publish(2, false), publish(3), publish(4, false), publish(5)]);
    expect(await other.hears('chat', 5)).toEqual([1, 2, 3, 4, 5]);
    expect(await one.hears('chat', 3)).toEqual([1, 3, 5]);
    one.cut();
  });

  test('a key makes a repeat of a publish the same event', async () => {
    const { port } = await start();
    const client = await NativeClient.open(port);
    await client.ask({ type: 'subscribe', channel: 'once' });
    const publish = () => client.ask({ type: 'publish', channel: 'once', topic: 't', data: 1, key: 'k' });
    const [first, second] = [await publish(), await publish()];
    expect(second.id).toBe(first.id);
    await client.ask({ type: 'publish', channel: 'once', topic: 't', data: 2 });
    expect(await client.hears('once', 2)).toEqual([1, 2]);
  });

  test('sockets of all protocols count as one number, and a limit is told by a close code', async () => {
    const { port } = await start({ MAX_TOTAL_CONNECTIONS: '1' });
    const one = await NativeClient.open(port);
    expect(await new NativeClient(port).closes()).toEqual({ code: 1013, reason: 'too_many' });
    one.cut();
    await eventually('there is room again', async () => {
      const next = new NativeClient(port);
      await next.connects();
      next.send({ type: 'hello', ref: 0 });
      await eventually('an answer', () => next.frames.length > 0 || next.closed !== undefined);
      return next.closed === undefined;
    });
  });

  test('a bad token, another origin, silence and nonsense are told by close codes', async () => {
    const { port } = await start({ SIGNALBOX_HANDSHAKE_TIMEOUT_MS: '200' });
    await NativeClient.open(port);
    const closes = (options: ClientOptions) => new NativeClient(port, options).closes();
    expect(await closes({ token: 'x' })).toEqual({ code: 4401, reason: 'unauthorized' });
    expect(await closes({ token: '' })).toEqual({ code: 4401, reason: 'unauthorized' });
    const origin = 'https://evil.example';
    expect(await closes({ headers: { origin } })).toEqual({ code: 4403, reason: 'forbidden' });
    expect(await closes({})).toEqual({ code: 4408, reason: 'timeout' });
    const strange = new NativeClient(port);
    await strange.connects();
    strange.send('nonsense');
    expect(await strange.closes()).toEqual({ code: 4400, reason: 'bad_request' });
    expect(strange.frames).toMatchObject([{ type: 'error', code: 'bad_request' }]);
  });

  test('is pinged by frames, which say where it is, and told to come back when the server ends', async () => {
    const signalbox = await start({ PING_SOCKETS_INTERVAL_MS: '200', SOCKET_RESPONSE_TIMEOUT_MS: '2000' });
    const client = await NativeClient.open(signalbox.port);
    await client.ask({ type: 'subscribe', channel: 'quiet' });
    const { id } = await client.ask({ type: 'publish', channel: 'loud', topic: 't', data: 1 });
    await client.receives((frame) => frame.type === 'ping' && frame.id === id);
    const answering = setInterval(() => client.send({ type: 'pong' }), 100);
    const pings = () => client.frames.filter(({ type }) => type === 'ping').length;
    await eventually('three pings more', () => pings() > 3);
    clearInterval(answering);
    await signalbox.stop();
    expect(await client.closes()).toEqual({ code: 1001, reason: 'drain' });
    expect(client.frames.at(-1)).toMatchObject({ type: 'reconnect', reason: 'drain' });
  });

  test('who answers no ping is closed', async () => {
    const { port } = await start({ PING_SOCKETS_INTERVAL_MS: '100', SOCKET_RESPONSE_TIMEOUT_MS: '500' });
    const client = await NativeClient.open(port);
    const { code } = await client.closes();
    expect(code).toBe(1006);
    expect(client.frames.some(({ type }) => type === 'ping')).toBe(true);
  });
});
