import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as ws from 'ws';
import type { Writable } from 'node:stream';
import { withHeadroom } from '../../src/protocol/event-codec.ts';
import { webSocketFraming } from '../../src/transport/frames.ts';

/** The parser of a client; exported by `ws`, and not declared by its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** What a client reads of these bytes. */
function read(bytes: Buffer): { text: string; isBinary: boolean }[] {
  const messages: { text: string; isBinary: boolean }[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    messages.push({ text: data.toString(), isBinary });
  });
  receiver.on('error', (error) => {
    throw error;
  });
  receiver.write(bytes);
  return messages;
}

const frameOf = (text: string): Buffer =>
  webSocketFraming.frame(withHeadroom(webSocketFraming.headroom, Buffer.from(text)));

describe('a WebSocket frame', () => {
  test.each([0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 1_000_000])(
    'of %d bytes is one whole text message to the parser of a client',
    (length) => {
      const text = 'x'.repeat(length);
      expect(read(frameOf(text))).toEqual([{ text, isBinary: false }]);
    },
  );

  test.each([
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
  ])('of %d bytes has the shortest header: %d bytes', (length, headerBytes) => {
    expect(frameOf('x'.repeat(length))).toHaveLength(headerBytes + length);
  });

  test('is read with its neighbours, whatever the texts are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 300 })), (texts) => {
        const messages = read(Buffer.concat(texts.map(frameOf)));
        expect(messages.map(({ text }) => text)).toEqual(texts);
      }),
    );
  });

  test('is made in place: nothing is copied', () => {
    const text = withHeadroom(webSocketFraming.headroom, Buffer.from('{}'));
    const frame = webSocketFraming.frame(text);
    expect(frame.buffer).toBe(text.buffer);
    expect(frame.byteOffset + frame.length).toBe(text.byteOffset + text.length);
  });
});
