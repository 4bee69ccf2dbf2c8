import type { Duplex } from 'node:stream';
import type { Transport } from '../routing/transport.ts';
import { ConnectionWriter, type ConnectionWriterOptions } from './connection-writer.ts';

export interface SseTransportOptions extends ConnectionWriterOptions {
  /** Called when events are written, and not for what is said beside them. */
  readonly onEvents?: (() => void) | undefined;
}

/**
 * A response that does not end, as the routing writes to it: its head has been sent, without a length and not in
 * chunks, so that its body is what is written to the connection, byte for byte, until that is closed. Every reader gets
 * the same frame then, and one of HTTP/1.0, such as a proxy with its defaults, the same as any other.
 */
export class SseTransport implements Transport {
  readonly isCompressed = false;
  readonly #connection: Duplex;
  readonly #writer: ConnectionWriter;
  readonly #onEvents: (() => void) | undefined;

  constructor(options: SseTransportOptions) {
    this.#onEvents = options.onEvents;
    this.#connection = options.connection;
    this.#writer = new ConnectionWriter(options);
    this.#connection.on('close', this.#closed);
    // A reader that says it has finished has gone: nothing else comes this way.
    this.#connection.on('end', this.#ended);
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  get unflushedEvents(): number {
    return this.#writer.unflushedEvents;
  }

  write(frames: readonly Buffer[], events: number): void {
    if (!this.#connection.writable) throw new Error('the connection is not open');
    this.#writer.write(frames, events);
    if (events > 0) this.#onEvents?.();
  }

  /** A reader answers nothing: that the kernel took the bytes is all there is. */
  ping(frame?: Buffer): void {
    this.#writer.awaitAnswer();
    if (this.bufferedBytes > 0 || !this.#connection.writable) return;
    // Nothing may be said to it: that the connection stands is all that is known.
    if (frame === undefined) return this.#writer.heard();
    this.#writer.write([frame], 0);
  }

  /** Nothing is read of it that could be left unread. */
  pauseInput(): void {}

  close(): void {
    this.#connection.end();
  }

  terminate(): void {
    this.#connection.destroy();
  }

  readonly #ended = (): void => {
    this.#connection.end();
  };

  readonly #closed = (): void => {
    this.#connection.off('end', this.#ended);
    this.#writer.closed();
  };
}
