import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import { WebSocket } from 'ws';
import { authError } from '../../src/auth/auth-error.ts';
import type { Principal } from '../../src/auth/principal.ts';
import { withHeadroom } from '../../src/protocol/event-codec.ts';
import { BufferBudget } from '../../src/routing/buffer-budget.ts';
import { webSocketFraming } from '../../src/transport/frames.ts';
import { type Accepted, acceptWebSockets, type WebSocketsDeps } from '../../src/transport/websocket.ts';
import type { WebSocketTransport } from '../../src/transport/websocket-transport.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { listen } from '../support/loopback.ts';
import { createClientAddress } from '../../src/transport/client-address.ts';

const PRINCIPAL: Principal = { user: '1', channels: ['c'] };
const silent = { flushed() {}, answered() {}, closed() {}, violated() {} };

let server: Server;
let port: number;
let clients: WebSocket[];
let metrics: CountingMetrics;
let refusals: { status: number; reason: string; address: string | undefined }[];
let opened: { accepted: Accepted; transport: WebSocketTransport }[];
/** The questions that were asked of a request, in order. */
let asked: string[];

async function serve(answers: Partial<WebSocketsDeps> = {}): Promise<void> {
  const ask =
    <Answer>(name: string, answer: Answer) =>
    (): Answer => {
      asked.push(name);
      return answer;
    };
  acceptWebSockets({
    server,
    metrics,
    isForeign: () => false,
    unavailable: ask('unavailable', undefined),
    isServed: ask('isServed', true),
    addressOf: createClientAddress(false),
    tooSoonMs: ask('tooSoonMs', 0),
    totalReached: ask('totalReached', undefined),
    isAllowedOrigin: ask('isAllowedOrigin', true),
    authenticate: ask('authenticate', Either.right(PRINCIPAL)),
    channelReached: ask('channelReached', undefined),
    open: (accepted) => void opened.push({ accepted, transport: accepted.connect('s1', silent) }),
    budget: new BufferBudget({ maxSocketBufferBytes: 1_000, maxTotalBufferBytes: 1_000 }),
    maxFrameBytes: 1_024,
    isCompressing: false,
    now: () => 0,
    onRefused: (refusal) => void refusals.push(refusal),
    ...answers,
  });
  port = await listen(server);
}

function connect(target = '/'): WebSocket {
  const client = new WebSocket(`ws://127.0.0.1:${port}${target}`);
  client.on('error', () => {});
  clients.push(client);
  return client;
}

/** The status and the body that a client is refused with. */
async function refusalOf(client: WebSocket): Promise<[number | undefined, string]> {
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(response, 'end');
  return [response.statusCode, Buffer.concat(chunks).toString()];
}

