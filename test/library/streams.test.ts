import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import type { Contract, SignalboxOptions } from '../../src/index.ts';
import { heard, type Started, startProgram } from './program.ts';
import { RawClient } from './raw-client.ts';

let started: Started<Contract>;
let sources: EventSource[] = [];

async function start(options: SignalboxOptions<Contract> = {}): Promise<Started<Contract>> {
  started = await startProgram(options);
  return started;
}

afterEach(async () => {
  for (const source of sources) source.close();
  sources = [];
  await started.stop();
});

const http = (): string => started.url.replace('ws:', 'http:');

const headersOf = (user: string) => ({ authorization: `Bearer ${user}` });

/** An EventSource as a browser's, of this user. */
function open(query: string, user = 'ann'): EventSource {
  const source = new EventSource(`${http()}/events${query}`, {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headersOf(user) } }),
  });
  sources.push(source);
  return source;
}

/** The next event of a name. */
const next = (source: EventSource, name: string): Promise<MessageEvent> =>
  heard((resolve) => source.addEventListener(name, resolve, { once: true }));

const opened = (source: EventSource): Promise<unknown> => next(source, 'open');

/** What a stream says from its beginning until it has said `end`. */
async function read(
  query: string,
  end: string | RegExp,
  headers: Record<string, string> = headersOf('ann'),
): Promise<string> {
  const controller = new AbortController();
  const response = await fetch(`${http()}/events${query}`, { headers, signal: controller.signal });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (typeof end === 'string' ? text.includes(end) : end.test(text)) break;
  }
  controller.abort();
  return text;
}

