import type { StreamId } from '../event/stream-id.ts';
import type { Malformed } from '../protocol/event-codec.ts';

/** An event as the window keeps it: raw bytes, made a frame when the first socket wants it. */
export interface RoutedEvent {
  readonly id: StreamId;
  /** One channel, or several of which each socket hears it once. */
  readonly channels: string | readonly string[];
  readonly payload: Buffer;
  /** When this process (or, for what was filled in at start, the broker) had it: ms of the injected clock. */
  readonly atMs: number;
  /** Encoded once, shared by every socket; undefined until wanted, `Malformed` when it is no event after all. */
  frame: Buffer | Malformed | undefined;
}

/** What one event costs in the window beside its payload: 390 bytes on few channels, 540 on one of its own. */
export const EVENT_OVERHEAD_BYTES = 500;

/** Bytes an event occupies, overhead included. */
export function sizeOf(event: RoutedEvent): number {
  const frameBytes = Buffer.isBuffer(event.frame) ? event.frame.length : 0;
  return event.payload.length + frameBytes + EVENT_OVERHEAD_BYTES;
}

/** Calls `visit` for each channel of an event. */
export function forEachChannel(event: RoutedEvent, visit: (channel: string) => void): void {
  if (typeof event.channels === 'string') visit(event.channels);
  else for (const channel of event.channels) visit(channel);
}
