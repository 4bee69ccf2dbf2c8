import type { CloseReason } from '../../../machines/close-reason.ts';
import { isMalformed, type EventCodec, withHeadroom } from '../event-codec.ts';
import type { ChannelSnapshot, Gap, SocketProtocol } from '../../routing/protocol.ts';
import { nativeClose } from './close-codes.ts';
import { createNativeEvents, nativePartsOf } from './event-codec.ts';
import { gapText, nativeSocketRules } from './socket-rules.ts';
import { ssePosition } from './sse-position.ts';
import { sseBlock } from './sse-text.ts';

export interface SseOptions {
  /** Of the log, as it is now. */
  readonly epoch: () => string;
  readonly onRepaired: () => void;
}

/** Over how long the streams of a server that is being stopped come back. */
const RETRY_SPREAD_MS = 5_000;
/** Between a lost connection and the next one, unless the server is being stopped. */
const RETRY_MS = { least: 1_000, spread: 2_000 };

/** How long the client of a stream that ends, or breaks, waits; each has its own. */
export const retryMs = (random: () => number): number => RETRY_MS.least + random() * RETRY_MS.spread;

/** What all streams have in common: how they end, and that they are asked nothing. */
const streamRules = {
  onGap: 'tell',
  closeCode: nativeClose,
  farewellText(reason: CloseReason, random: () => number): string | undefined {
    return reason === 'drain' ? sseBlock({ retry: random() * RETRY_SPREAD_MS }) : undefined;
  },
} as const;

/**
 * Native events for EventSource: `event` is the topic, `data` the data, `id` the position, so that it comes back with
 * `Last-Event-ID`. The frame is shared by all who have the event's channel, whatever else they have.
 */
export function sseProtocol({ epoch, onRepaired }: SseOptions): SocketProtocol {
  const native = createNativeEvents({ onRepaired });
  const codec: EventCodec = {
    ...native,
    encode(id, channels, payload, headroom) {
      const parts = nativePartsOf(channels, payload);
      if (isMalformed(parts)) return parts;
      if (parts.repaired) onRepaired();
      const block = { id: ssePosition(epoch(), id), event: parts.topic, data: parts.data.toString() };
      return withHeadroom(headroom, Buffer.from(sseBlock(block)));
    },
  };
  return {
    ...streamRules,
    codec,
    gapText: (_, gap) => Buffer.from(sseBlock({ ...gapBlock(gap, epoch()), event: 'gap' })),
    snapshotText(channel: string, { id, data }: ChannelSnapshot) {
      const parts = nativeSocketRules.snapshotText?.(channel, { id, data });
      if (parts === undefined || isMalformed(parts)) return parts as never;
      return Buffer.from(
        sseBlock({ id: ssePosition(epoch(), id), event: 'snapshot', data: data.toString() }),
      );
    },
    pingText: (id) => (id === undefined ? ':\n\n' : sseBlock({ id: ssePosition(epoch(), id) })),
  };
}

/**
 * The frames of `signalbox.v1` on a stream, for a client that speaks it and may open no WebSocket: each block's data is
 * a frame, so that it knows of which channel an event is.
 */
export function sseFramesProtocol({ epoch, onRepaired }: SseOptions): SocketProtocol {
  const native = createNativeEvents({ onRepaired });
  const codec: EventCodec = {
    ...native,
    encode(id, channels, payload, headroom) {
      const frame = native.encode(id, channels, payload, 0);
      if (isMalformed(frame)) return frame;
      const block = { id: ssePosition(epoch(), id), data: frame.toString() };
      return withHeadroom(headroom, Buffer.from(sseBlock(block)));
    },
  };
  const { snapshotText, pingText } = nativeSocketRules;
  return {
    ...streamRules,
    codec,
    gapText(channels, gap) {
      const blocks = channels.map((channel) => sseBlock({ data: gapText(channel, gap) }));
      return Buffer.from(blocks.join('') + sseBlock({ id: ssePosition(epoch(), gap.to) }));
    },
    snapshotText(channel, snapshot) {
      const frame = snapshotText?.(channel, snapshot);
      if (frame === undefined || isMalformed(frame)) return frame as never;
      const block = { id: ssePosition(epoch(), snapshot.id), data: frame.toString() };
      return Buffer.from(sseBlock(block));
    },
    pingText(id) {
      const data = pingText?.(id) ?? '';
      return sseBlock(id === undefined ? { data } : { id: ssePosition(epoch(), id), data });
    },
  };
}

function gapBlock({ after, to, reason }: Gap, epoch: string): { readonly id: string; readonly data: string } {
  return { id: ssePosition(epoch, to), data: JSON.stringify({ after, id: to, reason }) };
}
