import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { type Frame, NativeClient, tokenWith } from './client.ts';

const API_KEY = 'an-api-key-of-the-integration-tests';

describe('recovery of native channels', () => {
  const prefix = uniquePrefix();
  const env = {
    REDIS_URL: redisUrl(),
    REDIS_STREAM_PREFIX: prefix,
    SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    SIGNALBOX_API_KEYS: API_KEY,
  };
  const instances: Signalbox[] = [];
  const clients: NativeClient[] = [];
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<Signalbox> => {
    const signalbox = await startSignalbox({ ...env, ...more });
    instances.push(signalbox);
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    return signalbox;
  };
  const open = async (port: number, hello: object = {}): Promise<NativeClient> => {
    const client = await NativeClient.open(port, {}, hello);
    clients.push(client);
    return client;
  };
  const publish = async (url: string, body: unknown): Promise<{ id: string }[]> => {
    const response = await fetch(`${url}/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(201);
    return [(await response.json()) as { id: string } | { id: string }[]].flat();
  };
  const numbers = (channel: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => ({ channel, data: from + at }));

  afterEach(async () => {
    for (const client of clients.splice(0)) client.cut();
    await Promise.all(instances.splice(0).map((instance) => instance.stop()));
  });

  test('what one process publishes over HTTP reaches the sockets of another, which resume exactly on a third', async () => {
    const [one, other] = [await start(), await start()];
    const client = await open(other.port);
    const { epoch } = await client.ask({ type: 'subscribe', channel: 'moving' });
    await publish(one.url, numbers('moving', 1, 5));
    expect(await client.hears('moving', 5)).toEqual([1, 2, 3, 4, 5]);
    const lastId = client.events('moving').at(-1)?.id;
    client.cut();
    await publish(one.url, numbers('moving', 6, 9));
    const third = await start({ SIGNALBOX_WINDOW_MAX_EVENTS: '2' });
    const back = await open(third.port);
    const subscribed = await back.ask({ type: 'subscribe', channel: 'moving', lastId, epoch });
    expect(subscribed).toMatchObject({ id: lastId, epoch, recovered: true });
    await publish(one.url, numbers('moving', 10, 10));
    expect(await back.hears('moving', 5)).toEqual([6, 7, 8, 9, 10]);
  });

  test('a replay of 20,000 events comes whole, in order, and into no more memory than a socket may hold', async () => {
    const { url, port, system } = await start({
      SIGNALBOX_HISTORY_MAX_LENGTH: '30000',
      SIGNALBOX_WINDOW_MAX_EVENTS: '100',
      MAX_SOCKET_BUFFER_BYTES: '65536',
    });
    const [first] = await publish(url, { channel: 'long', data: 0 });
    const text = 'x'.repeat(200);
    for (let from = 1; from <= 20_000; from += 1_000) {
      const batch = numbers('long', from, from + 999);
      await publish(
        url,
        batch.map(({ channel, data }) => ({ channel, data: { n: data, text } })),
      );
    }
    const client = await open(port);
    client.pause();
    client.send({ type: 'subscribe', ref: 'late', channel: 'long', lastId: first?.id });
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 10);
    // Others are served meanwhile.
    const other = await open(port);
    await other.ask({ type: 'subscribe', channel: 'short' });
    await publish(url, numbers('short', 1, 3));
    expect(await other.hears('short', 3)).toEqual([1, 2, 3]);
    clearInterval(watch);
    client.resume();
    await publish(url, { channel: 'long', data: { n: 20_001 } });
    await eventually('the last one', () => client.events('long').length >= 20_001, 60_000);
    const heard = client.events('long').map(({ data }) => (data as { n: number }).n);
    expect(heard).toEqual(Array.from({ length: 20_001 }, (_, at) => at + 1));
    expect(client.frames.find(({ type }) => type === 'subscribed')).toMatchObject({ recovered: true });
    expect(client.frames.filter(({ type }) => type === 'gap')).toEqual([]);
    // While it did not read: entries and frames of all of it are more than 10 MB, of a page a few hundred kilobytes,
    // and what is not collected yet comes on top.
    expect(most).toBeLessThan(5_000_000);
    expect(system.isReady()).toBe(true);
  }, 120_000);

  test('a snapshot comes first, and what happened since follows', async () => {
    const { url, port } = await start();
    await publish(url, numbers('stock', 1, 2));
    const [kept] = await publish(url, { channel: 'stock', data: { sum: 3 }, snapshot: true });
    await publish(url, numbers('stock', 4, 5));
    const client = await open(port);
    const subscribed = await client.ask({ type: 'subscribe', channel: 'stock' });
    expect(subscribed).toMatchObject({ id: kept?.id, recovered: true });
    expect(await client.receives(({ type }) => type === 'snapshot')).toEqual({
      type: 'snapshot',
      channel: 'stock',
      id: kept?.id,
      data: { sum: 3 },
    });
    await publish(url, numbers('stock', 6, 6));
    expect(await client.hears('stock', 3)).toEqual([4, 5, 6]);
  });

  test('positions of hello resume the channel of the user, to which messages go', async () => {
    const { url, port } = await start();
    const send = async (content: number): Promise<void> => {
      const response = await fetch(`${url}/message`, {
        method: 'POST',
        headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ username: '5', content }),
      });
      expect(response.status).toBe(200);
    };
    const client = await open(port);
    await send(1);
    await client.hears('user:5', 1);
    const [event] = client.events('user:5');
    const epoch = (client.frames[0] as Frame & { subscriptions: { epoch: string }[] }).subscriptions[0]
      ?.epoch;
    client.cut();
    await send(2);
    const back = await open(port, { positions: { 'user:5': event?.id, other: '1-0' }, epoch });
    expect(back.frames[0]).toMatchObject({
      type: 'welcome',
      subscriptions: [{ channel: 'user:5', id: event?.id, recovered: true }],
    });
    expect(await back.hears('user:5', 1)).toEqual([2]);
  });

  test('a ticket opens one socket, history is what sockets hear, and both need a token', async () => {
    const { url, port } = await start();
    await publish(url, numbers('past', 1, 3));
    const authorization = `Bearer ${tokenWith()}`;
    const minted = await fetch(`${url}/ticket`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{}',
    });
    const { ticket } = (await minted.json()) as { ticket: string };
    const byTicket = { token: '', protocols: [`signalbox.ticket.${ticket}`] };
    const client = await NativeClient.open(port, byTicket);
    clients.push(client);
    await client.ask({ type: 'subscribe', channel: 'past', lastId: '0-1' });
    const heard = await client.hears('past', 3);
    const again = new NativeClient(port, byTicket);
    expect(await again.closes()).toEqual({ code: 4401, reason: 'unauthorized' });
    const response = await fetch(`${url}/history?channel=past&limit=2`, { headers: { authorization } });
    const part = (await response.json()) as { events: Frame[]; next: string; gap: unknown };
    expect(part.events).toEqual(client.events('past').slice(0, 2));
    expect([part.next, part.gap]).toEqual([part.events[1]?.id, null]);
    expect(heard).toEqual([1, 2, 3]);
  });
});
