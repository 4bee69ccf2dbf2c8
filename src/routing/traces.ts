import type { StreamId } from '../event/stream-id.ts';

/** An event that its publisher follows, on its way to those who subscribe to its channel. */
export interface TracedEvent {
  readonly id: StreamId;
  readonly channel: string;
  readonly subscriptions: number;
  /** As its entry has it, whatever that is. */
  readonly traceparent: string;
}

/** Where events are followed. */
export interface Traces {
  /** Once for each event, not for each socket; what it answers is called when its batch has been written. Never throws. */
  delivering(event: TracedEvent): (() => void) | undefined;
}
