import { describe, expect, test } from '@jest/globals';
import type { Answer, Decider, Peer, Refusal, Saying, Verdict, Wish } from '../../../src/decider/decider.ts';
import type { RawJson } from '../../../src/protocol/native/client-frame.ts';
import { ERRORS } from '../../../src/protocol/native/error-codes.ts';
import { settled } from '../../support/heap-clock.ts';
import { NOW_S, principal, tokenWith } from '../../support/native-auth.ts';
import { createNativeCore, type Heard } from '../../support/native-core.ts';

interface Question<About, Reply> {
  readonly peer: Peer;
  readonly about: About;
  readonly signal: AbortSignal;
  answer(reply: Reply): void;
}

/** Where questions lie until a test answers them. */
class Desk<About, Reply> {
  readonly questions: Question<About, Reply>[] = [];

  readonly ask = (peer: Peer, about: About, signal: AbortSignal): Promise<Reply> =>
    new Promise((answer) => void this.questions.push({ peer, about, signal, answer }));

  at(index: number): Question<About, Reply> {
    const question = this.questions.at(index);
    if (question === undefined) throw new Error(`nobody has asked for ${index}`);
    return question;
  }
}

const data = (value: unknown): Answer => ({ data: JSON.stringify(value) as RawJson });
const types = (frames: readonly Heard[]): string[] => frames.map(({ type }) => type);
const refs = (frames: readonly Heard[]): unknown[] => frames.map(({ ref }) => ref);

async function welcomed(decider: Decider) {
  const core = createNativeCore({ rules: { decider } });
  await core.start();
  const client = core.connect();
  client.say({ type: 'hello', ref: 0 });
  await client.hear();
  return { ...core, client };
}

