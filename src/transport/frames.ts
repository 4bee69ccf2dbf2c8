import type { Framing } from '../routing/frames.ts';

const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** The longest header of a frame from server to client. */
const FRAME_HEADROOM = 10;

/**
 * A whole WebSocket text message from server to client (RFC 6455: one frame, not masked), made in place of UTF-8
 * text with `FRAME_HEADROOM` free bytes before it.
 */
function textFrame(text: Buffer): Buffer {
  const length = text.length - FRAME_HEADROOM;
  const headerBytes = length < LENGTH_16 ? 2 : length < 65_536 ? 4 : 10;
  const frame = text.subarray(FRAME_HEADROOM - headerBytes);
  frame[0] = FIN_TEXT;
  if (headerBytes === 2) frame[1] = length;
  else if (headerBytes === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}

/** For texts that leave over WebSocket. */
export const webSocketFraming: Framing = { headroom: FRAME_HEADROOM, frame: textFrame };
