import type { CloseReason } from '../../../machines/close-reason.ts';
import type { SocketProtocol } from '../../routing/protocol.ts';
import { createSupersetRealtime } from './realtime.ts';
import { createSupersetStreams } from './streams.ts';

interface Close {
  readonly code: number;
  readonly text: string;
}

/** Superset's client reads no code and comes back after any; proxies and people do read them. */
const CLOSES: Readonly<Record<CloseReason, Close>> = {
  handshake_timeout: { code: 1008, text: 'handshake timeout' },
  unresponsive: { code: 1008, text: 'no answer to pings' },
  too_slow: { code: 1013, text: 'too slow' },
  expired: { code: 1008, text: 'token expired' },
  drain: { code: 1001, text: 'going away' },
  lossy: { code: 1012, text: 'realtime backend unavailable' },
  policy: { code: 1008, text: 'too many messages' },
  protocol: { code: 1008, text: 'protocol error' },
  failed: { code: 1011, text: 'internal error' },
  ended: { code: 1008, text: 'ended' },
  gone: { code: 1000, text: '' },
};

const closeCode = (reason: CloseReason): Close => CLOSES[reason];

export interface SupersetProtocolOptions {
  /** An event's bytes were not UTF-8 and were made so. */
  readonly onRepaired: () => void;
}

/** Async events with replay. It has no word for a gap: the client is simply live from its new position. */
export function supersetStreamsProtocol(options: SupersetProtocolOptions): SocketProtocol {
  return {
    codec: createSupersetStreams(options),
    onGap: 'goOn',
    gapText: () => undefined,
    closeCode,
  };
}

/** Realtime messages: nothing can be replayed, so a client with a gap is sent to its own catch-up. */
export function supersetRealtimeProtocol(options: SupersetProtocolOptions): SocketProtocol {
  return {
    codec: createSupersetRealtime(options),
    onGap: 'close',
    gapText: () => undefined,
    closeCode,
  };
}
