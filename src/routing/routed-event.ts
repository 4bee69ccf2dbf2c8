import type { StreamId } from '../event/stream-id.ts';
import type { Malformed } from '../protocol/event-codec.ts';

/**
 * The payloads of events that came together, in one buffer of their own. A window keeps a hundred thousand events:
 * with a Buffer for each, marking them took a tenth of the processor and delayed live events by tens of milliseconds.
 */
export class KeptBatch {
  /** When this process (or, for what was filled in at start, the broker) had them: ms of the injected clock. */
  readonly atMs: number;
  readonly #bytes: Buffer;
  #used = 0;

  /** `capacity`: bytes of all payloads that are to be kept. */
  constructor(atMs: number, capacity: number) {
    this.atMs = atMs;
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  keep(id: StreamId, channels: RoutedEvent['channels'], payload: Buffer): RoutedEvent {
    const from = this.#used;
    this.#used += payload.copy(this.#bytes, from);
    return new RoutedEvent(id, channels, this, from, this.#used);
  }

  payload(from: number, to: number): Buffer {
    return this.#bytes.subarray(from, to);
  }
}

/** An event as the window keeps it: raw bytes, made a frame when somebody wants it. */
export class RoutedEvent {
  readonly id: StreamId;
  /** One channel, or several of which each socket hears it once. */
  readonly channels: string | readonly string[];
  /** Encoded for a replay, shared by every socket; `Malformed` when it is no event after all. */
  frame: Buffer | Malformed | undefined = undefined;
  /** The same for peers that take compressed frames. */
  compressed: Buffer | undefined = undefined;
  readonly batch: KeptBatch;
  readonly from: number;
  readonly to: number;

  constructor(
    id: StreamId,
    channels: string | readonly string[],
    batch: KeptBatch,
    from: number,
    to: number,
  ) {
    this.id = id;
    this.channels = channels;
    this.batch = batch;
    this.from = from;
    this.to = to;
  }

  get atMs(): number {
    return this.batch.atMs;
  }

  get payload(): Buffer {
    return this.batch.payload(this.from, this.to);
  }
}

/** What one event costs in the window beside its payload: 150 to 310 bytes on few channels, 450 to 610 on one of its own. */
export const EVENT_OVERHEAD_BYTES = 500;

/** Bytes an event occupies, overhead included. */
export function sizeOf(event: RoutedEvent): number {
  const { frame, compressed } = event;
  const frameBytes = Buffer.isBuffer(frame) ? frame.length : 0;
  const compressedBytes = compressed === undefined || compressed === frame ? 0 : compressed.length;
  return event.to - event.from + frameBytes + compressedBytes + EVENT_OVERHEAD_BYTES;
}

/** Calls `visit` for each channel of an event. */
export function forEachChannel(event: RoutedEvent, visit: (channel: string) => void): void {
  if (typeof event.channels === 'string') visit(event.channels);
  else for (const channel of event.channels) visit(channel);
}
