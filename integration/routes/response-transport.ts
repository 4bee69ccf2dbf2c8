import type { ServerResponse } from 'node:http';
import type { BufferBudget } from '../../src/routing/buffer-budget.ts';
import type { Transport, TransportListener } from '../../src/routing/transport.ts';

/** A response that does not end, with no more to it than a test of what is written needs. */
export class ResponseTransport implements Transport {
  readonly isCompressed = false;
  readonly #response: ServerResponse;
  readonly #listener: TransportListener;
  readonly #budget: BufferBudget;
  bufferedBytes = 0;
  unflushedEvents = 0;

  constructor(response: ServerResponse, listener: TransportListener, budget: BufferBudget) {
    this.#response = response;
    this.#listener = listener;
    this.#budget = budget;
    response.once('close', () => listener.closed());
  }

  write(frames: readonly Buffer[], events: number): void {
    const bytes = Buffer.concat(frames);
    this.#add(bytes.length, events);
    this.#response.write(bytes, () => {
      this.#add(-bytes.length, -events);
      this.#listener.answered();
      this.#listener.flushed();
    });
  }

  ping(frame?: Buffer): void {
    if (frame !== undefined && this.bufferedBytes === 0) this.write([frame], 0);
  }

  pauseInput(): void {}

  close(): void {
    this.#response.end();
  }

  terminate(): void {
    this.#response.destroy();
  }

  #add(bytes: number, events: number): void {
    this.bufferedBytes += bytes;
    this.unflushedEvents += events;
    this.#budget.add(bytes);
  }
}
