import { isUtf8 } from 'node:buffer';
import type { Framing } from '../routing/frames.ts';

const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** The longest header of a frame from server to client. */
const FRAME_HEADROOM = 10;

const headerBytesFor = (length: number): number => (length < LENGTH_16 ? 2 : length < 65_536 ? 4 : 10);

function writeHeader(frame: Buffer, firstByte: number, length: number): void {
  frame[0] = firstByte;
  if (length < LENGTH_16) frame[1] = length;
  else if (length < 65_536) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
}

/**
 * A whole WebSocket text message from server to client (RFC 6455: one frame, not masked), made in place of UTF-8
 * text with `FRAME_HEADROOM` free bytes before it.
 */
function textFrame(text: Buffer): Buffer {
  const length = text.length - FRAME_HEADROOM;
  const frame = text.subarray(FRAME_HEADROOM - headerBytesFor(length));
  writeHeader(frame, FIN_TEXT, length);
  return frame;
}

/** A whole message with this first byte, in a buffer of its own. */
export function frameOf(firstByte: number, payload: Buffer): Buffer {
  const headerBytes = headerBytesFor(payload.length);
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  writeHeader(frame, firstByte, payload.length);
  payload.copy(frame, headerBytes);
  return frame;
}

/** How long the header of a frame is. */
export function headerBytesOf(frame: Buffer): number {
  const length = frame[1] as number;
  return length === LENGTH_64 ? 10 : length === LENGTH_16 ? 4 : 2;
}

/** For messages of others that leave over WebSocket: of text where they are, else of bytes. */
export const messageFraming: Framing = {
  headroom: FRAME_HEADROOM,
  frame(message) {
    const isText = isUtf8(message.subarray(FRAME_HEADROOM));
    const frame = textFrame(message);
    if (!isText) frame[0] = FIN_BINARY;
    return frame;
  },
};

/** For texts that leave over WebSocket. */
export const webSocketFraming: Framing = { headroom: FRAME_HEADROOM, frame: textFrame };
