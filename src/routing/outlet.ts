import type { Metrics } from '../telemetry/metrics.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { Transport } from './transport.ts';

/** What may be said to a socket that is full, until it has drained. */
const MAX_SAID_BYTES = 262_144;

export interface OutletDeps {
  readonly budget: BufferBudget;
  readonly metrics: Metrics;
}

/** What waits in an outlet at rest: an array of its own for each would be 150 bytes that are rarely used. */
const NONE: Buffer[] = [];

/** The write side of one socket: the frames of a turn leave together, and no more of them than it may hold. */
export class Outlet {
  readonly #deps: OutletDeps;
  readonly #transport: Transport;
  readonly #onFailed: () => void;
  #frames: Buffer[] = NONE;
  /** The room that they take. */
  #bytes = 0;
  /** What they are on the wire. */
  #wireBytes = 0;
  #events = 0;
  /** What was said to it while there was no room. */
  #saidBytes = 0;
  /** The transport holds as much as it may: nothing is added until it has drained. */
  #isFull = false;
  /** The peer may be gone, or the socket is closing. */
  #isSuspended = false;
  #isClosed = false;
  /** An operator holds it. */
  isPaused = false;

  /** `onFailed` is told when the transport threw. */
  constructor(deps: OutletDeps, transport: Transport, onFailed: () => void) {
    this.#deps = deps;
    this.#transport = transport;
    this.#onFailed = onFailed;
  }

  /** Whether frames may be added at all. */
  get isOpen(): boolean {
    return !this.#isFull && !this.#isSuspended && !this.#isClosed && !this.isPaused;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isEmpty(): boolean {
    return this.#frames === NONE;
  }

  /** Asked before each frame is added, so that one of any size passes an empty buffer. */
  hasRoom(): boolean {
    return !this.#isFull && this.#transport.bufferedBytes + this.#bytes < this.#deps.budget.limit;
  }

  /**
   * Queues a frame for the end of the turn; `events` of it count as delivered once it is written. It takes `bytes` of
   * the room until then.
   */
  push(frame: Buffer, events: number, bytes: number = frame.length): void {
    if (this.isEmpty) this.#frames = [frame];
    else this.#frames.push(frame);
    this.#bytes += bytes;
    this.#wireBytes += frame.length;
    this.#events += events;
  }

  /** As `push`, for what is no event: goes out also where there is no room. False when it is too much of that. */
  say(frame: Buffer): boolean {
    if (this.#isClosed) return true;
    if (!this.hasRoom()) this.#saidBytes += frame.length;
    if (this.#saidBytes > MAX_SAID_BYTES) return false;
    this.push(frame, 0);
    return true;
  }

  /** Writes what was queued in this turn, in one go. A broken transport ends its own socket and nothing else. */
  flush(): void {
    if (this.isEmpty || this.#isClosed) return;
    const frames = this.#frames;
    const events = this.#events;
    const wireBytes = this.#wireBytes;
    this.#frames = NONE;
    this.#bytes = 0;
    this.#wireBytes = 0;
    this.#events = 0;
    try {
      this.#transport.write(frames, events);
      this.#deps.metrics.count('signalbox.events_delivered', events);
      this.#deps.metrics.count('signalbox.written_bytes', wireBytes);
    } catch {
      this.#deps.metrics.count('ws_client_send_error', events);
      this.#countLost(events, 'failed');
      this.#isSuspended = true;
      this.#onFailed();
    }
  }

  /** There was no room. True at the first time. */
  fill(): boolean {
    if (this.#isFull) return false;
    this.#isFull = true;
    this.#transport.pauseInput(true);
    return true;
  }

  /** The transport flushed bytes. True when it was full, and has drained to a quarter of what it may hold. */
  drain(): boolean {
    if (!this.#isFull || this.#isClosed) return false;
    if (this.#transport.bufferedBytes * 4 > this.#deps.budget.limit) return false;
    this.#isFull = false;
    this.#saidBytes = 0;
    this.#transport.pauseInput(false);
    return true;
  }

  suspend(): void {
    this.#isSuspended = true;
  }

  resume(): void {
    this.#isSuspended = false;
  }

  /** Nothing leaves any more; what never did is counted. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#countLost(this.#transport.unflushedEvents, 'unflushed');
    this.#countLost(this.#events, 'closed');
  }

  #countLost(events: number, reason: string): void {
    if (events > 0) this.#deps.metrics.count('signalbox.events_not_delivered', events, { reason });
  }
}
