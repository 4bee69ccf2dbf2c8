import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import { type ClientOptions, WebSocket } from 'ws';
import { authError } from '../../src/auth/auth-error.ts';
import type { NativeAuthenticated } from '../../src/auth/native-authenticate.ts';
import type { Verdict } from '../../src/decider/decider.ts';
import {
  acceptNativeUpgrades,
  type NativeAccepted,
  type NativeUpgradeDeps,
} from '../../src/transport/native-upgrade.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { listen } from '../support/loopback.ts';
import { NOW_MS, principal } from '../support/native-auth.ts';
import { createClientAddress } from '../../src/transport/client-address.ts';

const known: NativeAuthenticated = { principal, source: 'bearer' };
const withTicket: NativeAuthenticated = {
  principal,
  source: 'protocol',
  ticket: { principal, id: 'ticket-1', expiresAtMs: NOW_MS + 60_000 },
};

let server: Server;
let port: number;
let clients: WebSocket[];
let metrics: CountingMetrics;
let refusals: (readonly [number, string])[];
let opened: NativeAccepted[];
let asked: string[];
let isLater: boolean;

async function serve(answers: Partial<NativeUpgradeDeps> = {}): Promise<void> {
  const ask =
    <Answer>(name: string, answer: Answer) =>
    (): Answer => {
      asked.push(name);
      return answer;
    };
  acceptNativeUpgrades({
    server,
    metrics,
    maxFrameBytes: 1_024,
    isRouted: () => false,
    isCompressing: false,
    isServed: ask('isServed', true),
    unavailable: ask('unavailable', undefined),
    isFull: ask('isFull', false),
    addressOf: createClientAddress(false),
    tooSoonMs: ask('tooSoonMs', 0),
    isAllowedOrigin: ask('isAllowedOrigin', true),
    authenticate: ask('authenticate', Either.right(known)),
    hasTooMany: ask('hasTooMany', false),
    redeem: ask('redeem', Promise.resolve(true)),
    newId: () => 's-1',
    open: (accepted) => void opened.push(accepted),
    onRefused: ({ status, reason }) => void refusals.push([status, reason]),
    ...answers,
  });
  port = await listen(server);
}

async function connect(protocols = ['signalbox.v1'], options: ClientOptions = {}): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, protocols, options);
  client.on('error', () => {});
  clients.push(client);
  await once(client, 'open');
  return client;
}

