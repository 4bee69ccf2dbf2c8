import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import type { Transport, TransportListener } from '../routing/transport.ts';

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
  readonly #budget: BufferBudget;
  readonly #listener: WebSocketTransportOptions['listener'];
  readonly #id: Buffer;
  /** Events of each write that is not flushed, in order; of the first one apart, since there is rarely another. */
  #firstUnflushed: number | undefined;
  #laterUnflushed: number[] | undefined;
  #unflushedEvents = 0;
  /** What the budget was last told. */
  #accounted = 0;
  #isAwaiting = false;

  constructor(options: WebSocketTransportOptions) {
    this.isCompressed = options.socket.extensions !== '';
    this.#socket = options.socket;
    this.#connection = options.connection;
    this.#budget = options.budget;
    this.#listener = options.listener;
    this.#id = Buffer.from(options.id);
    this.#connection.on('data', this.#heard);
    this.#socket.on('error', ignore);
    this.#socket.on('close', this.#closed);
    this.#limitInbound(options);
  }

  get bufferedBytes(): number {
    return this.#connection.writableLength;
  }

  get unflushedEvents(): number {
    return this.#unflushedEvents;
  }

  write(frames: readonly Buffer[], events: number): void {
    if (this.#socket.readyState !== this.#socket.OPEN) throw new Error('the connection is not open');
    if (this.#firstUnflushed === undefined) this.#firstUnflushed = events;
    else (this.#laterUnflushed ??= []).push(events);
    this.#unflushedEvents += events;
    const last = frames.length - 1;
    if (last > 0) this.#connection.cork();
    for (let at = 0; at < last; at += 1) this.#connection.write(frames[at]);
    this.#connection.write(frames[last], this.#flushed);
    if (last > 0) this.#connection.uncork();
    this.#account();
  }

  ping(frame?: Buffer): void {
    this.#isAwaiting = true;
    if (this.bufferedBytes > 0) return;
    if (frame === undefined) this.#socket.ping(this.#id);
    // Not as `write` does: that the kernel took it would count as an answer.
    else if (this.#socket.readyState === this.#socket.OPEN) this.#connection.write(frame);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pauseInput(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  readonly #flushed = (error?: Error | null): void => {
    const events = this.#firstUnflushed ?? 0;
    this.#firstUnflushed = this.#laterUnflushed?.shift();
    this.#account();
    // Node says nothing of an error when the connection is destroyed under a write.
    if ((error !== undefined && error !== null) || this.#connection.destroyed) return;
    this.#unflushedEvents -= events;
    this.#heard();
    this.#listener.flushed();
  };

  readonly #heard = (): void => {
    if (!this.#isAwaiting) return;
    this.#isAwaiting = false;
    this.#listener.answered();
  };

  readonly #closed = (): void => {
    this.#connection.off('data', this.#heard);
    this.#budget.add(-this.#accounted);
    this.#accounted = 0;
    this.#listener.closed();
  };

  #account(): void {
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    const buffered = this.bufferedBytes;
    this.#budget.add(buffered - this.#accounted);
    this.#accounted = buffered;
  }

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
