import type { Duplex } from 'node:stream';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import type { TransportListener } from '../routing/transport.ts';

export interface ConnectionWriterOptions {
  readonly connection: Duplex;
  readonly budget: BufferBudget;
  readonly listener: TransportListener;
}

/** The write side of a connection: ready frames go straight to it, and what waits in it is accounted for. */
export class ConnectionWriter {
  readonly #connection: Duplex;
  readonly #budget: BufferBudget;
  readonly #listener: TransportListener;
  /** Events of each write that is not flushed, in order; of the first one apart, since there is rarely another. */
  #firstUnflushed: number | undefined;
  #laterUnflushed: number[] | undefined;
  #unflushedEvents = 0;
  /** What the budget was last told. */
  #accounted = 0;
  #isAwaiting = false;
  #isClosed = false;

  constructor({ connection, budget, listener }: ConnectionWriterOptions) {
    this.#connection = connection;
    this.#budget = budget;
    this.#listener = listener;
  }

  get bufferedBytes(): number {
    return this.#connection.writableLength;
  }

  get unflushedEvents(): number {
    return this.#unflushedEvents;
  }

  write(frames: readonly Buffer[], events: number): void {
    if (this.#firstUnflushed === undefined) this.#firstUnflushed = events;
    else (this.#laterUnflushed ??= []).push(events);
    this.#unflushedEvents += events;
    const last = frames.length - 1;
    if (last > 0) this.#connection.cork();
    for (let at = 0; at < last; at += 1) this.#connection.write(frames[at]);
    this.#connection.write(frames[last], this.#flushed);
    if (last > 0) this.#connection.uncork();
    this.#account();
    if (this.#accounted > 0) this.#listener.waiting?.();
  }

  /** From now on whatever the peer sends, or takes, is its answer. */
  awaitAnswer(): void {
    this.#isAwaiting = true;
  }

  /** The peer sent something, or took it. */
  heard(): void {
    if (!this.#isAwaiting) return;
    this.#isAwaiting = false;
    this.#listener.answered();
  }

  /** The connection has gone, with what waited in it. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#budget.add(-this.#accounted);
    this.#accounted = 0;
    this.#listener.closed();
  }

  readonly #flushed = (error?: Error | null): void => {
    const events = this.#firstUnflushed ?? 0;
    this.#firstUnflushed = this.#laterUnflushed?.shift();
    this.#account();
    // Node says nothing of an error when the connection is destroyed under a write.
    if ((error !== undefined && error !== null) || this.#connection.destroyed) return;
    this.#unflushedEvents -= events;
    this.heard();
    this.#listener.flushed();
  };

  #account(): void {
    if (this.#isClosed) return;
    const buffered = this.bufferedBytes;
    this.#budget.add(buffered - this.#accounted);
    this.#accounted = buffered;
  }
}
