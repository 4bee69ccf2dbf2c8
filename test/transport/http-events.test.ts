import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Wish } from '../../src/decider/decider.ts';
import type { EventsDeps } from '../../src/transport/http-events.ts';
import type { Http, HttpDeps } from '../../src/transport/http.ts';
import { serveHttp } from '../support/http-surface.ts';
import { tokenWith } from '../support/native-auth.ts';
import { endingStreams, nativeHttp } from '../support/native-http.ts';

let http: Http;
let port: number;
let url: string;

let onRefused: () => void;

async function serve(events: Partial<EventsDeps>, others: Partial<HttpDeps> = {}): Promise<void> {
  onRefused = () => {};
  const all = { ...endingStreams(), onRefused: () => onRefused(), ...events };
  ({ http, port, url } = await serveHttp({ events: all, ...others }));
}

afterEach(async () => {
  await http.close();
});

const bearer = { authorization: `Bearer ${tokenWith({ channels: ['*'] })}` };

async function ticketOf(): Promise<string> {
  const minted = await fetch(`${url}/ticket`, { method: 'POST', headers: bearer });
  return ((await minted.json()) as { ticket: string }).ticket;
}

describe('GET /events', () => {
  test('answers HEAD without the cookie, which only a ticket that is used up is worth', async () => {
    await serve({});
    const target = `${url}/events?channel=a&ticket=${await ticketOf()}`;
    const asked = await fetch(target, { method: 'HEAD' });
    expect([asked.status, asked.headers.get('set-cookie')]).toEqual([200, null]);
    const first = await fetch(target);
    expect(first.headers.get('set-cookie')).toContain('signalbox-stream=');
    const again = await fetch(target, { method: 'HEAD' });
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  test('is 401 for a ticket that holds no JSON, whatever cookie comes with it', async () => {
    await serve({});
    const opened = await fetch(`${url}/events?channel=a&ticket=${await ticketOf()}`);
    const cookie = (opened.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const header = Buffer.from('{"alg":"HS256"}').toString('base64url');
    const forged = `${header}.${Buffer.from('no JSON').toString('base64url')}.c2ln`;
    const response = await fetch(`${url}/events?channel=a&ticket=${forged}`, {
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    });
    expect(response.status).toBe(401);
  });

  test('leaves nothing on a connection that is kept', async () => {
    await serve({ decider: { subscribe: async () => ({ code: 'forbidden' }) } });
    const connections = new Set<unknown>();
    http.server.on('request', ({ socket }: IncomingMessage) => connections.add(socket));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const counts: number[] = [];
    for (let asked = 0; asked < 3; asked += 1) {
      const asking = request({ port, path: '/events?channel=a', agent, headers: bearer }).end();
      const [response] = (await once(asking, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      const [connection] = connections as Set<Socket>;
      counts.push(connection?.listenerCount('close') ?? 0);
    }
    agent.destroy();
    expect(connections.size).toBe(1);
    expect(new Set(counts).size).toBe(1);
  });

  test('asks the application nothing more once it has refused', async () => {
    const asked: string[] = [];
    await serve({
      decider: {
        connect: async () => {
          asked.push('connect');
          return { code: 'forbidden' };
        },
        subscribe: async (_, { channel }) => {
          asked.push(channel);
          return undefined;
        },
      },
    });
    const response = await fetch(`${url}/events?channel=a&channel=b`, { headers: bearer });
    expect([response.status, asked]).toEqual([403, ['connect']]);
  });

  test('tells the application what is asked of a channel, byte for byte', async () => {
    const asked: Wish[] = [];
    const opened: (readonly Wish[])[] = [];
    await serve({
      streams: {
        hasTooMany: () => false,
        open({ wishes, response }) {
          opened.push(wishes);
          response.end();
        },
      },
      decider: {
        subscribe: async (_, wish) => {
          asked.push(wish);
          return undefined;
        },
      },
    });
    const query = encodeURIComponent('{"team": 7.0}');
    const target = `/events?channel=a&channel=b:c&query[b:c]=${query}`;
    expect((await fetch(`${url}${target}`, { headers: bearer })).status).toBe(200);
    const wishes = [{ channel: 'a' }, { channel: 'b:c', query: '{"team": 7.0}' }];
    expect([asked, opened]).toEqual([wishes, [wishes]]);
  });

  test.each([
    ['query[b]=1', 'query[b]: expected one of the channels that are asked for, ["a"].'],
    ['query[a]={', 'query[a]: expected JSON; it is broken at position 1.'],
    ['query[a]=', 'query[a]: expected JSON; it is broken at position 0.'],
    ['query[a]=1&query[a]=2', 'query[a]: expected once.'],
  ])('refuses ?channel=a&%s', async (parameters, detail) => {
    await serve({});
    const response = await fetch(`${url}/events?channel=a&${parameters}`, { headers: bearer });
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ detail })]);
  });

  test('looks again for room of its user when somebody has been asked', async () => {
    let isOver = false;
    const opened: string[] = [];
    await serve({
      streams: {
        hasTooMany: () => isOver,
        open({ id, response }) {
          opened.push(id);
          response.end();
        },
      },
      decider: {
        connect: async () => {
          isOver = true;
          return undefined;
        },
      },
    });
    const response = await fetch(`${url}/events?channel=a`, { headers: bearer });
    expect(await response.text()).toMatch(/^retry: \d+\n\n$/);
    expect(opened).toEqual([]);
  });

  test('tells the application of who was let in and gets no stream after all', async () => {
    const told: string[] = [];
    let isFull = false;
    const decider: EventsDeps['decider'] = {
      connect: async ({ socket }) => {
        told.push(`connect ${socket}`);
        return undefined;
      },
      subscribe: async (_, { channel }) => {
        isFull = channel === 'late';
        return channel === 'secret' ? { code: 'forbidden' } : undefined;
      },
      disconnected: ({ socket }, reason) => void told.push(`${reason} ${socket}`),
    };
    await serve({ decider, isFull: () => isFull });
    await fetch(`${url}/events?channel=secret`, { headers: bearer });
    await fetch(`${url}/events?channel=late`, { headers: bearer });
    isFull = false;
    await fetch(`${url}/events?channel=a`, { method: 'HEAD', headers: bearer });
    const ids = told.filter((line) => line.startsWith('connect ')).map((line) => line.slice(8));
    expect(told).toEqual(ids.flatMap((id) => [`connect ${id}`, `gone ${id}`]));
    expect(ids).toHaveLength(3);
  });

  test('opens nothing for who has gone while somebody was asked', async () => {
    const opened: string[] = [];
    let answer: () => void = () => {};
    let isAsked: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    await serve({
      streams: {
        hasTooMany: () => false,
        open({ id, response }) {
          opened.push(id);
          response.end();
        },
      },
      decider: {
        connect: () =>
          new Promise((resolve) => {
            answer = () => resolve(undefined);
            isAsked();
          }),
      },
    });
    const connection = new Promise<Socket>((resolve) => {
      http.server.once('connection', resolve);
    });
    const client = connectTcp(port, '127.0.0.1');
    client.write(
      `GET /events?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${bearer.authorization}\r\n\r\n`,
    );
    await asked;
    client.destroy();
    await once(await connection, 'close');
    answer();
    await new Promise((resolve) => void setImmediate(resolve));
    expect(opened).toEqual([]);
  });

  test('is answered for now where another answer of its connection is still to come', async () => {
    const opened: string[] = [];
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const native = nativeHttp();
    await serve(
      {
        streams: {
          hasTooMany: () => false,
          open({ id, response }) {
            opened.push(id);
            response.end();
          },
        },
      },
      {
        native: {
          ...native,
          async history(...asked) {
            await answered;
            return await native.history(...asked);
          },
        },
      },
    );
    const refused = new Promise<void>((resolve) => {
      onRefused = resolve;
    });
    const client = connectTcp(port, '127.0.0.1');
    const lines = `HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${bearer.authorization}\r\n\r\n`;
    client.write(`GET /history?channel=a ${lines}GET /events?channel=a ${lines}`);
    await refused;
    answer();
    let text = '';
    for await (const bytes of client) {
      text += String(bytes);
      if (/retry: \d+\n\n$/.test(text)) break;
    }
    expect(text).toContain('"events":[');
    expect(opened).toEqual([]);
  });
});
