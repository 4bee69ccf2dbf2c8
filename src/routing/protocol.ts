import type { CloseReason } from '../../machines/socket.machine.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { EventCodec } from '../protocol/event-codec.ts';

/** Why events are lost to a subscription. */
export type GapReason = 'trimmed' | 'epoch' | 'lossy';

/** Events in `(after, to]` that will not come; `to` is the subscription's position now. */
export interface Gap {
  readonly after: StreamId;
  readonly to: StreamId;
  readonly reason: GapReason;
}

/** What the routing must know of a protocol that sockets speak. */
export interface SocketProtocol {
  readonly codec: EventCodec;
  /** The JSON text that announces a gap; undefined where the protocol has no word for it. */
  gapText(channels: readonly string[], gap: Gap): Buffer | undefined;
  /** Whether a client of this protocol is closed (reason `lossy`) on a gap, so that it catches up by itself. */
  readonly closesOnGap: boolean;
  /** Whether a position beyond the log is a gap (reason epoch), or is ignored. */
  readonly trustsPositions: boolean;
  closeCode(reason: CloseReason): { readonly code: number; readonly text: string };
}
