/** What a parser finds: a whole frame, whose payload is `bytes` from `from` to before `to`, valid during the call. */
export type FrameListener = (opcode: number, bytes: Buffer, from: number, to: number) => void;

export const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const NOTHING = Buffer.alloc(0);

/**
 * Reads WebSocket frames as a server sends them: not masked, whole messages.
 *
 * It is not `ws` because the load would then cost more than the server that is measured. A chunk may be the
 * caller's to use again after the call: what is left of an unfinished frame is copied.
 */
export class FrameParser {
  readonly #listener: FrameListener;
  #rest: Buffer = NOTHING;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const end = this.#take(bytes, at);
      if (end === undefined) break;
      at = end;
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  /** Bytes of a frame that has not come to its end. */
  get pendingBytes(): number {
    return this.#rest.length;
  }

  #take(bytes: Buffer, at: number): number | undefined {
    const available = bytes.length - at;
    if (available < 2) return undefined;
    const short = (bytes[at + 1] as number) & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (available < header) return undefined;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const end = at + header + length;
    if (end > bytes.length) return undefined;
    this.#listener((bytes[at] as number) & 0x0f, bytes, at + header, end);
    return end;
  }
}

/** A frame from client to server, masked with zeros: allowed, and nothing to compute. The payload is under 126 bytes. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(6 + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | payload.length;
  payload.copy(frame, 6);
  return frame;
}
