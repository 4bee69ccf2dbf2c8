import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import type { Transport, TransportListener } from '../routing/transport.ts';
import { ConnectionWriter } from './connection-writer.ts';

/** Data frames that a client of a protocol without any may send before it is closed. */
export interface InboundAllowance {
  readonly frames: number;
  readonly perMs: number;
}

/** Hears one message. */
export type OnMessage = (data: Buffer, isBinary: boolean) => void;

export interface WebSocketTransportOptions {
  readonly id: string;
  readonly socket: WebSocket;
  /** The connection under it, as the upgrade gave it. */
  readonly connection: Duplex;
  readonly budget: BufferBudget;
  readonly listener: TransportListener & {
    /** The client broke a rule of its protocol. */
    violated(): void;
  };
  /** Who hears what the client says; a number of frames: nobody, and no more of them than that. */
  readonly inbound: InboundAllowance | OnMessage;
  readonly now: () => number;
}

/**
 * A WebSocket as the routing writes to it. Ready frames go straight to the connection: `ws` writes each of its own
 * frames whole and at once, since pings and closes are never compressed, so the two never interleave within a frame.
 * The test `frames of ours and of ws keep their order` breaks if that changes.
 */
export class WebSocketTransport implements Transport {
  readonly isCompressed: boolean;
  readonly #socket: WebSocket;
  readonly #connection: Duplex;
  readonly #writer: ConnectionWriter;
  readonly #id: Buffer;

  constructor(options: WebSocketTransportOptions) {
    this.isCompressed = options.socket.extensions !== '';
    this.#socket = options.socket;
    this.#connection = options.connection;
    this.#writer = new ConnectionWriter(options);
    this.#id = Buffer.from(options.id);
    this.#connection.on('data', this.#heard);
    this.#socket.on('error', ignore);
    this.#socket.on('close', this.#closed);
    this.#limitInbound(options);
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  get unflushedEvents(): number {
    return this.#writer.unflushedEvents;
  }

  write(frames: readonly Buffer[], events: number): void {
    if (this.#socket.readyState !== this.#socket.OPEN) throw new Error('the connection is not open');
    this.#writer.write(frames, events);
  }

  ping(frame?: Buffer): void {
    this.#writer.awaitAnswer();
    if (this.bufferedBytes > 0) return;
    if (frame === undefined) this.#socket.ping(this.#id);
    // Not as `write` does: that the kernel took it would count as an answer.
    else if (this.#socket.readyState === this.#socket.OPEN) this.#connection.write(frame);
  }

  close(code: number, reason: string): void {
    // Its client may go on talking until it has read that, or for as long as it likes: its token may have ended.
    this.#socket.removeAllListeners('message');
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pauseInput(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  readonly #heard = (): void => this.#writer.heard();

  readonly #closed = (): void => {
    this.#connection.off('data', this.#heard);
    this.#writer.closed();
  };

  #limitInbound({ inbound, now, listener }: WebSocketTransportOptions): void {
    if (typeof inbound === 'function') {
      this.#socket.on('message', (data, isBinary) => inbound(data as Buffer, isBinary));
      return;
    }
    let sinceMs = now();
    let frames = 0;
    this.#socket.on('message', () => {
      if (now() - sinceMs > inbound.perMs) {
        sinceMs = now();
        frames = 0;
      }
      frames += 1;
      if (frames > inbound.frames) listener.violated();
    });
  }
}

/** `ws` closes by itself after an error of the connection or of a frame; its code says which. */
function ignore(): void {}
