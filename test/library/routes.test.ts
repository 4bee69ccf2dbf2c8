import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { WebSocket } from 'ws';
import type { Contract, SignalboxOptions } from '../../src/index.ts';
import { SECRET } from '../support/tokens.ts';
import { type Started, startProgram } from './program.ts';

type Route = Readonly<Record<string, unknown>> & { readonly path: string };

let started: Started<Contract>;
let application: Server | undefined;
const open: { close(): void }[] = [];

async function start(routes: readonly Route[], options: SignalboxOptions<Contract> = {}): Promise<string> {
  const config = { ...options.config, routes } as NonNullable<SignalboxOptions<Contract>['config']>;
  started = await startProgram({ ...options, config });
  return started.url.replace('ws:', 'http:');
}

/** An application behind a route. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  application = createServer(answer).listen(0, '127.0.0.1');
  await once(application, 'listening');
  return `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  await started.stop();
  application?.closeAllConnections();
  application?.close();
  application = undefined;
});

/** What a stream has said by the time that it says `end`. */
async function read(
  url: string,
  end: string,
  afterwards: (response: Response) => unknown = () => {},
): Promise<string> {
  const controller = new AbortController();
  open.push({ close: () => controller.abort() });
  const response = await fetch(url, { signal: controller.signal });
  void afterwards(response);
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (text.includes(end)) break;
  }
  controller.abort();
  return text;
}

const native = { path: '^/live/(\\w+)$', channel: '$1', channels: ['sport', 'news'], source: 'native' };

