import type { StreamId } from '../event/stream-id.ts';
import type { Malformed } from '../protocol/event-codec.ts';

/** When events came: ms of the injected clock; of what is filled in at start, by the broker's clock. */
export interface Arrival {
  readonly atMs: number;
}

/** An event as the window keeps it: raw bytes, made a frame when somebody wants it. */
export interface RoutedEvent {
  readonly id: StreamId;
  /** One channel, or several of which each socket hears it once. */
  readonly channels: string | readonly string[];
  /** Shared by all that came with it. */
  readonly arrival: Arrival;
  /** Where its payload is. */
  readonly slab: Buffer;
  readonly from: number;
  readonly to: number;
  /** Encoded for a replay, shared by every socket; `Malformed` when it is no event after all. */
  frame: Buffer | Malformed | undefined;
  /** The same for peers that take compressed frames. */
  compressed: Buffer | undefined;
}

const SLAB_BYTES = 262_144;
/** What would leave much of a slab unused has a buffer of its own. */
const LARGE_BYTES = SLAB_BYTES / 4;

/**
 * Copies of payloads, in slabs that are filled one after the other. Events leave the window in the order in which
 * they came, so a slab goes with the last event in it, and all but two of them are full. A Buffer for each event, or
 * one from Node's pool, would keep the network's buffers and whatever else was in the pool, uncounted.
 */
export class Slabs {
  #slab: Buffer | undefined;
  #used = 0;

  keep(id: StreamId, channels: RoutedEvent['channels'], payload: Buffer, arrival: Arrival): RoutedEvent {
    const slab = this.#slabFor(payload.length);
    const from = slab === this.#slab ? this.#used : 0;
    const to = from + payload.copy(slab, from);
    if (slab === this.#slab) this.#used = to;
    return { id, channels, arrival, slab, from, to, frame: undefined, compressed: undefined };
  }

  #slabFor(bytes: number): Buffer {
    if (bytes > LARGE_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (this.#slab === undefined || this.#used + bytes > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    return this.#slab;
  }
}

export function keptPayload({ slab, from, to }: RoutedEvent): Buffer {
  return slab.subarray(from, to);
}

/** What one event costs in the window beside its payload: 150 to 310 bytes on few channels, 450 to 610 on one of its own. */
export const EVENT_OVERHEAD_BYTES = 500;

/** Bytes an event occupies, overhead included. */
export function sizeOf({ from, to, frame, compressed }: RoutedEvent): number {
  const frameBytes = Buffer.isBuffer(frame) ? frame.length : 0;
  const compressedBytes = compressed === undefined || compressed === frame ? 0 : compressed.length;
  return to - from + frameBytes + compressedBytes + EVENT_OVERHEAD_BYTES;
}

/** Calls `visit` for each channel of an event. */
export function forEachChannel(event: RoutedEvent, visit: (channel: string) => void): void {
  if (typeof event.channels === 'string') visit(event.channels);
  else for (const channel of event.channels) visit(channel);
}
