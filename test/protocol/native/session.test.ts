import { describe, expect, test } from '@jest/globals';
import type { PublishAnswer } from '../../../src/protocol/native/session.ts';
import { type StreamId, streamId } from '../../../src/event/stream-id.ts';
import { NOW_MS, NOW_S, principal, tokenWith } from '../../support/native-auth.ts';
import { createNativeCore, type Heard, type NativeCoreOptions } from '../../support/native-core.ts';

async function welcomed(options: NativeCoreOptions = {}, claims: Partial<typeof principal> = {}) {
  const core = createNativeCore(options);
  await core.start();
  const client = core.connect({ as: { ...principal, ...claims } });
  client.say({ type: 'hello', ref: 0 });
  const [welcome] = await client.hear();
  return { ...core, client, welcome };
}

const types = (frames: readonly Heard[]): string[] => frames.map(({ type }) => type);

describe('a native session', () => {
  describe('before hello', () => {
    test('is closed with 4408 when it is not said in time', async () => {
      const core = createNativeCore();
      await core.start();
      const client = core.connect();
      core.clock.increment(9_999);
      expect(client.transport.closedWith).toBeUndefined();
      core.clock.increment(1);
      expect(client.transport.closedWith).toEqual({ code: 4408, reason: 'timeout' });
    });

    test.each([
      { type: 'subscribe', ref: 7, channel: 'sport' },
      { type: 'hello' },
      { type: 'other', ref: 7 },
      5,
    ])('%j is refused, and the socket closed with 4400', async (frame) => {
      const core = createNativeCore();
      await core.start();
      const client = core.connect();
      client.transport.isConfirming = false;
      client.say(frame);
      client.say({ type: 'hello', ref: 0 });
      client.transport.flush();
      expect(types(client.frames)).toEqual(['error']);
      expect(client.transport.closedWith).toEqual({ code: 4400, reason: 'bad_request' });
    });
  });

  describe('hello', () => {
    test('is answered with what the server joined for the user and the session', async () => {
      const { welcome } = await welcomed();
      expect(welcome).toEqual({
        type: 'welcome',
        ref: 0,
        socket: 's0',
        user: '5',
        session: 's-1',
        pingInterval: 20_000,
        expiresAt: principal.expiresAtMs,
        subscriptions: ['user:5', 'session:s-1'].map((channel) => ({
          channel,
          id: '0-0',
          epoch: expect.any(String),
          recovered: true,
        })),
      });
    });

    test('resumes from its positions, and welcome comes before anything else', async () => {
      const core = createNativeCore({
        deps: {
          limits: {
            window: { maxEvents: 1, maxBytes: 1_000_000, maxAgeMs: 3_600_000 },
            maxSocketBufferBytes: 10_000,
            maxTotalBufferBytes: 1_000_000,
            replays: 4,
            replaySlackMs: 0,
          },
        },
      });
      await core.start();
      const first = await core.publish('user:5', 1);
      await core.publish('session:s-1', 2);
      await core.publish('user:5', 3);
      const client = core.connect();
      client.say({ type: 'hello', ref: 0, positions: { 'user:5': first, 'session:s-1': '1-0' } });
      client.say({ type: 'subscribe', ref: 1, channel: 'sport' });
      const frames = await client.hear();
      expect(types(frames)[0]).toBe('welcome');
      expect(frames[0]).toMatchObject({
        subscriptions: [
          { channel: 'user:5', id: first, recovered: true },
          { channel: 'session:s-1', id: '1-0', recovered: true },
        ],
      });
      expect(types(frames).toSorted()).toEqual(['event', 'event', 'ping', 'subscribed', 'welcome']);
    });

    test('may be said once', async () => {
      const { client } = await welcomed();
      client.say({ type: 'hello', ref: 1 });
      expect(await client.hear()).toMatchObject([{ type: 'error', ref: 1, code: 'bad_request' }]);
    });
  });

  describe('subscribe', () => {
    test('is answered before the events that follow', async () => {
      const { client, publish } = await welcomed();
      await publish('sport', 1);
      client.say({ type: 'subscribe', ref: 'a', channel: 'sport' });
      await publish('sport', 2);
      expect(await client.hear()).toMatchObject([
        { type: 'subscribed', ref: 'a', channel: 'sport', recovered: true },
        { type: 'event', channel: 'sport', data: 2 },
      ]);
    });

    test.each([
      [{ channel: 'secret' }, 'forbidden'],
      [{ channel: 'user:6' }, 'forbidden'],
      [{ channel: 'sport' }, 'already_subscribed'],
      [{ channel: 'a b' }, 'bad_request'],
      [{ channel: 'public:3' }, 'too_many'],
    ])('of %j is refused: %s', async (asked, code) => {
      const { client } = await welcomed({ rules: { maxSubscriptions: 5 } });
      for (const channel of ['sport', 'public:1', 'public:2']) {
        client.say({ type: 'subscribe', ref: 1, channel });
      }
      await client.hear();
      client.say({ type: 'subscribe', ref: 9, ...asked });
      expect(await client.hear()).toMatchObject([{ type: 'error', ref: 9, code }]);
    });

    test('begins with the snapshot that there is, and what happened since', async () => {
      const { client, publish } = await welcomed();
      const id = await publish('sport', { all: 1 }, true);
      await publish('sport', 2);
      client.say({ type: 'subscribe', ref: 1, channel: 'sport' });
      expect(await client.hear()).toMatchObject([
        { type: 'subscribed', id, recovered: true },
        { type: 'snapshot', id, data: { all: 1 } },
        { type: 'event', data: 2 },
      ]);
    });

    test('says that something is missing, what, and gives a snapshot of after that', async () => {
      const { client, publish } = await welcomed();
      const lastId = await publish('sport', 1);
      const id = await publish('sport', { all: 2 }, true);
      const asked = { type: 'subscribe', ref: 1, channel: 'sport', lastId, epoch: 'another' };
      client.say(asked);
      const frames = await client.hear();
      const { epoch } = frames[0] as { epoch?: string };
      expect(frames).toMatchObject([
        { type: 'subscribed', id, recovered: false },
        { type: 'gap', channel: 'sport', after: lastId, id, reason: 'epoch', epoch },
        { type: 'snapshot', id, data: { all: 2 } },
        // It has everything now.
        { type: 'ping', id },
      ]);
      client.say({ type: 'unsubscribe', ref: 2, channel: 'sport' });
      await client.hear();
      // It would bring back what came before what is lost.
      await publish('sport', 3);
      client.say(asked);
      expect(types(await client.hear())).toEqual(['subscribed', 'gap', 'ping']);
    });
  });

  test('unsubscribe ends it, also one that is not decided yet, whose answer never comes', async () => {
    const { client, publish } = await welcomed();
    client.say({ type: 'subscribe', ref: 1, channel: 'sport' });
    client.say({ type: 'unsubscribe', ref: 2, channel: 'sport' });
    client.say({ type: 'unsubscribe', ref: 3, channel: 'sport' });
    await publish('sport', 1);
    const frames = await client.hear();
    expect(frames.filter(({ type }) => type !== 'subscribed')).toMatchObject([
      { type: 'unsubscribed', ref: 2, channel: 'sport' },
      { type: 'error', ref: 3, code: 'not_subscribed' },
    ]);
  });

  describe('publish', () => {
    const event = { type: 'publish', channel: 'chat', topic: 't', data: 1 };

    test('is answered with the id, and refused where the token does not allow it', async () => {
      const { client } = await welcomed();
      client.say({ ...event, ref: 1 });
      client.say({ ...event, ref: 2, channel: 'sport' });
      expect(await client.hear()).toMatchObject([
        { type: 'error', ref: 2, code: 'forbidden' },
        { type: 'published', ref: 1, id: `${NOW_MS}-0` },
      ]);
    });

    test.each(['timeout', 'unavailable'] as const)(
      'is refused with %s when the broker says so',
      async (refused) => {
        const { client } = await welcomed({ rules: { publish: async () => ({ refused }) } });
        client.say({ ...event, ref: 1, echo: false });
        expect(await client.hear()).toMatchObject([{ type: 'error', ref: 1, code: refused }]);
      },
    );

    test('has keys of its own user and channel', async () => {
      const keys: (string | undefined)[] = [];
      const publish = async ({ key }: { key?: string }): Promise<PublishAnswer> => {
        keys.push(key);
        return { id: streamId(1, 0) };
      };
      const { client } = await welcomed({ rules: { publish } });
      client.say({ ...event, ref: 1, key: 'k' });
      client.say({ ...event, ref: 2 });
      expect(keys).toEqual(['u\n5\nchat\nk', undefined]);
    });

    test('may be under way so many times at once', async () => {
      const { client } = await welcomed({ rules: { publish: () => new Promise(() => {}) } });
      for (let ref = 1; ref <= 65; ref += 1) client.say({ ...event, ref });
      expect(await client.hear()).toMatchObject([{ type: 'error', ref: 65, code: 'too_many' }]);
    });

    test('without an echo is not heard by the socket itself, wherever its answer comes', async () => {
      const answers: ((answer: PublishAnswer) => void)[] = [];
      const { client, publish } = await welcomed(
        { rules: { publish: () => new Promise((resolve) => answers.push(resolve)) } },
        { channels: ['chat'] },
      );
      client.say({ type: 'subscribe', ref: 1, channel: 'chat' });
      await client.hear();
      client.say({ ...event, ref: 2, echo: false });
      const before = await publish('chat', 'of another');
      const own = await publish('chat', 'its own');
      expect(await client.hear()).toEqual([]);
      answers[0]?.({ id: own as StreamId });
      const after = await publish('chat', 'of another');
      expect(await client.hear()).toMatchObject([
        { type: 'published', ref: 2, id: own },
        { type: 'event', id: before },
        { type: 'event', id: after },
      ]);
    });
  });

  test('what is published without an echo is not heard either by who subscribes while it is under way', async () => {
    const answers: ((answer: PublishAnswer) => void)[] = [];
    const { client, publish } = await welcomed(
      { rules: { publish: () => new Promise((resolve) => answers.push(resolve)) } },
      { channels: ['chat'] },
    );
    for (const ref of [1, 2]) {
      client.say({ type: 'publish', ref, channel: 'chat', topic: 't', data: 1, echo: false });
    }
    client.say({ type: 'subscribe', ref: 3, channel: 'chat' });
    const own = await publish('chat', 'its own');
    const other = await publish('chat', 'of another');
    answers[0]?.({ id: own as StreamId });
    answers[1]?.({ refused: 'unavailable' });
    expect((await client.hear()).filter(({ type }) => type !== 'ping')).toMatchObject([
      { type: 'published', ref: 1, id: own },
      { type: 'error', ref: 2, code: 'unavailable' },
      { type: 'subscribed', ref: 3 },
      { type: 'event', id: other },
    ]);
    // What is known to be over holds nobody back.
    client.say({ type: 'unsubscribe', ref: 4, channel: 'chat' });
    client.say({ type: 'subscribe', ref: 5, channel: 'chat' });
    const later = await publish('chat', 'of another');
    expect((await client.hear()).at(-1)).toMatchObject({ type: 'event', id: later });
  });

  describe('refresh', () => {
    test('goes on with what the new token allows, and ends the rest first', async () => {
      const { client, clock } = await welcomed();
      client.say({ type: 'subscribe', ref: 1, channel: 'sport' });
      client.say({ type: 'subscribe', ref: 2, channel: 'public:1' });
      await client.hear();
      client.say({
        type: 'refresh',
        ref: 3,
        token: tokenWith({ exp: NOW_S + 7_200, channels: ['public:*'] }),
      });
      expect(await client.hear()).toEqual([
        { type: 'unsubscribed', channel: 'sport' },
        { type: 'refreshed', ref: 3, expiresAt: (NOW_S + 7_200) * 1000 },
      ]);
      client.transport.isAnswering = true;
      for (let at = 0; at < 7_199_000; at += 10_000) {
        clock.increment(Math.min(10_000, 7_199_000 - at));
        client.transport.answer();
      }
      expect(client.transport.closedWith).toBeUndefined();
      clock.increment(1_000);
      expect(client.transport.closedWith).toEqual({ code: 4401, reason: 'unauthorized' });
    });

    test.each([{ sub: '6' }, { sid: 's-2' }, { exp: 1 }, { aud: 'signalbox.ticket' }])(
      'with a token of %j is unauthorized',
      async (claims) => {
        const { client } = await welcomed();
        client.say({ type: 'refresh', ref: 1, token: tokenWith(claims) });
        expect(await client.hear()).toMatchObject([{ type: 'error', ref: 1, code: 'unauthorized' }]);
      },
    );
  });

  test('a refresh at which the application fails is internal, and its client goes on as before', async () => {
    const { client } = await welcomed({ rules: { refresh: () => Promise.reject(new Error('away')) } });
    client.say({ type: 'refresh', ref: 1, token: 'x' });
    expect(await client.hear()).toMatchObject([{ type: 'error', ref: 1, code: 'internal' }]);
    client.say({ type: 'refresh', ref: 2, token: 'x' });
    client.say({ type: 'subscribe', ref: 3, channel: 'sport' });
    const frames = await client.hear();
    expect(frames).toHaveLength(2);
    expect(frames).toContainEqual(expect.objectContaining({ type: 'error', ref: 2, code: 'internal' }));
    expect(frames).toContainEqual(expect.objectContaining({ type: 'subscribed', ref: 3 }));
  });

  test('ask and tell have no handler yet, pong no answer, and what is unknown an error', async () => {
    const { client } = await welcomed();
    client.say({ type: 'ask', ref: 1, topic: 't' });
    client.say({ type: 'tell', topic: 't' });
    client.say({ type: 'pong' });
    client.say({ type: 'dance', ref: 2 });
    expect(await client.hear()).toMatchObject([
      { type: 'error', ref: 1, code: 'no_handler' },
      { type: 'error', code: 'no_handler' },
      { type: 'error', ref: 2, code: 'unknown_type' },
    ]);
  });

  test('refuses what comes too often, says when it may come, and closes who goes on', async () => {
    const { client, clock } = await welcomed();
    for (let ref = 1; ref <= 100; ref += 1) client.say({ type: 'ask', ref, topic: 't' });
    const frames = await client.hear();
    expect(frames.at(-1)).toMatchObject({ type: 'error', ref: 100, code: 'rate_limited', retryAfter: 20 });
    clock.increment(20);
    client.say({ type: 'ask', ref: 101, topic: 't' });
    expect(await client.hear()).toMatchObject([{ ref: 101, code: 'no_handler' }]);
    for (let ref = 1; ref <= 110; ref += 1) client.say({ type: 'ask', ref, topic: 't' });
    expect(client.transport.closedWith).toEqual({ code: 4429, reason: 'rate_limited' });
  });

  test('closes a client that sends bytes', async () => {
    const { client } = await welcomed();
    client.sayBytes(Buffer.of(1));
    expect(client.transport.closedWith).toEqual({ code: 4400, reason: 'bad_request' });
  });

  test('pings by a frame, with the position when everything is live', async () => {
    const { client, clock, publish } = await welcomed();
    client.say({ type: 'subscribe', ref: 1, channel: 'sport' });
    const id = await publish('noise');
    await client.hear();
    await clock.advance(20_000);
    expect(await client.hear()).toEqual([{ type: 'ping', id }]);
    client.transport.isReading = false;
    for (let n = 0; n < 60; n += 1) await publish('sport', 'x'.repeat(300));
    client.transport.answer();
    client.transport.isReading = true;
    client.transport.flush(1);
    expect(client.frames.some(({ type }) => type === 'ping')).toBe(false);
  });

  test('tells who is drained to come back, each after a delay of its own', async () => {
    const { client, actors } = await welcomed();
    client.transport.isConfirming = false;
    actors.sockets.close('s0', 'drain');
    client.transport.flush();
    expect(client.frames).toEqual([{ type: 'reconnect', after: 2_500, reason: 'drain' }]);
    expect(client.transport.closedWith).toEqual({ code: 1001, reason: 'drain' });
  });

  test('a bug of its own ends this one socket', async () => {
    const { client, bugs } = await welcomed({
      rules: {
        refresh: () => {
          throw new Error('a bug');
        },
      },
    });
    client.say({ type: 'refresh', ref: 1, token: 'x' });
    expect(client.transport.closedWith).toEqual({ code: 1011, reason: 'internal' });
    expect(bugs).toHaveLength(1);
  });
});
