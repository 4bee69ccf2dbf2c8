import { WebSocket } from 'ws';
import { type CloseCode, CLOSES } from '../protocol/native/close-codes.ts';

const TOO_LARGE = 1009;

/** A WebSocket that ends by the codes of the native protocol alone, whatever is wrong with what comes. */
export class NativeWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    // Only `ws` gives a code without a reason: for a frame that it cannot read, or not all of.
    if (code === undefined || reason !== undefined) return super.close(code, reason);
    const native: CloseCode = code === TOO_LARGE ? TOO_LARGE : 4400;
    super.close(native, CLOSES[native].reason);
  }
}
