import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { constants, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as Either from 'fp-ts/lib/Either.js';
import { type ClientOptions, WebSocket } from 'ws';
import { withHeadroom } from '../../src/protocol/event-codec.ts';
import { BufferBudget } from '../../src/routing/buffer-budget.ts';
import { createCompressingFraming, isCompressionOffered } from '../../src/transport/compression.ts';
import { acceptWebSockets } from '../../src/transport/websocket.ts';
import type { WebSocketTransport } from '../../src/transport/websocket-transport.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { listen } from '../support/loopback.ts';
import { createClientAddress } from '../../src/transport/client-address.ts';

const MAX_FRAME_BYTES = 65_536;
const RSV1 = 0x40;
const framing = createCompressingFraming(100);

const plain = (text: string): Buffer => framing.frame(withHeadroom(framing.headroom, Buffer.from(text)));
const compressed = (text: string): Buffer => framing.compress?.(plain(text)) as Buffer;
const isCompressed = (frame: Buffer): boolean => ((frame[0] as number) & RSV1) !== 0;

let server: Server;
let port: number;
let transports: WebSocketTransport[];
let clients: WebSocket[];

async function serve(isCompressing: boolean): Promise<void> {
  const nothing = (): void => {};
  acceptWebSockets({
    server,
    isCompressing,
    metrics: new CountingMetrics(),
    addressOf: createClientAddress(false),
    tooSoonMs: () => 0,
    unavailable: () => undefined,
    isServed: () => true,
    isForeign: () => false,
    totalReached: () => undefined,
    isAllowedOrigin: () => true,
    authenticate: () => Either.right({ channels: ['c'] }),
    channelReached: () => undefined,
    open(accepted) {
      const silent = { flushed: nothing, answered: nothing, closed: nothing, violated: nothing };
      transports.push(accepted.connect('s', silent));
    },
    budget: new BufferBudget({ maxSocketBufferBytes: 1e9, maxTotalBufferBytes: 1e9 }),
    maxFrameBytes: MAX_FRAME_BYTES,
    now: () => 0,
    onRefused: nothing,
  });
  port = await listen(server);
}

async function connect(options: ClientOptions = {}): Promise<{ client: WebSocket; heard: string[] }> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, options);
  const heard: string[] = [];
  client.on('message', (data: Buffer) => heard.push(data.toString()));
  client.on('ping', () => heard.push('ping'));
  client.on('error', () => {});
  clients.push(client);
  await once(client, 'open');
  return { client, heard };
}

describe('compression', () => {
  beforeEach(() => {
    server = createServer();
    transports = [];
    clients = [];
  });
  afterEach(async () => {
    for (const client of clients) client.terminate();
    server.close();
    await once(server, 'close');
  });

  test('gives every client the text that went in, whatever it is and however many share the frame', async () => {
    await serve(true);
    const [first, second] = [await connect(), await connect()];
    const texts = fc.sample(fc.string({ unit: 'grapheme', maxLength: 2_000, size: 'max' }), 100);
    texts.push('', ...Array.from({ length: 20 }, (_, at) => `short ${at}`));
    texts.push('x'.repeat(100_000), JSON.stringify(Array.from({ length: 5_000 }, (_, at) => ({ at }))));
    const frames = texts.map(compressed);
    expect(frames.filter(isCompressed).length).toBeGreaterThan(10);
    expect(frames.filter((frame) => !isCompressed(frame)).length).toBeGreaterThan(10);
    for (const transport of transports) for (const frame of frames) transport.write([frame], 1);
    for (const { client, heard } of [first, second]) {
      while (heard.length < texts.length) await once(client, 'message');
      expect(heard).toEqual(texts);
    }
  });

  test('keeps the order of frames and of pings of ws', async () => {
    await serve(true);
    const { client, heard } = await connect();
    const [transport] = transports;
    const texts = Array.from({ length: 50 }, (_, at) => `${at}`.padEnd(at % 2 === 0 ? 10 : 2_000, '.'));
    for (const text of texts) {
      transport?.write([compressed(text)], 1);
      transport?.ping();
    }
    const expected = texts.flatMap((text) => [text, 'ping']);
    while (heard.length < expected.length) await once(client, heard.length % 2 === 0 ? 'message' : 'ping');
    expect(heard.filter((one) => one !== 'ping')).toEqual(texts);
  });

  test('leaves short texts and those that would get longer as they are, without a copy', () => {
    const noise = framing.frame(withHeadroom(framing.headroom, randomBytes(1_000)));
    for (const frame of [plain(''), plain('x'.repeat(99)), noise]) {
      expect(framing.compress?.(frame)).toBe(frame);
    }
    expect(compressed('x'.repeat(100)).length).toBeLessThan(20);
  });

  test.each([
    ['off here', false, {}, false],
    ['on, and the client does not offer it', true, { perMessageDeflate: false }, false],
    [
      'on, and the client wants a smaller window',
      true,
      { perMessageDeflate: { serverMaxWindowBits: 10 } },
      false,
    ],
    ['on', true, {}, true],
    [
      'on, and the client limits its own window',
      true,
      { perMessageDeflate: { clientMaxWindowBits: 10 } },
      true,
    ],
  ] as const)('is decided by both sides: %s', async (_, isServing, options, isWanted) => {
    await serve(isServing);
    const { client } = await connect(options);
    expect(transports[0]?.isCompressed).toBe(isWanted);
    expect(client.extensions).toBe(isWanted ? 'permessage-deflate' : '');
  });

  test('lets no context go over from one message to the next', async () => {
    await serve(true);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    clients.push(client);
    const [response] = (await once(client, 'upgrade')) as [{ headers: Record<string, string> }];
    const granted = response.headers['sec-websocket-extensions'] ?? '';
    expect(granted).toContain('server_no_context_takeover');
    expect(granted).toContain('client_no_context_takeover');
  });

  test('ends a client whose message becomes larger than maxFrameBytes when it is inflated', async () => {
    await serve(true);
    const { client } = await connect({ perMessageDeflate: { threshold: 0 } });
    const bomb = Buffer.alloc(100 * MAX_FRAME_BYTES);
    expect(deflateRawSync(bomb, { finishFlush: constants.Z_SYNC_FLUSH }).length).toBeLessThan(
      MAX_FRAME_BYTES,
    );
    client.send(bomb);
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(1009);
  });

  test('is not offered by a request without extensions', () => {
    expect(isCompressionOffered({})).toBe(false);
  });
});