describe('a WebSocket upgrade', () => {
  beforeEach(() => {
    server = createServer();
    clients = [];
    metrics = new CountingMetrics();
    [refusals, opened, asked] = [[], [], []];
  });
  afterEach(async () => {
    for (const client of clients) client.terminate();
    for (const { transport } of opened) transport.terminate();
    server.close();
    await once(server, 'close');
  });

  describe('that is let in', () => {
    test('is opened with who it is and what it asked for, and takes frames', async () => {
      await serve();
      const client = connect('/ws/events?last_id=1-0');
      const heard = once(client, 'message');
      await once(client, 'open');
      expect(opened.map(({ accepted: { principal, target } }) => [principal, target])).toEqual([
        [PRINCIPAL, '/ws/events?last_id=1-0'],
      ]);
      const frame = webSocketFraming.frame(withHeadroom(webSocketFraming.headroom, Buffer.from('{}')));
      opened[0]?.transport.write([frame], 1);
      expect(String((await heard)[0])).toBe('{}');
    });

    test('was asked the cheapest questions first', async () => {
      await serve();
      await once(connect(), 'open');
      expect(asked).toEqual([
        'isServed',
        'unavailable',
        'tooSoonMs',
        'totalReached',
        'isAllowedOrigin',
        'authenticate',
        'channelReached',
      ]);
    });

    test('agrees to no compression', async () => {
      await serve();
      const client = connect();
      await once(client, 'open');
      expect(client.extensions).toBe('');
    });

    test('is closed when it sends a frame that is too large', async () => {
      await serve();
      const client = connect();
      await once(client, 'open');
      client.send('x'.repeat(1_025));
      const [code] = (await once(client, 'close')) as [number];
      expect(code).toBe(1009);
    });
  });

  describe('is refused', () => {
    test.each<[string, Partial<WebSocketsDeps>, number, string]>([
      ['where none is served', { isServed: () => false }, 400, 'bad request'],
      ['while draining', { unavailable: () => 'draining' }, 503, 'draining'],
      ['before anything is ready', { unavailable: () => 'not ready' }, 503, 'not ready'],
      ['when its address asks too often', { tooSoonMs: () => 20 }, 429, 'too many requests'],
      ['from another origin', { isAllowedOrigin: () => false }, 403, 'origin'],
      ['without a token', { authenticate: () => Either.left(authError('absent')) }, 401, 'no token'],
      ['with a bad token', { authenticate: () => Either.left(authError('signature')) }, 401, 'bad token'],
    ])('%s', async (_, answers, status, word) => {
      await serve(answers);
      expect(await refusalOf(connect())).toEqual([status, word]);
      expect([opened, refusals.length, metrics.of('ws_upgrade_rejected')]).toEqual([[], 1, 1]);
      expect(refusals[0]).toMatchObject({ status, address: '127.0.0.1' });
    });

    test('with a reason for the log that the client is not told', async () => {
      await serve({ authenticate: () => Either.left(authError('expired')) });
      const [, word] = await refusalOf(connect());
      expect([word, refusals[0]?.reason]).toEqual(['bad token', 'expired']);
    });

    test('for a target that is none', async () => {
      await serve();
      expect(await refusalOf(connect('//'))).toEqual([400, 'bad request']);
      expect(asked).toEqual([]);
    });

    test('for an upgrade to something else, which the server would otherwise never answer', async () => {
      await serve();
      const asking = get({ port, host: '127.0.0.1', headers: { Connection: 'Upgrade', Upgrade: 'h2c' } });
      const [{ statusCode }] = (await once(asking, 'response')) as [IncomingMessage];
      expect([statusCode, asked]).toEqual([400, []]);
    });
  });

  describe('over a limit', () => {
    test('on all sockets is closed before anything is read of it', async () => {
      await serve({ totalReached: () => 'total connection limit (2) reached' });
      const [code, reason] = (await once(connect(), 'close')) as [number, Buffer];
      expect([code, reason.toString()]).toEqual([1013, 'total connection limit (2) reached']);
      expect(asked).not.toContain('authenticate');
      expect([opened, metrics.of('ws_connection_rejected')]).toEqual([[], 1]);
    });

    test('on its channel is closed with the same code', async () => {
      await serve({ channelReached: ({ channels }) => `limit of ${channels[0]} reached` });
      const [code, reason] = (await once(connect(), 'close')) as [number, Buffer];
      expect([code, reason.toString()]).toEqual([1013, 'limit of c reached']);
      expect([opened, metrics.of('ws_connection_rejected')]).toEqual([[], 1]);
    });
  });

  test('whose handshake is none is answered with 400 and counted', async () => {
    await serve();
    const headers = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '12' };
    const request = get({ port, host: '127.0.0.1', path: '/', headers });
    const [{ statusCode }] = (await once(request, 'response')) as [IncomingMessage];
    expect([statusCode, metrics.of('ws_upgrade_rejected'), opened]).toEqual([400, 1, []]);
    expect(refusals.map(({ reason }) => reason)).toEqual(['bad handshake']);
  });

  test('that its client gives up at once troubles nobody', async () => {
    await serve();
    const hasty = connect();
    hasty.terminate();
    const client = connect();
    await once(client, 'open');
    expect(client.readyState).toBe(WebSocket.OPEN);
  });
});
