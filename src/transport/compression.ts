import { constants, deflateRawSync } from 'node:zlib';
import type { IncomingHttpHeaders } from 'node:http';
import type { ServerOptions } from 'ws';
import type { Framing } from '../routing/frames.ts';
import { frameOf, headerBytesOf, webSocketFraming } from './frames.ts';

/** FIN, RSV1 ("per-message compressed", RFC 7692), text. */
const FIN_COMPRESSED_TEXT = 0xc1;
/** The empty block that ends what a sync flush gives, which RFC 7692 has taken off. */
const EMPTY_BLOCK_BYTES = 4;
/** Level 6 takes three times as long from 16 KB on, and saves 1 % more. */
const LEVEL = 1;

/**
 * What `ws` negotiates. No context goes over from one message to the next, in either direction: only so can a
 * compressed frame be shared, and a socket keeps no dictionary.
 */
export const COMPRESSION: NonNullable<Exclude<ServerOptions['perMessageDeflate'], boolean>> = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
};

/**
 * Whether a client offers a compression that shared frames have. One that wants a smaller window gets plain frames:
 * `ws` would grant it the window, or refuse the upgrade.
 */
export function isCompressionOffered(headers: IncomingHttpHeaders): boolean {
  const offer = headers['sec-websocket-extensions'] ?? '';
  return offer.includes('permessage-deflate') && !offer.includes('server_max_window_bits');
}

/** Frames that are compressed once for all who take them, where a text of `thresholdBytes` or more gets shorter. */
export function createCompressingFraming(thresholdBytes: number): Framing {
  return {
    ...webSocketFraming,
    compress(frame) {
      const text = frame.subarray(headerBytesOf(frame));
      if (text.length < thresholdBytes) return frame;
      const deflated = deflateRawSync(text, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH });
      const length = deflated.length - EMPTY_BLOCK_BYTES;
      if (length >= text.length) return frame;
      return frameOf(FIN_COMPRESSED_TEXT, deflated.subarray(0, length));
    },
  };
}
