import type { CloseReason } from '../../machines/close-reason.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { EventCodec, Malformed } from '../protocol/event-codec.ts';

/** Why events are lost to a subscription. */
export type GapReason = 'trimmed' | 'epoch' | 'lossy';

/** Events in `(after, to]` that will not come; `to` is the subscription's position now. */
export interface Gap {
  readonly after: StreamId;
  readonly to: StreamId;
  readonly reason: GapReason;
  /** That of `to`, where it is another one than the client may know. */
  readonly epoch?: string;
}

/** What a store of a channel is re-filled with, valid after the event of this id. */
export interface ChannelSnapshot {
  readonly id: StreamId;
  readonly data: Buffer;
}

/** What the routing must know of a protocol that sockets speak. */
export interface SocketProtocol {
  readonly codec: EventCodec;
  /**
   * What a gap means to a client: `tell`: it is announced with `gapText`; `close`: it is closed (reason `lossy`) and
   * catches up by itself; `goOn`: the protocol has no word for it, so that the most is made of what is still there.
   */
  readonly onGap: 'tell' | 'close' | 'goOn';
  /** The JSON text that announces a gap; undefined where there is none. */
  gapText(channels: readonly string[], gap: Gap): Buffer | undefined;
  closeCode(reason: CloseReason): { readonly code: number; readonly text: string };
  /** The JSON text of a snapshot. Left out: the protocol has none. */
  snapshotText?(channel: string, snapshot: ChannelSnapshot): Buffer | Malformed;
  /**
   * The JSON text that asks the peer for an answer; `id`: it has everything up to here. Left out: the transport
   * has a way of its own.
   */
  pingText?(id: StreamId | undefined): string;
  /** The JSON text that is said before a close; undefined: none. */
  farewellText?(reason: CloseReason, random: () => number): string | undefined;
}