describe('a native session whose application answers', () => {
  describe('asks', () => {
    const asking = async () => {
      const desk = new Desk<Saying, Answer | Refusal>();
      const tells = new Desk<Saying, Verdict>();
      const core = await welcomed({ ask: desk.ask, tell: tells.ask });
      const ask = (ref: number): void => core.client.say({ type: 'ask', ref, topic: 'time', data: ref });
      const tell = (ref?: number): void => core.client.say({ type: 'tell', ref, topic: 'liked' });
      return { ...core, desk, tells, ask, tell };
    };

    test('are answered by their ref, whenever the application does', async () => {
      const { client, desk, ask } = await asking();
      ask(1);
      ask(2);
      expect(await client.hear()).toEqual([]);
      expect(desk.questions.map(({ about }) => about)).toEqual([
        { topic: 'time', data: '1' },
        { topic: 'time', data: '2' },
      ]);
      expect(desk.at(0).peer).toEqual({ socket: 's0', principal });
      desk.at(1).answer(data({ now: 2 }));
      desk.at(0).answer({ code: 'forbidden', message: 'Not now.' });
      expect(await client.hear()).toEqual([
        { type: 'answer', ref: 2, data: { now: 2 } },
        { type: 'error', ref: 1, code: 'forbidden', message: 'Not now.' },
      ]);
    });

    test('and tells may be under way so many times at once', async () => {
      const { client, desk, tells, ask, tell } = await asking();
      for (const ref of [1, 2]) ask(ref);
      tell(3);
      ask(4);
      tell(5);
      expect(await client.hear()).toMatchObject([
        { type: 'error', ref: 4, code: 'too_many' },
        { type: 'error', ref: 5, code: 'too_many' },
      ]);
      tells.at(0).answer(undefined);
      expect(await client.hear()).toEqual([{ type: 'told', ref: 3 }]);
      ask(6);
      expect(await client.hear()).toEqual([]);
      desk.at(2).answer(data(6));
      expect(await client.hear()).toEqual([{ type: 'answer', ref: 6, data: 6 }]);
    });

    test('are answered once: by a timeout when the application has not, which gives up', async () => {
      const { client, clock, desk, ask } = await asking();
      for (const ref of [1, 2, 3]) ask(ref);
      clock.increment(4_999);
      desk.at(2).answer(data(3));
      expect(await client.hear()).toEqual([{ type: 'answer', ref: 3, data: 3 }]);
      clock.increment(1);
      expect(await client.hear()).toEqual(
        [1, 2].map((ref) => ({ type: 'error', ref, code: 'timeout', message: ERRORS.timeout.sentence })),
      );
      expect(desk.questions.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
      desk.at(0).answer(data(1));
      expect(await client.hear()).toEqual([]);
      // Whose time is over is not under way any more.
      for (const ref of [4, 5, 6]) ask(ref);
      expect(await client.hear()).toEqual([]);
      expect(desk.questions).toHaveLength(6);
    });

    test('without an answer are given up when the socket goes', async () => {
      const { client, desk, tells, ask, tell, clock, bugs } = await asking();
      ask(1);
      tell(2);
      client.transport.cut();
      expect([desk.at(0).signal.aborted, tells.at(0).signal.aborted]).toEqual([true, true]);
      desk.at(0).answer(data(1));
      clock.increment(5_000);
      expect(await client.hear()).toEqual([]);
      expect(bugs).toEqual([]);
    });

    test('a tell without a ref is answered only when it is refused', async () => {
      const { client, tells, tell } = await asking();
      tell();
      tell();
      await settled();
      tells.at(0).answer(undefined);
      tells.at(1).answer({ code: 'unavailable' });
      expect(await client.hear()).toEqual([
        { type: 'error', code: 'unavailable', message: ERRORS.unavailable.sentence },
      ]);
    });
  });

  describe('a subscription that is not decided', () => {
    const deciding = async (more: Decider = {}) => {
      const desk = new Desk<Wish, Verdict>();
      const core = await welcomed({ subscribe: desk.ask, ...more });
      const subscribe = (ref: number, channel: string, query?: unknown): void =>
        core.client.say({ type: 'subscribe', ref, channel, query });
      return { ...core, desk, subscribe };
    };

    test('is joined when it is allowed, whatever the token says, and not before', async () => {
      const { client, desk, subscribe, publish } = await deciding();
      subscribe(1, 'secret', { a: 1 });
      await publish('secret', 'before');
      expect(await client.hear()).toEqual([]);
      expect(desk.at(0)).toMatchObject({
        peer: { socket: 's0', principal },
        about: { channel: 'secret', query: '{"a":1}' },
      });
      desk.at(0).answer(undefined);
      await settled();
      await publish('secret', 'after');
      expect(await client.hear()).toMatchObject([
        { type: 'subscribed', ref: 1, channel: 'secret' },
        { type: 'event', channel: 'secret', data: 'after' },
      ]);
    });

    test('is refused with the words of the application, and may be asked for again', async () => {
      const { client, desk, subscribe } = await deciding();
      subscribe(1, 'sport');
      desk.at(0).answer({ code: 'forbidden', message: 'Not paid.' });
      expect(await client.hear()).toEqual([
        { type: 'error', ref: 1, code: 'forbidden', message: 'Not paid.' },
      ]);
      subscribe(2, 'sport');
      desk.at(1).answer(undefined);
      expect(await client.hear()).toMatchObject([{ type: 'subscribed', ref: 2 }]);
    });

    test.each([
      ['without a position', {}],
      ['from a position', { lastId: '0-1' }],
    ])('does not bring its client, %s, what that published meanwhile without an echo', async (_, from) => {
      const { client, desk, publish } = await deciding();
      await publish('chat', { state: 0 }, true);
      client.say({ type: 'subscribe', ref: 1, channel: 'chat', ...from });
      const own = { type: 'publish', channel: 'chat', topic: 't', data: 'own', echo: false };
      client.say({ ...own, ref: 2 });
      client.say({ ...own, ref: 3 });
      client.say({ ...own, ref: 4, data: 'echoed', echo: true });
      expect(types(await client.hear())).toEqual(['published', 'published', 'published']);
      desk.at(0).answer(undefined);
      const frames = await client.hear();
      expect(frames[0]).toMatchObject({ type: 'subscribed', ref: 1 });
      expect(frames.flatMap((frame) => (frame.type === 'event' ? [frame.data] : []))).toEqual(
        'lastId' in from ? [{ state: 0 }, 'echoed'] : ['echoed'],
      );
    });

    test('is not asked about twice', async () => {
      const { client, desk, subscribe } = await deciding();
      subscribe(1, 'sport');
      subscribe(2, 'sport');
      expect(await client.hear()).toMatchObject([{ type: 'error', ref: 2, code: 'already_subscribed' }]);
      desk.at(0).answer(undefined);
      expect(await client.hear()).toMatchObject([{ type: 'subscribed', ref: 1 }]);
      expect(desk.questions).toHaveLength(1);
    });

    test('counts as one that is', async () => {
      const { client, desk, subscribe } = await deciding();
      // Two of the five are those of the user and the session.
      ['a', 'b', 'c', 'd'].forEach((channel, ref) => {
        subscribe(ref, channel);
      });
      expect(await client.hear()).toMatchObject([{ type: 'error', ref: 3, code: 'too_many' }]);
      desk.at(1).answer({ code: 'forbidden' });
      await client.hear();
      subscribe(4, 'd');
      expect(await client.hear()).toEqual([]);
      expect(desk.questions).toHaveLength(4);
    });

    test('is not of the channels that are the server’s own: nobody is asked', async () => {
      const { client, desk, subscribe } = await deciding();
      for (const channel of ['user:6', 'session:s-2', 'user:5']) subscribe(1, channel);
      const frames = await client.hear();
      expect(frames.map((frame) => (frame as { code?: string }).code)).toEqual(
        Array.from({ length: 3 }, () => 'forbidden'),
      );
      expect(desk.questions).toEqual([]);
    });

    test('is cancelled by unsubscribe, and its answer is for nobody', async () => {
      const { client, desk, subscribe, publish } = await deciding();
      subscribe(1, 'sport');
      client.say({ type: 'unsubscribe', ref: 2, channel: 'sport' });
      expect(await client.hear()).toEqual([{ type: 'unsubscribed', ref: 2, channel: 'sport' }]);
      expect(desk.at(0).signal.aborted).toBe(true);
      subscribe(3, 'sport');
      desk.at(0).answer(undefined);
      await publish('sport');
      expect(await client.hear()).toEqual([]);
      desk.at(1).answer({ code: 'forbidden' });
      expect(await client.hear()).toMatchObject([{ type: 'error', ref: 3, code: 'forbidden' }]);
    });

    test('is cancelled when the socket goes', async () => {
      const { client, actors, desk, subscribe, bugs } = await deciding();
      subscribe(1, 'sport');
      client.transport.cut();
      expect(desk.at(0).signal.aborted).toBe(true);
      desk.at(0).answer(undefined);
      expect(await client.hear()).toEqual([]);
      expect([actors.routing.subscriptions.size, bugs]).toEqual([0, []]);
    });

    test('does not hold up others: each is answered when it is decided', async () => {
      const { client, desk, subscribe } = await deciding();
      for (const ref of [1, 2, 3]) subscribe(ref, `c${ref}`);
      client.say({ type: 'publish', ref: 4, channel: 'chat', topic: 't', data: 1 });
      expect(refs(await client.hear())).toEqual([4]);
      desk.at(2).answer(undefined);
      desk.at(0).answer({ code: 'forbidden' });
      expect(refs(await client.hear())).toEqual([1, 3]);
      desk.at(1).answer(undefined);
      expect(refs(await client.hear())).toEqual([2]);
    });

    test('is answered after welcome, however fast it is decided', async () => {
      const core = createNativeCore({ rules: { decider: { subscribe: async () => undefined } } });
      await core.start();
      const client = core.connect();
      client.say({ type: 'hello', ref: 0 });
      client.say({ type: 'subscribe', ref: 1, channel: 'sport' });
      expect(types(await client.hear()).slice(0, 2)).toEqual(['welcome', 'subscribed']);
    });
  });

  describe('refresh', () => {
    const refreshing = async () => {
      const desk = new Desk<Wish, Verdict>();
      const core = await welcomed({ subscribe: desk.ask });
      const { client } = core;
      for (const channel of ['a', 'b', 'c'])
        client.say({ type: 'subscribe', ref: 1, channel, query: channel });
      for (const { answer } of desk.questions.splice(0)) answer(undefined);
      expect(types(await client.hear())).toEqual(['subscribed', 'subscribed', 'subscribed']);
      client.say({ type: 'refresh', ref: 9, token: tokenWith({ channels: ['other'], exp: NOW_S + 7_200 }) });
      return { ...core, desk };
    };

    test('asks about each subscription again, and ends those that are refused before it is answered', async () => {
      const { client, desk, publish } = await refreshing();
      expect(await client.hear()).toEqual([]);
      expect(desk.questions.map(({ about }) => about)).toEqual(
        ['a', 'b', 'c'].map((channel) => ({ channel, query: JSON.stringify(channel) })),
      );
      expect(desk.at(0).peer.principal.channels).toEqual(['other']);
      desk.at(0).answer({ code: 'forbidden' });
      desk.at(1).answer(undefined);
      expect(await client.hear()).toEqual([{ type: 'unsubscribed', channel: 'a' }]);
      desk.at(2).answer({ code: 'unauthorized' });
      expect(await client.hear()).toEqual([
        { type: 'unsubscribed', channel: 'c' },
        { type: 'refreshed', ref: 9, expiresAt: (NOW_S + 7_200) * 1000 },
      ]);
      for (const channel of ['a', 'b', 'c']) await publish(channel);
      expect(await client.hear()).toMatchObject([{ type: 'event', channel: 'b' }]);
    });

    test('keeps what nobody can decide now', async () => {
      const { client, desk, publish } = await refreshing();
      desk.at(0).answer({ code: 'unavailable' });
      desk.at(1).answer({ code: 'timeout' });
      desk.at(2).answer({ code: 'rate_limited' });
      expect(types(await client.hear())).toEqual(['refreshed']);
      for (const channel of ['a', 'b', 'c']) await publish(channel);
      expect(types(await client.hear())).toEqual(['event', 'event', 'event']);
    });

    test('leaves one that was ended meanwhile to itself', async () => {
      const { client, desk } = await refreshing();
      client.say({ type: 'unsubscribe', ref: 10, channel: 'a' });
      client.say({ type: 'subscribe', ref: 11, channel: 'a' });
      expect(desk.at(0).signal.aborted).toBe(true);
      desk.at(3).answer(undefined);
      expect(refs(await client.hear())).toEqual([10, 11]);
      desk.at(0).answer({ code: 'forbidden' });
      for (const index of [1, 2]) desk.at(index).answer(undefined);
      expect(refs(await client.hear())).toEqual([9]);
      client.say({ type: 'unsubscribe', ref: 12, channel: 'a' });
      expect(types(await client.hear())).toEqual(['unsubscribed']);
    });
  });

  describe('snapshots', () => {
    const snapshots = async () => {
      const desk = new Desk<Wish, Answer | Refusal | undefined>();
      const core = await welcomed({
        snapshot: (peer, wish, signal) =>
          wish.channel === 'sport' ? desk.ask(peer, wish, signal) : Promise.resolve(undefined),
      });
      const subscribe = (): void =>
        core.client.say({ type: 'subscribe', ref: 1, channel: 'sport', query: { short: true } });
      return { ...core, desk, subscribe };
    };

    test('are the state at a position that was taken before, and what follows it comes after', async () => {
      const { client, publish, desk, subscribe } = await snapshots();
      const before = await publish('sport', 1);
      subscribe();
      await settled();
      await publish('sport', 2);
      expect(desk.at(0)).toMatchObject({ about: { channel: 'sport', query: '{"short":true}' } });
      desk.at(0).answer(data({ state: 1 }));
      await settled();
      expect(await client.hear()).toMatchObject([
        { type: 'subscribed', id: before },
        { type: 'snapshot', channel: 'sport', id: before, data: { state: 1 } },
        { type: 'event', data: 2 },
      ]);
    });

    test('are the published ones where the application has none, or gives none', async () => {
      for (const answer of [undefined, { code: 'forbidden' as const }]) {
        const { client, publish, desk, subscribe } = await snapshots();
        await publish('sport', 'published', true);
        subscribe();
        await settled();
        desk.at(0).answer(answer);
        await settled();
        const frames = await client.hear();
        expect(frames.filter(({ type }) => type === 'snapshot')).toMatchObject([{ data: 'published' }]);
      }
    });

    test('of data that was lost before they could be sent are not sent', async () => {
      const desk = new Desk<Wish, Answer | Refusal | undefined>();
      const core = createNativeCore({ rules: { decider: { snapshot: desk.ask } } });
      await core.start();
      await core.publish('user:5');
      const client = core.connect();
      client.say({ type: 'hello', ref: 0 });
      await settled();
      expect(desk.questions.map(({ about }) => about.channel)).toEqual(['user:5', 'session:s-1']);
      // It has to wait for the other channel: both are in one welcome.
      desk.at(0).answer(data('before'));
      await settled();
      core.clock.increment(10);
      core.broker.loseData();
      await core.clock.advance(10_000);
      for (let asked = 1; asked < desk.questions.length; asked++) {
        desk.at(asked).answer(data('after'));
        await settled();
      }
      const frames = await client.hear();
      expect(types(frames)[0]).toBe('welcome');
      const given = frames.filter(({ type }) => type === 'snapshot');
      expect(given.map((frame) => (frame as { data?: unknown }).data)).toEqual(['after', 'after']);
    });

    test('that cannot be had now are asked for again', async () => {
      const { client, clock, desk, subscribe } = await snapshots();
      subscribe();
      await settled();
      desk.at(0).answer({ code: 'unavailable' });
      expect(await client.hear()).toEqual([]);
      await clock.advance(10_000);
      expect(desk.questions.length).toBe(2);
      desk.at(1).answer(data('at last'));
      await settled();
      expect(await client.hear()).toMatchObject([
        { type: 'subscribed' },
        { type: 'snapshot', data: 'at last' },
      ]);
    });
  });

  test('is told who came, what was subscribed and ended, and who went, in this order', async () => {
    const told: unknown[] = [];
    const desk = new Desk<Wish, Verdict>();
    const { client } = await welcomed({
      subscribe: desk.ask,
      connected: ({ socket }) => void told.push(['connected', socket]),
      subscribed: (_, { channel, query }) => void told.push(['subscribed', channel, query]),
      unsubscribed: (_, channel) => void told.push(['unsubscribed', channel]),
      disconnected: ({ socket }, reason) => void told.push(['disconnected', socket, reason]),
    });
    for (const channel of ['a', 'b', 'refused', 'pending']) {
      client.say({ type: 'subscribe', ref: 1, channel, query: 7 });
    }
    desk.at(0).answer(undefined);
    desk.at(1).answer(undefined);
    desk.at(2).answer({ code: 'forbidden' });
    await client.hear();
    client.say({ type: 'unsubscribe', ref: 2, channel: 'a' });
    await client.hear();
    client.transport.cut();
    expect(told).toEqual([
      ['connected', 's0'],
      ['subscribed', 'a', '7'],
      ['subscribed', 'b', '7'],
      ['unsubscribed', 'a'],
      ['unsubscribed', 'b'],
      ['disconnected', 's0', 'gone'],
    ]);
  });
});
