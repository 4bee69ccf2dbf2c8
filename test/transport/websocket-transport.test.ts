import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { withHeadroom } from '../../src/protocol/event-codec.ts';
import { webSocketFraming } from '../../src/transport/frames.ts';
import { connectPair, type Pair } from '../support/loopback.ts';

const frameOf = (text: string): Buffer =>
  webSocketFraming.frame(withHeadroom(webSocketFraming.headroom, Buffer.from(text)));
/** More than the kernel takes of a peer that does not read. */
const FLOOD = Array.from({ length: 16 }, () => frameOf('x'.repeat(1_048_576)));

let pair: Pair;

async function connect(options?: Parameters<typeof connectPair>[0]): Promise<Pair> {
  pair = await connectPair(options);
  return pair;
}

/** The client stops reading, and the server has written more than the kernel takes. */
async function stuck(): Promise<Pair> {
  const { client, transport } = await connect();
  client.pause();
  transport.write(FLOOD, FLOOD.length);
  // What the kernel takes it has taken within a turn or two; the rest stays.
  await new Promise((resolve) => setImmediate(resolve));
  expect(transport.bufferedBytes).toBeGreaterThan(0);
  return pair;
}

/** What a client hears, in order. */
function heardBy({ client }: Pair): string[] {
  const heard: string[] = [];
  client.on('message', (data: Buffer) => heard.push(data.toString()));
  client.on('ping', (data: Buffer) => heard.push(`ping ${data}`));
  client.on('close', (code: number) => heard.push(`close ${code}`));
  return heard;
}