/** As a client masks it, by a key of zeros. */
function maskedFrame(head: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(head, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

async function closeOf(client: WebSocket): Promise<string> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return `${code} ${reason}`;
}

beforeEach(() => {
  server = createServer();
  clients = [];
  metrics = new CountingMetrics();
  refusals = [];
  opened = [];
  asked = [];
});

afterEach(async () => {
  for (const client of clients) client.terminate();
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
});

describe('a native upgrade', () => {
  test('is asked about cheapest first, and answered with the sub-protocol', async () => {
    await serve();
    const client = await connect(['other', 'signalbox.v1', 'signalbox.ticket.x']);
    expect(client.protocol).toBe('signalbox.v1');
    expect(opened).toMatchObject([{ principal }]);
    expect(asked).toEqual([
      'isServed',
      'unavailable',
      'isFull',
      'tooSoonMs',
      'isAllowedOrigin',
      'authenticate',
      'hasTooMany',
    ]);
  });

  test.each<[string, Partial<NativeUpgradeDeps>, string]>([
    ['while draining', { unavailable: () => 'draining' }, '1001 drain'],
    ['before it reads', { unavailable: () => 'not ready' }, '1012 restart'],
    ['when there are as many sockets as may be', { isFull: () => true }, '1013 too_many'],
    ['when its address asks too often', { tooSoonMs: () => 20 }, '4429 rate_limited'],
    ['from another origin', { isAllowedOrigin: () => false }, '4403 forbidden'],
    ['without a token', { authenticate: () => Either.left(authError('absent')) }, '4401 unauthorized'],
    [
      'with a token that ended',
      { authenticate: () => Either.left(authError('expired')) },
      '4401 unauthorized',
    ],
    ['of a user with as many sockets as may be', { hasTooMany: () => true }, '1013 too_many'],
    [
      'with a ticket that was used',
      { authenticate: () => Either.right(withTicket), redeem: async () => false },
      '4401 unauthorized',
    ],
    [
      'with a ticket that nobody can check',
      { authenticate: () => Either.right(withTicket), redeem: async () => Promise.reject(new Error('away')) },
      '1013 unavailable',
    ],
  ])('%s is completed, and closed by its code', async (_, answers, close) => {
    await serve(answers);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1']);
    client.on('error', () => {});
    clients.push(client);
    expect(await closeOf(client)).toBe(close);
    expect(opened).toEqual([]);
    expect(refusals).toHaveLength(1);
  });

  test('that comes too soon is told how long to wait, before it is closed', async () => {
    await serve({ tooSoonMs: () => 1_234 });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1']);
    clients.push(client);
    const [frame] = (await once(client, 'message')) as [Buffer];
    expect(JSON.parse(String(frame))).toMatchObject({
      type: 'error',
      code: 'rate_limited',
      retryAfter: 1_234,
    });
    expect(await closeOf(client)).toBe('4429 rate_limited');
  });

  test('is counted once, a ticket notwithstanding', async () => {
    let counted = 0;
    await serve({
      authenticate: () => Either.right(withTicket),
      tooSoonMs: () => {
        counted += 1;
        return 0;
      },
    });
    await connect();
    expect([counted, opened.length]).toEqual([1, 1]);
  });

  test('uses a ticket up only when everything else is good, and asks again for room then', async () => {
    let isFull = false;
    await serve({
      authenticate: () => Either.right(withTicket),
      isFull: () => isFull,
      redeem: async () => {
        isFull = true;
        return true;
      },
    });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1']);
    clients.push(client);
    expect(await closeOf(client)).toBe('1013 too_many');
  });

  test.each<[string, Partial<NativeUpgradeDeps>, string]>([
    ['has begun to drain', { unavailable: () => (isLater ? 'draining' : undefined) }, '1001 drain'],
    ['is full', { isFull: () => isLater }, '1013 too_many'],
  ])(
    'is asked about again when authentication took its time and the server %s',
    async (_, answers, close) => {
      isLater = false;
      await serve({
        ...answers,
        async authenticate() {
          isLater = true;
          return Either.right(known);
        },
      });
      const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1']);
      clients.push(client);
      expect(await closeOf(client)).toBe(close);
      expect(opened).toEqual([]);
    },
  );

  test.each<[string, Verdict, Partial<NativeUpgradeDeps>, string[]]>([
    ['is opened', undefined, {}, []],
    ['is refused by it', { code: 'forbidden' }, { isFull: () => isLater }, []],
    ['finds no room any more', undefined, { isFull: () => isLater }, ['s-1']],
    [
      'comes to a server that ends',
      undefined,
      { unavailable: () => (isLater ? 'draining' : undefined) },
      ['s-1'],
    ],
  ])(
    'tells the application when who was let in is refused after all: one that %s',
    async (_, verdict, answers, told) => {
      isLater = false;
      const dismissed: string[] = [];
      const admit = async (): Promise<Verdict> => {
        isLater = true;
        return verdict;
      };
      await serve({ ...answers, admit, dismiss: ({ socket }) => void dismissed.push(socket) });
      const client = await connect();
      if (opened.length === 0) await once(client, 'close');
      expect(dismissed).toEqual(told);
    },
  );

  test('is told to come back, and not for another token, where nobody knows what was revoked', async () => {
    await serve({ authenticate: async () => Either.left(authError('revocations_unknown')) });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1']);
    clients.push(client);
    expect(await closeOf(client)).toBe('1013 unavailable');
  });

  test.each(['/../x', '/a%5cb'])('of the target %s is refused with 400', async (target) => {
    await serve();
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1']);
    client.on('error', () => {});
    clients.push(client);
    await once(client, 'open');
    const { request } = await import('node:http');
    const status = await new Promise<number | undefined>((resolve) => {
      const asking = request({
        port,
        path: target,
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-protocol': 'signalbox.v1',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
      });
      asking.on('response', ({ statusCode }) => resolve(statusCode));
      asking.end();
    });
    expect(status).toBe(400);
  });

  test('of another sub-protocol is left to others', async () => {
    await serve();
    server.on('upgrade', (_request, connection) => connection.end('HTTP/1.1 418 I am a teapot\r\n\r\n'));
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['other']);
    clients.push(client);
    const [error] = (await once(client, 'error')) as [Error];
    expect(error.message).toContain('418');
    expect(asked).toEqual([]);
  });

  test('takes no frame beyond the limit', async () => {
    await serve();
    const client = await connect();
    opened[0]?.socket.on('error', () => {});
    client.send('x'.repeat(1_025));
    expect(await closeOf(client)).toBe('1009 too_large');
  });

  test.each([
    ['not masked', Buffer.of(0x81, 0x00)],
    ['no UTF-8', maskedFrame(0x81, Buffer.of(0xff))],
    ['of a kind that there is not', maskedFrame(0x83, Buffer.of(0x31))],
  ])('is closed by a code of its protocol when what comes is %s', async (_, bytes) => {
    await serve();
    const client = await connect();
    opened[0]?.socket.on('error', () => {});
    (client as unknown as { _socket: NodeJS.WritableStream })._socket.write(bytes);
    expect(await closeOf(client)).toBe('4400 bad_request');
  });

  test('is closed with the code that its client gives', async () => {
    await serve();
    const client = await connect();
    const closes = Promise.all([closeOf(client), closeOf(opened[0]?.socket as WebSocket)]);
    client.close(4999, 'enough');
    expect(await closes).toEqual(['4999 enough', '4999 enough']);
  });

  test.each([
    ['it is off here', false, {}, ''],
    ['the client does not offer it', true, { perMessageDeflate: false }, ''],
    ['the client wants a smaller window', true, { perMessageDeflate: { serverMaxWindowBits: 10 } }, ''],
    ['both want it', true, {}, 'permessage-deflate'],
  ] as const)('is compressed or not: %s', async (_, isCompressing, options, extensions) => {
    await serve({ isCompressing });
    const client = await connect(['signalbox.v1'], options);
    expect([client.extensions, client.protocol]).toEqual([extensions, 'signalbox.v1']);
    expect(opened[0]?.socket.extensions).toBe(extensions);
  });

  test('takes no frame beyond the limit when it is inflated', async () => {
    await serve({ isCompressing: true });
    const client = await connect(['signalbox.v1'], { perMessageDeflate: { threshold: 0 } });
    const heard: string[] = [];
    opened[0]?.socket.on('error', () => {}).on('message', (data: Buffer) => heard.push(data.toString()));
    const [most, bomb] = ['x'.repeat(1_024), 'x'.repeat(1_025)];
    expect(deflateRawSync(bomb).length).toBeLessThan(100);
    client.send(most);
    client.send(bomb);
    expect(await closeOf(client)).toBe('1009 too_large');
    expect(heard).toEqual([most]);
  });
});
