import type { BufferBudget } from '../../src/routing/buffer-budget.ts';
import type { Transport, TransportListener } from '../../src/routing/transport.ts';

interface Write {
  readonly frames: readonly Buffer[];
  readonly events: number;
  readonly bytes: number;
}

/** A connection whose peer reads, answers and vanishes as the test says. */
export class SimulatedTransport implements Transport {
  readonly #budget: BufferBudget;
  readonly #listener: TransportListener;
  readonly #onFrame: (frame: Buffer) => void;
  #waiting: Write[] = [];
  #isAwaiting = false;
  #isClosed = false;
  readonly isCompressed: boolean;
  bufferedBytes = 0;
  unflushedEvents = 0;
  /** Everything the routing handed over, in events. */
  acceptedEvents = 0;
  peakBufferedBytes = 0;
  pings = 0;
  isReading = true;
  /** Whatever is written to it throws. */
  isBroken = false;
  /** Every frame that was written to it. */
  readonly written: Buffer[] = [];
  isAnswering = true;
  /** The peer takes its part in the closing handshake, at once. */
  isConfirming = true;
  closedWith: { code: number; reason: string } | undefined;

  constructor(
    budget: BufferBudget,
    listener: TransportListener,
    onFrame: (frame: Buffer) => void,
    isCompressed = false,
  ) {
    this.isCompressed = isCompressed;
    this.#budget = budget;
    this.#listener = listener;
    this.#onFrame = onFrame;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(frames: readonly Buffer[], events: number): void {
    if (this.#isClosed || this.isBroken) throw new Error('the connection is not open');
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    this.#waiting.push({ frames: [...frames], events, bytes });
    this.written.push(...frames);
    this.acceptedEvents += events;
    this.unflushedEvents += events;
    this.bufferedBytes += bytes;
    this.#budget.add(bytes);
    this.peakBufferedBytes = Math.max(this.peakBufferedBytes, this.bufferedBytes);
    this.#listener.waiting?.();
  }

  /** The network takes up to `writes` of what waits, if the peer reads. */
  flush(writes = Number.POSITIVE_INFINITY): void {
    if (!this.isReading || this.#isClosed) return;
    for (let count = 0; count < writes; count += 1) {
      const write = this.#waiting.shift();
      if (write === undefined) return;
      this.bufferedBytes -= write.bytes;
      this.unflushedEvents -= write.events;
      this.#budget.add(-write.bytes);
      for (const frame of write.frames) this.#onFrame(frame);
      this.answer();
      this.#listener.flushed();
      if (this.#isClosed) return;
    }
  }

  ping(frame?: Buffer): void {
    this.pings += 1;
    this.#isAwaiting = true;
    if (frame !== undefined && this.bufferedBytes === 0) this.#onFrame(frame);
  }

  /** The peer answers the ping that it has, if it is minded to. */
  answer(): void {
    if (!this.#isAwaiting || !this.isAnswering || this.#isClosed) return;
    this.#isAwaiting = false;
    this.#listener.answered();
  }

  pauseInput(): void {}

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
    if (this.isConfirming) this.cut();
  }

  terminate(): void {
    this.cut();
  }

  /** The connection breaks; what was not flushed never arrives. */
  cut(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#budget.add(-this.bufferedBytes);
    this.#listener.closed();
  }
}
