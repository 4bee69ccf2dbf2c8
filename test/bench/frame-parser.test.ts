import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { clientFrame, FrameParser, OPCODE } from '../../bench/frame-parser.ts';
import { webSocketFraming } from '../../src/transport/frames.ts';

/** As Signalbox makes them. */
const serverFrame = (payload: Buffer, opcode: number = OPCODE.text): Buffer => {
  const frame = webSocketFraming.frame(Buffer.concat([Buffer.alloc(webSocketFraming.headroom), payload]));
  frame[0] = 0x80 | opcode;
  return frame;
};

const read = (chunks: readonly Buffer[]): { opcode: number; payload: string }[] => {
  const frames: { opcode: number; payload: string }[] = [];
  const parser = new FrameParser((opcode, bytes, from, to) => {
    frames.push({ opcode, payload: bytes.toString('latin1', from, to) });
  });
  for (const chunk of chunks) {
    parser.push(chunk);
    // The caller's buffer is the caller's again.
    chunk.fill(0xff);
  }
  return frames;
};

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const edges = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => Buffer.from(bytes.subarray(edges[index], end)));
};

describe('frame parser', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('reads a payload of %i bytes', (length) => {
    const payload = Buffer.alloc(length, 'x');
    expect(read([serverFrame(payload)])).toEqual([{ opcode: OPCODE.text, payload: payload.toString() }]);
  });

  test('finds the same frames wherever the stream is cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(), { maxLength: 12 }), (wanted, places) => {
        const bytes = Buffer.concat(wanted.map((payload) => serverFrame(Buffer.from(payload))));
        expect(read(cut(bytes, places)).map(({ payload }) => payload)).toEqual(
          wanted.map((payload) => Buffer.from(payload).toString('latin1')),
        );
      }),
    );
  });

  test('tells a ping from a text', () => {
    const bytes = Buffer.concat([serverFrame(Buffer.from('a')), serverFrame(Buffer.from('b'), OPCODE.ping)]);
    expect(read([bytes]).map(({ opcode }) => opcode)).toEqual([OPCODE.text, OPCODE.ping]);
  });

  test('waits for the end of a frame', () => {
    const parser = new FrameParser(() => {
      throw new Error('there is no whole frame');
    });
    parser.push(serverFrame(Buffer.from('abc')).subarray(0, 4));
    expect(parser.pendingBytes).toBe(4);
  });
});

describe('client frame', () => {
  test('is masked, with a mask that changes nothing', () => {
    expect(clientFrame(OPCODE.pong, Buffer.from('ab'))).toEqual(
      Buffer.from([0x8a, 0x82, 0, 0, 0, 0, 0x61, 0x62]),
    );
  });
});