describe('a stream of native channels', () => {
  test('begins with its own retry, and has each event with its topic, its data and its position', async () => {
    const { signalbox } = await start();
    const reading = read('?channel=sport', '\ndata: {"n":1}\n\n');
    await heard(signalbox.onSocket);
    const id = await signalbox.publish('sport', 'goal', { n: 1 });
    const text = await reading;
    expect(text).toMatch(/^retry: \d{4}\n\n/);
    expect(text).toMatch(new RegExp(`\\nid: [\\w-]+\\.${id}\\nevent: goal\\ndata: \\{"n":1\\}\\n\\n$`));
  });

  test('says what every stream needs against what is between it and its reader', async () => {
    await start();
    const controller = new AbortController();
    const { status, headers } = await fetch(`${http()}/events?channel=a`, {
      headers: headersOf('ann'),
      signal: controller.signal,
    });
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'private, no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      vary: expect.stringContaining('Origin'),
    });
    expect(headers.get('transfer-encoding')).toBeNull();
    controller.abort();
  });

  test('resumes from Last-Event-ID, of several channels in the order of their ids, once each', async () => {
    const { signalbox } = await start({ config: { window: { maxEvents: 3 } } });
    const first = open('?channel=a&channel=b');
    await opened(first);
    const one = next(first, 'n');
    await signalbox.publish('a', 'n', 0);
    const { lastEventId } = await one;
    first.close();
    for (let n = 1; n <= 500; n += 1)
      await signalbox.publish(n % 3 === 0 ? 'b' : n % 3 === 1 ? 'a' : 'c', 'n', n);
    const text = await read(`?channel=a&channel=b&lastEventId=${lastEventId}`, '\ndata: 499\n');
    const heardOf = [...text.matchAll(/^data: (\d+)$/gm)].map(([, n]) => Number(n));
    expect(heardOf).toEqual(Array.from({ length: 499 }, (_, at) => at + 1).filter((n) => n % 3 !== 2));
    const ids = [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('begins after the event whose id publishing gave', async () => {
    const { signalbox } = await start();
    const id = await signalbox.publish('a', 'n', 1);
    await signalbox.publish('a', 'n', 2);
    const text = await read(`?channel=a&lastEventId=${id}`, '\ndata: 2\n');
    expect(text).not.toContain('data: 1\n');
  });

  test('the header wins over the parameter, which a page wrote before', async () => {
    const { signalbox } = await start();
    const ids: string[] = [];
    for (const n of [0, 1, 2]) ids.push(await signalbox.publish('a', 'n', n));
    const source = open('?channel=a');
    await opened(source);
    const last = next(source, 'n');
    await signalbox.publish('a', 'n', 3);
    const epoch = (await last).lastEventId.split('.')[0] ?? '';
    const headers = { ...headersOf('ann'), 'last-event-id': `${epoch}.${ids[1]}` };
    const text = await read(`?channel=a&lastEventId=${epoch}.${ids[0]}`, '\ndata: 3\n', headers);
    expect([...text.matchAll(/^data: (\d+)$/gm)].map(([, n]) => n)).toEqual(['2', '3']);
  });

  test('tells a gap where the broker has no more what was missed, and of another life of it', async () => {
    const { signalbox } = await start({ config: { window: { maxEvents: 1 }, history: { maxLength: 2 } } });
    const source = open('?channel=a');
    await opened(source);
    const one = next(source, 'n');
    await signalbox.publish('a', 'n', 0);
    const { lastEventId } = await one;
    source.close();
    for (const n of [1, 2, 3, 4]) await signalbox.publish('a', 'n', n);
    const text = await read(`?channel=a&lastEventId=${lastEventId}`, '\ndata: 4\n');
    expect(text).toMatch(
      /\nid: \S+\nevent: gap\ndata: \{"after":"\d+-\d+","id":"\d+-\d+","reason":"trimmed"\}\n\n/,
    );
    const other = await read(`?channel=a&lastEventId=other.${lastEventId.split('.')[1]}`, 'event: gap');
    expect(other).toContain('event: gap');
  });

  test('says where it begins, so that who is cut off before the first event misses nothing', async () => {
    const { signalbox } = await start();
    await signalbox.publish('b', 'n', 0);
    for (const frames of ['', '&frames=signalbox.v1']) {
      const socket = heard(signalbox.onSocket);
      const reading = read(`?channel=a${frames}`, /\{"end":1\}[^]*\n\n$/);
      await socket;
      await signalbox.publish('a', 'n', { end: 1 });
      // Before anything was published, and before any ping.
      const [, position] =
        /^retry: \d+\n\nid: (\S+)\n(?:data: .*welcome.*\n)?\n(?:data: .*ping.*\n\n)?id: /.exec(
          await reading,
        ) ?? [];
      const again = await read(`?channel=a&lastEventId=${position}`, '{"end":1}\n');
      expect(again.match(/^data: /gm)).toHaveLength(1);
    }
  });

  test.each(['?channel=a&channel=b', '?channel=a&channel=b&lastEventId=another-life.1-0'])(
    'says when to come back before anything else: %s',
    async (query) => {
      await start();
      expect(await read(query, /id: [^]*\n\n/)).toMatch(/^retry: \d+\n\n/);
    },
  );

  test('says it with the snapshot, or the gap, where there is one: neither is missed then', async () => {
    const { signalbox } = await start({ config: { window: { maxEvents: 1 }, history: { maxLength: 1 } } });
    await signalbox.publish('list', 'set', [1], { snapshot: true });
    expect(await read('?channel=list', 'data: [1]\n')).toMatch(/^retry: \d+\n\nid: \S+\nevent: snapshot\n/);
    const frames = await read('?channel=list&frames=signalbox.v1', '"snapshot"');
    expect(frames.slice(0, frames.indexOf('"snapshot"')).match(/^id: /gm)).toHaveLength(1);
    expect(frames).toMatch(/^retry: \d+\n\ndata: \{"type":"welcome"/);
    const [, epoch] = /^id: ([^.]+)\./m.exec(frames) ?? [];
    await signalbox.publish('list', 'add', 2);
    await signalbox.publish('list', 'add', 3);
    const late = await read(`?channel=list&lastEventId=${epoch}.1-1`, 'event: gap');
    expect(late).toMatch(/^retry: \d+\n\nid: \S+\nevent: gap/);
    const lateFrames = await read(`?channel=list&lastEventId=${epoch}.1-1&frames=signalbox.v1`, '"gap"');
    expect(lateFrames).toContain('"recovered":false');
  });

  test('begins with the snapshot of its channel, and the events after it', async () => {
    const { signalbox } = await start();
    await signalbox.publish('list', 'set', ['a'], { snapshot: true });
    await signalbox.publish('list', 'add', 'b');
    const text = await read('?channel=list', 'event: add\ndata: "b"');
    expect(text).toMatch(/event: snapshot\ndata: \["a"\]\n\nid: \S+\nevent: add\ndata: "b"/);
  });

  test('has the snapshot of its channel after a gap, too, and the events after it', async () => {
    const { signalbox } = await start({ snapshot: () => ['all'] });
    const reading = read('?channel=list&lastEventId=lost.1-0', 'event: add\ndata: "b"');
    await heard(signalbox.onSocket);
    await signalbox.publish('list', 'add', 'b');
    expect(await reading).toMatch(
      /event: gap\ndata: \{.*\}\n\n[^]*event: snapshot\ndata: \["all"\]\n\n[^]*event: add\ndata: "b"/,
    );
  });

  test('goes on with the position of a WebSocket, and a WebSocket with its', async () => {
    const { signalbox, client } = await start();
    const connection = client('ann');
    const subscription = connection.subscribe('a');
    const one = heard<unknown>((resolve) => subscription.on('n', resolve));
    await heard(signalbox.onSocket);
    await new Promise<void>((resolve) => {
      if (subscription.state === 'live') resolve();
      else subscription.onState(() => resolve());
    });
    await signalbox.publish('a', 'n', 1);
    await one;
    const position = subscription.position;
    connection.close();
    await signalbox.publish('a', 'n', 2);
    const source = open(`?channel=a&lastEventId=${position?.epoch}.${position?.lastId}`);
    const { data, lastEventId } = await next(source, 'n');
    expect(data).toBe('2');
    source.close();
    await signalbox.publish('a', 'n', 3);
    const [epoch = '', lastId = ''] = lastEventId.split('.');
    const again = client('ann').subscribe('a', { epoch, lastId });
    expect(await heard((resolve) => again.on('n', resolve))).toBe(3);
  });

  test('cannot be made to say what it does not, whatever the data holds', async () => {
    const { signalbox } = await start();
    const reading = read('?channel=a', '\nevent: end\n');
    await heard(signalbox.onSocket);
    await signalbox.publish('a', 'n', 'one\r\nid: 5\n\nevent: forged\rretry: 1\u2028\u0000');
    const response = await fetch(`${http()}/publish`, {
      method: 'POST',
      headers: { ...headersOf('ann'), 'content-type': 'application/json' },
      body: '{"channel":"a","topic":"n","data":{\r\n"a":\r1,\n"b":2}}',
    });
    expect(response.status).toBe(201);
    await signalbox.publish('a', 'end', 0);
    const text = await reading;
    expect(text).toContain('data: "one\\r\\nid: 5\\n\\nevent: forged\\rretry: 1\u2028\\u0000"\n\n');
    expect(text).toContain('data: {\ndata: "a":\ndata: 1,\ndata: "b":2}\n\n');
    expect(text.match(/^retry:/gm)).toHaveLength(1);
  });

  test('speaks signalbox.v1 to who asks for it, so that each event says its channel', async () => {
    const { signalbox } = await start();
    const source = open('?channel=a&channel=b&frames=signalbox.v1');
    const welcome = JSON.parse((await next(source, 'message')).data) as Record<string, unknown>;
    expect(welcome).toMatchObject({
      type: 'welcome',
      user: 'ann',
      subscriptions: [
        { channel: 'a', recovered: true },
        { channel: 'b', recovered: true },
      ],
    });
    const event = next(source, 'message');
    const id = await signalbox.publish('b', 'n', 5);
    const { data, lastEventId } = await event;
    expect(JSON.parse(data)).toMatchObject({ type: 'event', channel: 'b', topic: 'n', id, data: 5 });
    expect(lastEventId.endsWith(`.${id}`)).toBe(true);
  });

  test('says to who asks for signalbox.v1 and one channel when its beginning is over, with a snapshot or without', async () => {
    const { signalbox } = await start();
    await signalbox.publish('list', 'set', ['a'], { snapshot: true });
    const types = async (channel: string): Promise<(string | undefined)[]> => {
      const text = await read(`?channel=${channel}&frames=signalbox.v1`, /"type":"ping"/);
      return [...text.matchAll(/^data: \{"type":"(\w+)"/gm)].map(([, type]) => type);
    };
    expect(await types('list')).toEqual(['welcome', 'snapshot', 'ping']);
    expect(await types('other')).toEqual(['welcome', 'ping']);
  });

  test('is told things, ended, and seen by the program as any socket', async () => {
    const happened: string[] = [];
    const { signalbox } = await start({
      onSubscribe: ({ user }, channel) => void happened.push(`${user} has ${channel}`),
      onUnsubscribe: ({ user }, channel) => void happened.push(`${user} leaves ${channel}`),
      onDisconnect: ({ user }, reason) => void happened.push(`${user} goes: ${reason}`),
    });
    const source = open('?channel=a');
    const told = next(source, 'notice');
    const socket = await heard(signalbox.onSocket);
    expect(signalbox.channel('a').sockets).toHaveLength(1);
    await signalbox.tell({ user: 'ann' }, 'notice', { at: 5 });
    expect((await told).data).toBe('{"at":5}');
    const gone = heard((resolve) => socket.onClose(resolve));
    expect(await signalbox.boot({ socket: socket.id })).toEqual({ closed: 1, unconfirmed: [] });
    expect(await gone).toBe('ended');
    expect(happened.slice(0, 3)).toEqual(['ann has a', 'ann leaves a', 'ann goes: ended']);
  });

  test('is one of the channels of the user and the session when it asks for none', async () => {
    const { signalbox } = await start();
    const source = open('', 'ann/s1');
    await opened(source);
    const event = next(source, 'message');
    await signalbox.publish('session:s1', 'message', 'hello');
    expect((await event).data).toBe('"hello"');
  });

  test('tells the program of no channel that is its user’s or session’s own, as of any socket', async () => {
    const happened: string[] = [];
    const { signalbox } = await start({
      onSubscribe: (_, channel) => void happened.push(`has ${channel}`),
      onUnsubscribe: (_, channel) => void happened.push(`leaves ${channel}`),
      onDisconnect: (_, reason) => void happened.push(`goes: ${reason}`),
    });
    open('?channel=user:ann&channel=a&channel=session:s1', 'ann/s1');
    const socket = await heard(signalbox.onSocket);
    const gone = heard((resolve) => socket.onClose(resolve));
    await signalbox.boot({ socket: socket.id });
    await gone;
    expect(happened.slice(0, 3)).toEqual(['has a', 'leaves a', 'goes: ended']);
  });

  describe('is refused', () => {
    test.each([
      ['without a token', '?channel=a', {}, 401],
      ['a channel of somebody else', '?channel=user:bob', headersOf('ann'), 403],
      ['a name that is none', '?channel=_a', headersOf('ann'), 400],
      ['a position that is none', '?channel=a&lastEventId=5', headersOf('ann'), 400],
      ['from another origin', '?channel=a', { ...headersOf('ann'), origin: 'https://evil.example' }, 403],
    ])('%s, and for good', async (_, query, headers, status) => {
      await start();
      const response = await fetch(`${http()}/events${query}`, { headers });
      expect([response.status, response.headers.get('content-type')]).toEqual([
        status,
        'application/problem+json; charset=utf-8',
      ]);
    });

    test('what the program does not allow', async () => {
      await start({ authorize: (_, channel) => channel === 'a' });
      expect((await fetch(`${http()}/events?channel=b`, { headers: headersOf('ann') })).status).toBe(403);
      expect(await read('?channel=a', 'retry:')).toContain('retry:');
    });

    test('for now at a limit, with a time to come back, since an EventSource gives up at any other status', async () => {
      await start({ config: { maxTotalConnections: 1 } });
      const first = open('?channel=a');
      await opened(first);
      const response = await fetch(`${http()}/events?channel=a`, { headers: headersOf('ann') });
      expect(response.status).toBe(200);
      expect(await response.text()).toMatch(/^retry: \d+\n\n$/);
    });
  });

  test('counts with the WebSockets of its user, whichever of them comes last', async () => {
    const { url } = await start({ config: { maxConnectionsPerChannel: 1 } });
    const source = open('?channel=a');
    await opened(source);
    const socket = new RawClient(url, 'ann');
    expect((await socket.whenClosed()).code).toBe(1013);
    const other = await RawClient.open(url, 'bob');
    const response = await fetch(`${http()}/events?channel=a`, { headers: headersOf('bob') });
    expect(await response.text()).toMatch(/^retry: \d+\n\n$/);
    other.socket.terminate();
  });

  test('lets a client that came by a ticket come back by the cookie it was given, and nobody else', async () => {
    const { signalbox } = await start();
    const minted = await fetch(`${http()}/ticket`, { method: 'POST', headers: headersOf('ann') });
    const { ticket } = (await minted.json()) as { ticket: string };
    const query = `?channel=a&ticket=${ticket}`;
    const controller = new AbortController();
    const response = await fetch(`${http()}/events${query}`, { signal: controller.signal });
    const cookie = response.headers.get('set-cookie') ?? '';
    controller.abort();
    expect(cookie).toMatch(/^signalbox-stream=[\w.-]+; .*Path=\/events/);
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    expect((await fetch(`${http()}/events${query}`)).status).toBe(401);
    const back = { cookie: cookie.split(';')[0] ?? '', 'sec-fetch-site': 'same-origin' };
    const reading = read(query, '\ndata: 5\n', back);
    await heard(signalbox.onSocket);
    await signalbox.publish('a', 'n', 5);
    expect(await reading).toContain('data: 5');
    const other = await fetch(`${http()}/ticket`, { method: 'POST', headers: headersOf('bob') });
    const { ticket: another } = (await other.json()) as { ticket: string };
    const used = await fetch(`${http()}/events?channel=a&ticket=${another}`, { headers: back });
    // As bob, whose ticket this is.
    expect(used.headers.get('set-cookie')).not.toBeNull();
    await used.body?.cancel();
    expect((await fetch(`${http()}/history?channel=a`, { headers: back })).status).toBe(401);
  });

  test('lets several pages of a browser come back, each by its own ticket', async () => {
    await start();
    const queries: string[] = [];
    let cookie = '';
    for (let page = 0; page < 3; page += 1) {
      const minted = await fetch(`${http()}/ticket`, { method: 'POST', headers: headersOf('ann') });
      const { ticket } = (await minted.json()) as { ticket: string };
      const query = `?channel=a&ticket=${ticket}`;
      const from = cookie === '' ? {} : { cookie, 'sec-fetch-site': 'same-origin' };
      const response = await fetch(`${http()}/events${query}`, { headers: { ...from } });
      cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      await response.body?.cancel();
      queries.push(query);
    }
    for (const query of queries) {
      expect(await read(query, 'retry:', { cookie, 'sec-fetch-site': 'same-origin' })).toContain('retry:');
    }
  });

  test('answers HEAD with its headers, and opens nothing', async () => {
    const { signalbox } = await start();
    const response = await fetch(`${http()}/events?channel=a`, { method: 'HEAD', headers: headersOf('ann') });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(signalbox.sockets).toEqual([]);
  });

  test('serves a client of HTTP/1.0, as a proxy with its defaults is one', async () => {
    const { signalbox } = await start();
    const { hostname, port } = new URL(http());
    const socket = connectTcp(Number(port), hostname);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.write(
      `GET /events?channel=a HTTP/1.0\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ann\r\n\r\n`,
    );
    await heard(signalbox.onSocket);
    await signalbox.publish('a', 'n', 5);
    await signalbox.bootAll();
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nretry: \d+\n\n[^]*data: 5\n\n$/);
  });

  test('ends each with a retry of its own when the server is stopped', async () => {
    const { signalbox } = await start();
    const readings = [1, 2, 3].map(() => read('?channel=a', /retry: \d+\n\n[^]*retry: \d+\n\n$/));
    for (let count = 0; count < 3; ) {
      await heard(signalbox.onSocket);
      count = signalbox.sockets.length;
    }
    await signalbox.stop();
    const texts = await Promise.all(readings);
    const retries = texts.map((text) => [...text.matchAll(/^retry: (\d+)$/gm)].at(-1)?.[1]);
    expect(new Set(retries).size).toBeGreaterThan(1);
  });
});