describe('a WebSocket transport', () => {
  afterEach(() => pair.close());

  test('frames of ours and of ws keep their order', async () => {
    const { client, transport } = await connect();
    const heard = heardBy(pair);
    for (let round = 0; round < 20; round += 1) {
      transport.write([frameOf(`${round}a`), frameOf(`${round}b`)], 2);
      // Nothing is buffered on an idle loopback, so the ping goes out now; were it put off, it would come late.
      transport.ping();
      transport.write([frameOf(`${round}c`.padEnd(70_000, '.'))], 1);
      await pair.until('flushed', 2 * (round + 1));
    }
    transport.close(1001, 'going away');
    await once(client, 'close');
    const expected: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      expected.push(`${round}a`, `${round}b`, 'ping s1', `${round}c`.padEnd(70_000, '.'));
    }
    expect(heard).toEqual([...expected, 'close 1001']);
  });

  test('writes several frames in one go', async () => {
    const { connection, transport, client } = await connect();
    const write = jest.spyOn(connection, '_write');
    const writev = jest.spyOn(connection as Required<Duplex>, '_writev');
    const heard = heardBy(pair);
    transport.write(['a', 'b', 'c', 'd'].map(frameOf), 4);
    expect([write.mock.calls.length, writev.mock.calls.length]).toEqual([0, 1]);
    transport.write([frameOf('e')], 1);
    while (heard.length < 5) await once(client, 'message');
    expect(heard).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('holds nothing, and says so, once the kernel has taken everything', async () => {
    const { transport, budget } = await connect();
    transport.write([frameOf('a'), frameOf('b')], 2);
    expect(transport.unflushedEvents).toBe(2);
    await pair.until('flushed');
    expect([transport.bufferedBytes, transport.unflushedEvents, budget.total]).toEqual([0, 0, 0]);
  });

  describe('whose peer does not read', () => {
    test('holds what the kernel did not take, and accounts for it', async () => {
      const { transport, budget, told } = await stuck();
      expect(budget.total).toBe(transport.bufferedBytes);
      expect([transport.unflushedEvents, told]).toEqual([FLOOD.length, []]);
    });

    test('is not pinged while it holds bytes: those being flushed are the answer', async () => {
      const { transport, client, budget } = await stuck();
      const heard = heardBy(pair);
      transport.ping();
      expect(pair.told).toEqual([]);
      client.resume();
      await pair.until('flushed');
      expect(pair.told).toEqual(['answered', 'flushed']);
      expect([transport.bufferedBytes, transport.unflushedEvents, budget.total]).toEqual([0, 0, 0]);
      while (heard.length < FLOOD.length) await once(client, 'message');
      expect(heard.some((message) => message.startsWith('ping'))).toBe(false);
    });

    test.each<[string, (of: Pair) => void]>([
      ['it is terminated', ({ transport }) => transport.terminate()],
      ['its client breaks off', ({ client }) => client.terminate()],
    ])('gives back what it held when %s; what was never flushed stays counted', async (_, end) => {
      const { transport, budget } = await stuck();
      end(pair);
      await pair.until('closed');
      expect(budget.total).toBe(0);
      expect(transport.unflushedEvents).toBe(FLOOD.length);
      expect(pair.told.filter((fact) => fact === 'closed')).toHaveLength(1);
    });
  });

  describe('that was pinged', () => {
    test('is answered by the pong', async () => {
      const { transport, told } = await connect();
      transport.ping();
      await pair.until('answered');
      expect(told).toEqual(['answered']);
    });

    test('by a frame of its protocol is not answered because the kernel took it, but by what the client says', async () => {
      const said: string[] = [];
      const { transport, client, told } = await connect({
        inbound: (data, isBinary) => void said.push(`${isBinary} ${data}`),
      });
      const heard = heardBy(pair);
      transport.ping(frameOf('ping'));
      await once(client, 'message');
      expect([heard, told]).toEqual([['ping'], []]);
      for (let at = 0; at < 200; at += 1) client.send('pong');
      client.send(Buffer.from('x'));
      await pair.until('answered');
      while (said.length < 201) await new Promise((resolve) => setImmediate(resolve));
      expect([said[0], said[200], told]).toEqual(['false pong', 'true x', ['answered']]);
    });

    test('is answered by any byte, also of a frame that is not whole', async () => {
      const { transport, client, told } = await connect();
      Object.assign(client, { _autoPong: false });
      transport.ping();
      await once(client, 'ping');
      expect(told).toEqual([]);
      // The first half of a masked frame's header.
      (client as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0x81]));
      await pair.until('answered');
    });

    test('is answered by bytes of its own that are flushed', async () => {
      const { transport, client, told } = await connect();
      Object.assign(client, { _autoPong: false });
      transport.ping();
      transport.write([frameOf('a')], 1);
      await pair.until('flushed');
      expect(told).toEqual(['answered', 'flushed']);
    });

    test('is answered once; what comes without a ping is no answer', async () => {
      const { transport, client, told } = await connect();
      client.ping();
      await once(client, 'pong');
      transport.ping();
      await pair.until('answered');
      client.ping();
      await once(client, 'pong');
      expect(told).toEqual(['answered']);
    });
  });

  describe('whose input is paused', () => {
    test('hears nothing until it is resumed, and loses none of it', async () => {
      const { transport, client, told } = await connect();
      transport.pauseInput(true);
      client.ping();
      for (let count = 0; count < 101; count += 1) client.send('x');
      await new Promise((resolve) => setImmediate(resolve));
      expect(told).toEqual([]);
      transport.pauseInput(false);
      await pair.until('violated');
    });
  });

  describe('whose client sends', () => {
    test('a hundred data frames in ten seconds is within its rules, one more is not', async () => {
      const { client, told } = await connect();
      for (let count = 0; count < 100; count += 1) client.send('x');
      client.ping();
      await once(client, 'pong');
      expect(told).toEqual([]);
      client.send('x');
      await pair.until('violated');
    });

    test('any number of them is, slowly', async () => {
      let nowMs = 0;
      const { client, told } = await connect({ now: () => nowMs });
      for (let round = 0; round < 5; round += 1) {
        for (let count = 0; count < 100; count += 1) client.send('x');
        client.ping();
        await once(client, 'pong');
        nowMs += 10_001;
      }
      expect(told).toEqual([]);
    });
  });

  describe('that ends', () => {
    test('in order sends what was written before, then its code', async () => {
      const { transport, client } = await connect();
      const heard = heardBy(pair);
      transport.write([frameOf('last')], 1);
      transport.close(1013, 'too slow');
      const [code, reason] = (await once(client, 'close')) as [number, Buffer];
      expect([heard, code, reason.toString()]).toEqual([['last', 'close 1013'], 1013, 'too slow']);
      await pair.until('closed');
    });

    test('in order although much is buffered', async () => {
      const { transport, client } = await stuck();
      const heard = heardBy(pair);
      transport.close(1001, '');
      client.resume();
      await once(client, 'close');
      expect([heard.length, heard.at(-1)]).toEqual([FLOOD.length + 1, 'close 1001']);
    });

    test('hears nothing more of its client, who may go on as if it was not told', async () => {
      const said: string[] = [];
      const { transport, client } = await connect({ inbound: (data) => void said.push(`${data}`) });
      client.send('before');
      while (said.length === 0) await new Promise((resolve) => setImmediate(resolve));
      transport.close(4401, 'unauthorized');
      // It has not read that yet.
      client.send('after');
      client.ping();
      await once(client, 'close');
      await pair.until('closed');
      expect(said).toEqual(['before']);
    });

    test('takes nothing more: a write throws', async () => {
      const { transport, client } = await connect();
      transport.close(1001, '');
      expect(() => transport.write([frameOf('a')], 1)).toThrow('the connection is not open');
      await once(client, 'close');
      await pair.until('closed');
      expect(() => transport.write([frameOf('a')], 1)).toThrow('the connection is not open');
      expect(transport.unflushedEvents).toBe(0);
    });

    test('by a client that breaks the rules of WebSocket, with the code that says which', async () => {
      const { client } = await connect();
      // A frame from a client that is not masked.
      (client as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0x81, 0x00]));
      const [code] = (await once(client, 'close')) as [number];
      expect(code).toBe(1002);
      await pair.until('closed');
    });

    test('by a client that closes', async () => {
      const { client, told } = await connect();
      client.close(1000);
      await pair.until('closed');
      expect(told.at(-1)).toBe('closed');
    });
  });
});
