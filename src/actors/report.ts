import type { Look } from '../../machines/canary.machine.ts';
import type { LogHead } from '../broker/ports.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { Malformed } from '../protocol/event-codec.ts';

/** What an operator should hear of. */
export interface Report {
  malformed(malformed: Malformed): void;
  routeFailed(error: unknown, id: StreamId): void;
  replayFailed(error: unknown): void;
  socketFailed(error: unknown, id: string): void;
  channelFailed(error: unknown): void;
  /** The broker will not let this process hear a channel; it is asked again. */
  channelRefused(error: unknown): void;
  readerLive(): void;
  readerStale(error: string | undefined): void;
  /** It is connected, and does not hear what is published. */
  readerDeaf(look: Look): void;
  readerHearing(): void;
  /** The broker will not have the canary publish. */
  canaryRefused(error: unknown): void;
  epochChanged(head: LogHead, position: StreamId): void;
  /** The reader or the router failed: nothing can be delivered any more, and the process is to end. */
  crashed(error: unknown): void;
}