describe('a route', () => {
  test('of native channels has their events for an EventSource, and resumes from where it was', async () => {
    const url = await start([native]);
    const ids: string[] = [];
    const text = await read(`${url}/live/sport`, 'data: 2\n', async () => {
      for (const n of [1, 2]) ids.push(await started.signalbox.publish('sport', 'n', n));
    });
    expect(text).toMatch(
      /^retry: \d+\n\nid: \S+\n\nid: \S+\nevent: n\ndata: 1\n\nid: \S+\nevent: n\ndata: 2\n/,
    );
    const [, first = ''] = /^id: (.*)\nevent: /m.exec(text) ?? [];
    await started.signalbox.publish('sport', 'n', 3);
    const again = await read(`${url}/live/sport?lastEventId=${first}`, 'data: 3\n');
    expect([...again.matchAll(/^data: (.*)$/gm)].map(([, data]) => data)).toEqual(['2', '3']);
  });

  test('says where it is after a gap only once it has told the gap', async () => {
    const url = await start([native]);
    const text = await read(`${url}/live/sport?lastEventId=another-life.1-0`, 'event: gap\n');
    expect(text).toMatch(/^retry: \d+\n\nid: \S+\nevent: gap\n/);
  });

  test('of native channels refuses what is no position', async () => {
    const url = await start([native]);
    expect((await fetch(`${url}/live/sport?lastEventId=5`)).status).toBe(400);
  });

  test('gives no channel but its own', async () => {
    const url = await start([native]);
    expect((await fetch(`${url}/live/secret`)).status).toBe(403);
    expect((await fetch(`${url}/else`)).status).toBe(404);
  });

  test('needs a token where it says so, that may have the channel', async () => {
    const url = await start([{ ...native, channels: undefined, auth: 'token' }], {
      authenticate: ({ headers }) =>
        headers.authorization === 'Bearer x' ? { user: 'ann', channels: ['sport'] } : null,
    });
    expect((await fetch(`${url}/live/sport`)).status).toBe(401);
    const headers = { authorization: 'Bearer x' };
    expect((await fetch(`${url}/live/news`, { headers })).status).toBe(403);
    const response = await fetch(`${url}/live/sport`, { headers });
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });

  const mine = { ...native, channels: undefined, auth: 'token' };
  /** As a server by itself: an application that is asked takes its time, and a WebSocket of a route has none. */
  const byToken = { config: { jwtSecret: SECRET, broker: 'memory' }, authenticate: undefined } as object;
  const as = (sub: string) => ({
    headers: {
      authorization: `Bearer ${jwt.sign({ aud: 'signalbox', sub, channels: ['*'] }, SECRET, { expiresIn: 60 })}`,
    },
  });

  test.each(['native', 'pubsub'])('of source %s ends with its token', async (source) => {
    const url = await start([{ ...mine, source }], byToken);
    // Until it has read whose tokens are revoked nobody is let in by one.
    while ((await fetch(`${url}/ready`)).status !== 200);
    const response = await fetch(`${url}/live/sport`, as('ann'));
    expect(response.status).toBe(200);
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/live/sport`, as('ann'));
    open.push({ close: () => socket.terminate() });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    const other = await fetch(`${url}/live/sport`, as('bob'));
    expect(await started.signalbox.boot({ user: 'ann' })).toEqual({ closed: 2, unconfirmed: [] });
    expect(await response.text()).toMatch(/^retry: /);
    expect((await closed)[0]).toBe(4410);
    expect(await started.signalbox.boot({ user: 'ann' })).toMatchObject({ closed: 0 });
    expect(await started.signalbox.boot({ user: 'bob' })).toMatchObject({ closed: 1 });
    expect(await other.text()).toMatch(/^retry: /);
  });

  test('of native channels ends with those who have its channel, and is told nothing', async () => {
    const url = await start([mine]);
    const response = await fetch(`${url}/live/sport`, { headers: { authorization: 'Bearer ann' } });
    await started.signalbox.tell({ user: 'ann' }, 'news', 1);
    expect(await started.signalbox.bootAll('news')).toMatchObject({ closed: 0 });
    expect(await started.signalbox.bootAll('sport')).toMatchObject({ closed: 1 });
    expect(await response.text()).not.toContain('event: ');
  });

  test.each(['sse', 'raw'])('of format %s tells an EventSource at a limit to come back', async (format) => {
    const url = await start(
      [
        { path: '^/clock$', channel: 'clock', format },
        { path: '^/text$', channel: 'clock', format: 'raw', contentType: 'text/plain' },
      ],
      { config: { maxTotalConnections: 1 } },
    );
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/clock`);
    open.push({ close: () => socket.terminate() });
    await once(socket, 'open');
    const refused = await fetch(`${url}/clock`);
    expect([refused.status, await refused.text()]).toEqual([200, expect.stringMatching(/^retry: \d+\n\n$/)]);
    expect((await fetch(`${url}/text`)).status).toBe(503);
  });

  test('is served over WebSocket too, each message by itself', async () => {
    const url = await start([native]);
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/live/sport`);
    open.push({ close: () => socket.terminate() });
    await once(socket, 'open');
    const heard: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer, isBinary) => {
        heard.push([data.toString(), isBinary]);
        if (heard.length === 2) resolve();
      });
    });
    await started.signalbox.publish('sport', 'n', { a: 1 });
    await started.signalbox.publish('sport', 'n', 'two');
    await both;
    expect(heard).toEqual([
      ['{"a":1}', false],
      ['"two"', false],
    ]);
    const refused = new WebSocket(`${url.replace('http:', 'ws:')}/live/secret`);
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(403);
  });

  test('tells an EventSource at a limit to come back, and ends each stream with a time of its own', async () => {
    const url = await start([native], { config: { maxTotalConnections: 1 } });
    let rest = '';
    const first = read(`${url}/live/sport`, 'never');
    first.catch(() => {});
    await new Promise<void>((resolve) => {
      const look = async (): Promise<void> => {
        const response = await fetch(`${url}/live/sport`);
        if (response.headers.get('content-length') !== null) {
          rest = await response.text();
          resolve();
        } else {
          await response.body?.cancel();
          setImmediate(() => void look());
        }
      };
      void look();
    });
    expect(rest).toMatch(/^retry: \d+\n\n$/);
  });
});

describe('a route with an application behind it', () => {
  test('is a stream where the application says so, with what it says first, its status and its cookies', async () => {
    const upstream = await serve((request, response) => {
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'X-SSE-Channel': request.url === '/app/sport' ? 'sport' : 'news',
        'Set-Cookie': ['a=1', 'b=2'],
        'X-Extra': 'kept',
      });
      response.end('event: hello\ndata: you\n\n');
    });
    const url = await start([{ path: '^/app/', upstream, source: 'native', channels: ['sport'] }]);
    let headers: Headers | undefined;
    const text = await read(`${url}/app/sport`, 'data: 1\n', async (response) => {
      ({ headers } = response);
      await started.signalbox.publish('sport', 'n', 1);
    });
    expect(text).toMatch(/^event: hello\ndata: you\n\nretry: \d+\n\nid: \S+\n\nid: \S+\nevent: n\ndata: 1\n/);
    expect(headers?.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers?.get('x-extra')).toBe('kept');
    expect(headers?.has('x-sse-channel')).toBe(false);
    expect((await fetch(`${url}/app/other`)).status).toBe(502);
  });

  test('begins where the application says, by an id as it was published', async () => {
    let id = '';
    const upstream = await serve((_, response) => {
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'X-SSE-Channel': 'sport',
        'X-SSE-Last-Id': id,
      });
      response.end();
    });
    const url = await start([{ path: '^/app/', upstream, source: 'native' }]);
    id = await started.signalbox.publish('sport', 'n', 1);
    await started.signalbox.publish('sport', 'n', 2);
    const text = await read(`${url}/app/x`, 'data: 3\n', () => started.signalbox.publish('sport', 'n', 3));
    expect([...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data)).toEqual(['2', '3']);
  });

  test('gives nothing by a token that is revoked while the application is asked', async () => {
    const upstream = await serve((_, response) => {
      void started.signalbox.boot({ user: 'ann' }).then(() => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-SSE-Channel': 'sport' });
        response.end('data: secret\n\n');
      });
    });
    const url = await start([{ path: '^/app/', upstream, source: 'native', auth: 'token' }]);
    const response = await fetch(`${url}/app/x`, { headers: { authorization: 'Bearer ann' } });
    expect(await response.text()).toBe('');
  });

  test('is the answer of an application that says so where there is no stream for now', async () => {
    let fallback = 'answer';
    const upstream = await serve((_, response) => {
      const headers = { 'X-SSE-Channel': 'news', 'X-SSE-Fallback': fallback, 'X-App': 'yes' };
      response.writeHead(200, { ...headers, 'Content-Type': 'application/json' }).end('[1,2]');
    });
    const url = await start([{ path: '^/app/', upstream, channels: ['news'] }], {
      config: { maxTotalConnections: 1 },
    });
    const held = await fetch(`${url}/app/x`);
    expect([held.headers.get('x-sse-fallback'), held.headers.get('content-length')]).toEqual([null, null]);
    const answer = await fetch(`${url}/app/x`);
    expect([answer.status, await answer.json()]).toEqual([200, [1, 2]]);
    expect(['x-app', 'cache-control', 'x-sse-fallback'].map((name) => answer.headers.get(name))).toEqual([
      'yes',
      'private, no-store',
      null,
    ]);
    fallback = '';
    expect((await fetch(`${url}/app/x`)).status).toBe(503);
    fallback = 'maybe';
    expect((await fetch(`${url}/app/x`)).status).toBe(502);
    await held.body?.cancel();
  });

  test('is 502 where the application says a position that is none', async () => {
    const upstream = await serve((_, response) => {
      response.writeHead(200, { 'X-SSE-Channel': 'sport', 'X-SSE-Last-Id': '5' }).end();
    });
    const url = await start([{ path: '^/app/', upstream, source: 'native', channels: ['sport'] }]);
    expect((await fetch(`${url}/app/x`)).status).toBe(502);
  });

  test('passes on what is no stream, bodies both ways', async () => {
    const upstream = await serve((request, response) => {
      response.writeHead(request.method === 'POST' ? 201 : 204);
      request.pipe(response);
    });
    const url = await start([{ path: '^/app/', upstream }]);
    const response = await fetch(`${url}/app/echo`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([response.status, (await response.text()).length]).toEqual([201, 100_000]);
    expect((await fetch(`${url}/app/nothing`)).status).toBe(204);
  });

  test('answers for an application that is away', async () => {
    const upstream = await serve(() => {});
    application?.close();
    const url = await start([{ path: '^/app/', upstream }]);
    const response = await fetch(`${url}/app/x`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      502,
      'application/problem+json; charset=utf-8',
    ]);
  });

  test('understands GRIP', async () => {
    const upstream = await serve((_, response) => {
      response.writeHead(200, {
        'Content-Type': 'text/plain',
        'Grip-Hold': 'stream',
        'Grip-Channel': 'sport',
        'Grip-Keep-Alive': '/wo=; format=base64; timeout=1',
      });
      response.end('open\n');
    });
    const url = await start([{ path: '^/app/', upstream, source: 'native', grip: { key: 'k'.repeat(32) } }]);
    const text = await read(`${url}/app/x`, 'data: 1\n', () => started.signalbox.publish('sport', 'n', 1));
    expect(text).toMatch(/^open\n/);
    const response = await fetch(`${url}/app/x`);
    const heard: Buffer[] = [];
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      heard.push(Buffer.from(chunk));
      // Byte for byte, though it is no text.
      if (Buffer.concat(heard).includes(Buffer.from([0xff, 0x0a]))) break;
    }
  });
});
