import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { answering, type HookRequest, HookServer } from '../../test/support/hook-server.ts';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { NativeClient, tokenWith } from './client.ts';

const secret = `whsec_${Buffer.from('what both of them know, 32 bytes').toString('base64')}`;

/** An application, as a program answers for all of its hooks. */
function application(answers: Readonly<Record<string, (json: HookRequest['json']) => [number, unknown?]>>) {
  return (...[response, request]: Parameters<HookServer['answer']>): void => {
    // As a receiver does: who asks is known before anything is answered.
    new Webhook(secret).verify(request.text, request.headers);
    const [status, body] = answers[String(request.json['hook'])]?.(request.json) ?? [204];
    answering(status, body)(response, request);
  };
}

describe('HTTP hooks of the built server', () => {
  let hooks: HookServer;
  let signalbox: SignalboxProcess;

  const told = (hook: string): HookRequest['json'][] =>
    hooks.requests.map(({ json }) => json).filter((json) => json['hook'] === hook);
  const hears = (hook: string, isIt: (json: HookRequest['json']) => boolean = () => true) =>
    eventually(`${hook} was told`, () => told(hook).find(isIt));

  const start = async (): Promise<void> => {
    const url = hooks.url('/signalbox');
    signalbox = await startProcess({
      SIGNALBOX_BROKER: 'memory',
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_HOOKS_CONNECT: url,
      SIGNALBOX_HOOKS_DISCONNECT: url,
      SIGNALBOX_HOOKS_SUBSCRIBE: url,
      SIGNALBOX_HOOKS_UNSUBSCRIBE: url,
      SIGNALBOX_HOOKS_ASK: url,
      SIGNALBOX_HOOKS_TELL: url,
      SIGNALBOX_HOOKS_SNAPSHOT: url,
      SIGNALBOX_HOOKS_SECRET: secret,
    });
  };

  beforeAll(async () => {
    hooks = await HookServer.start();
    await start();
  });
  afterEach(() => {
    hooks.answer = answering(204);
    hooks.requests.splice(0);
  });
  afterAll(async () => {
    await signalbox.end();
    await hooks.stop();
  });

  test('connect lets a client in, or closes its socket with what it says', async () => {
    hooks.answer = application({
      connect: ({ principal }) =>
        (principal as { user: string }).user === 'banned' ? [403] : [401, { code: 'rate_limited' }],
    });
    const banned = new NativeClient(signalbox.port, {
      token: tokenWith({ sub: 'banned' }),
      path: '/app?x=1',
    });
    expect(await banned.closes()).toEqual({ code: 4403, reason: 'forbidden' });
    expect(told('connect')).toMatchObject([
      { principal: { user: 'banned' }, request: { target: '/app?x=1', address: expect.any(String) } },
    ]);
    expect(JSON.stringify(told('connect'))).not.toContain(tokenWith({ sub: 'banned' }).slice(0, 30));
    const often = new NativeClient(signalbox.port);
    expect(await often.closes()).toEqual({ code: 4429, reason: 'rate_limited' });
    expect(told('disconnect')).toEqual([]);
    hooks.answer = application({});
    const client = await NativeClient.open(signalbox.port);
    expect(client.frames[0]).toMatchObject({ type: 'welcome' });
    client.cut();
  });

  test('subscribe decides about channels, whatever the token says', async () => {
    hooks.answer = application({
      subscribe: ({ channel, query }) =>
        channel === 'sport' && (query as { paid?: boolean })?.paid === true
          ? [204]
          : [402, { code: 'forbidden', message: 'Not paid.' }],
      snapshot: () => [404],
    });
    const client = await NativeClient.open(signalbox.port, { token: tokenWith({ channels: ['news'] }) });
    expect(await client.ask({ type: 'subscribe', channel: 'news' })).toMatchObject({
      type: 'error',
      code: 'forbidden',
      message: 'Not paid.',
    });
    const subscribed = await client.ask({ type: 'subscribe', channel: 'sport', query: { paid: true } });
    expect(subscribed).toMatchObject({ type: 'subscribed', channel: 'sport' });
    await client.ask({ type: 'publish', channel: 'sport', topic: 'goal', data: 1 });
    expect(await client.hears('sport', 1)).toEqual([1]);
    await client.ask({ type: 'unsubscribe', channel: 'sport' });
    expect(await hears('unsubscribe')).toMatchObject({ channel: 'sport', principal: { user: '5' } });
    client.cut();
  });

  test('ask and tell are answered by the application', async () => {
    hooks.answer = application({
      ask: ({ topic }) => (topic === 'time' ? [200, '{ "data": {"at":3} }'] : [404]),
      tell: ({ topic }) => (topic === 'liked' ? [204] : [401]),
    });
    const client = await NativeClient.open(signalbox.port);
    expect(await client.ask({ type: 'ask', topic: 'time', data: { zone: 'UTC' } })).toMatchObject({
      type: 'answer',
      data: { at: 3 },
    });
    expect(told('ask')).toMatchObject([{ topic: 'time', data: { zone: 'UTC' } }]);
    expect(await client.ask({ type: 'ask', topic: 'x' })).toMatchObject({ code: 'no_handler' });
    expect(await client.ask({ type: 'tell', topic: 'liked', data: 7 })).toMatchObject({ type: 'told' });
    expect(await client.ask({ type: 'tell', topic: 'x' })).toMatchObject({ code: 'unauthorized' });
    client.cut();
  });

  test('snapshot gives the state of a channel to whoever comes without a position', async () => {
    hooks.answer = application({ snapshot: () => [200, { data: { score: '2:1' } }] });
    const client = await NativeClient.open(signalbox.port);
    const { id } = await client.ask({ type: 'subscribe', channel: 'match', query: 'short' });
    expect(
      await client.receives(({ type, channel }) => type === 'snapshot' && channel === 'match'),
    ).toMatchObject({
      id,
      data: { score: '2:1' },
    });
    expect(told('snapshot')).toContainEqual(expect.objectContaining({ channel: 'match', query: 'short' }));
    client.cut();
  });

  test('disconnect is told why, after the subscriptions that ended with it', async () => {
    const client = await NativeClient.open(signalbox.port);
    const { socket } = client.frames[0] as unknown as { socket: string };
    await client.ask({ type: 'subscribe', channel: 'sport' });
    client.cut();
    expect(await hears('disconnect', (json) => json['socket'] === socket)).toMatchObject({ reason: 'gone' });
    expect(await hears('unsubscribe', (json) => json['socket'] === socket)).toMatchObject({
      channel: 'sport',
    });
  });

  test('an application that is gone is unavailable, and works again when it is back', async () => {
    const client = await NativeClient.open(signalbox.port);
    expect(await client.ask({ type: 'ask', topic: 'time' })).toMatchObject({ type: 'answer', data: null });
    await hooks.stop();
    expect(await client.ask({ type: 'ask', topic: 'time' })).toMatchObject({ code: 'unavailable' });
    expect(await client.ask({ type: 'subscribe', channel: 'sport' })).toMatchObject({ code: 'unavailable' });
    expect(await new NativeClient(signalbox.port).closes()).toEqual({ code: 1013, reason: 'unavailable' });
    client.cut();
    await hooks.start();
    const back = await NativeClient.open(signalbox.port);
    expect(await back.ask({ type: 'ask', topic: 'time' })).toMatchObject({ type: 'answer', data: null });
    expect(await back.ask({ type: 'subscribe', channel: 'sport' })).toMatchObject({ type: 'subscribed' });
    expect(await hears('disconnect')).toMatchObject({ reason: 'gone' });
    back.cut();
  });

  test('what clients and the application say is in no log, nor is the secret', async () => {
    hooks.answer = application({ ask: () => [500, { data: 'the answer' }] });
    const client = await NativeClient.open(signalbox.port);
    await client.ask({ type: 'ask', topic: 'time', data: 'the question' });
    const line = await eventually('a line', () =>
      signalbox
        .output()
        .split('\n')
        .find((text) => text.includes('A hook gave no answer') && text.includes('"outcome":"failed"')),
    );
    expect(JSON.parse(line)).toMatchObject({ hook: 'ask', status: 500 });
    for (const word of ['the question', 'the answer', secret.slice(6)]) {
      expect(signalbox.output()).not.toContain(word);
    }
    client.cut();
  });

  test('who is connected when the server ends is told of before it has ended', async () => {
    const client = await NativeClient.open(signalbox.port);
    const { socket } = client.frames[0] as unknown as { socket: string };
    expect(await signalbox.end()).toBe(0);
    expect(told('disconnect')).toContainEqual(expect.objectContaining({ socket, reason: 'drain' }));
    await start();
  });
});
