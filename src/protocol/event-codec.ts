import type { Entry } from '../event/entry.ts';
import type { StreamId } from '../event/stream-id.ts';

/**
 * Why an entry is no event.
 *
 * - `not_json`: the payload is not JSON text.
 * - `not_object`: it is JSON, and something else than an object.
 * - `no_channel`: there is no non-empty string `channel_id` at its top level; of a native entry: no field `c` that
 *   is the name of a channel.
 * - `channel_mismatch`: the channel found without parsing is not the one that parsing finds.
 * - `bad_envelope`: a realtime envelope without a topic or a scope, or with routes that are not names; a native
 *   entry without data, or with a topic that is none.
 */
export type MalformedReason = 'not_json' | 'not_object' | 'no_channel' | 'channel_mismatch' | 'bad_envelope';

/** What stands in an event's place when an entry is none. */
export interface Malformed {
  readonly malformed: MalformedReason;
}

/**
 * What goes over the wire of one protocol, as the fast lane uses it: no method throws, whatever the entry or the
 * payload is, and none keeps a reference to either.
 */
export interface EventCodec {
  /** What is kept of an entry: all that its frame is made of, but its id. It may be a part of the entry itself. */
  payloadOf(entry: Entry): Buffer;
  /**
   * The id of the event before this one in its channel; undefined: the entry does not say. Left out by protocols
   * whose entries never do.
   */
  previousOf?(entry: Entry): StreamId | undefined;
  /**
   * The W3C `traceparent` with which the event was published, as it stands there; undefined: none. Left out by protocols
   * that carry none.
   */
  traceparentOf?(entry: Entry): string | undefined;
  /**
   * The channel or channels of a payload, found without parsing it where that is possible, and confirmed by
   * `encode`. Of a list, each socket gets the event once, whichever of them it is in; an empty list is nobody.
   */
  channelsOf(payload: Buffer): string | readonly string[] | Malformed;
  /**
   * The JSON text (UTF-8) that clients get, or why there is none, after `headroom` bytes left free for the framing
   * of a transport. `channels` is what `channelsOf` answered for the same payload.
   */
  encode(
    id: StreamId,
    channels: string | readonly string[],
    payload: Buffer,
    headroom: number,
  ): Buffer | Malformed;
}

/** Tells a refusal from a result. */
export function isMalformed(result: unknown): result is Malformed {
  return typeof result === 'object' && result !== null && 'malformed' in result;
}

/** One frozen value for each reason, so that a flood of malformed entries allocates nothing. */
export const MALFORMED = {
  notJson: Object.freeze({ malformed: 'not_json' }),
  notObject: Object.freeze({ malformed: 'not_object' }),
  noChannel: Object.freeze({ malformed: 'no_channel' }),
  channelMismatch: Object.freeze({ malformed: 'channel_mismatch' }),
  badEnvelope: Object.freeze({ malformed: 'bad_envelope' }),
} as const satisfies Record<string, Malformed>;

/** The parts of a text, one after the other, behind `headroom` free bytes: a frame is allocated and filled once. */
export function withHeadroom(headroom: number, ...parts: readonly Buffer[]): Buffer {
  const out = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length, headroom));
  let at = headroom;
  for (const part of parts) at += part.copy(out, at);
  return out;
}
