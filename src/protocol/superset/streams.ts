import { isUtf8 } from 'node:buffer';
import { payloadOf } from '../../event/entry.ts';
import { type EventCodec, isMalformed, MALFORMED, type Malformed, withHeadroom } from '../event-codec.ts';
import { readJsonObject } from '../json-text.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;
const SPACE = 0x20;
const START = Buffer.from('{"channel_id":');

/**
 * The codec of Superset's async events: in, the JSON object that Superset publishes; out, the same object with
 * `"id"` in front, unless it brings an `id` of its own.
 */
export function createSupersetStreams(options: { readonly onRepaired?: () => void } = {}): EventCodec {
  const { onRepaired } = options;

  return {
    payloadOf,

    channelsOf(payload) {
      return leadingChannel(payload) ?? parsedChannel(payload);
    },

    encode(id, channels, payload, headroom) {
      const json = readJsonObject(payload);
      if (isMalformed(json)) return json;
      const { bytes, object, repaired } = json;
      const channel = channelIn(object);
      if (typeof channel !== 'string') return channel;
      if (channel !== channels) return MALFORMED.channelMismatch;
      if (repaired) onRepaired?.();
      if (Object.hasOwn(object, 'id')) return withHeadroom(headroom, bytes);
      const rest = bytes.indexOf(BRACE) + 1;
      // Spliced, not serialised: numbers beyond 2^53, `1.0` and the order of keys arrive as they were written.
      return withHeadroom(headroom, Buffer.from(`{"id":"${id}",`, 'latin1'), bytes.subarray(rest));
    },
  };
}

/** The codec with nobody listening for repairs. */
export const supersetStreams: EventCodec = createSupersetStreams();

/**
 * The channel where Superset's publisher always puts it, first and unescaped; undefined: look properly.
 *
 * The cost of every event that nobody here wants, so it looks at bytes, without a regular expression and without
 * a copy of the payload: 0.13 µs for a payload of Superset's.
 */
function leadingChannel(payload: Buffer): string | undefined {
  let at = 0;
  for (; at < START.length; at++) {
    if (payload[at] !== START[at]) return undefined;
  }
  if (payload[at] === SPACE) at++;
  if (payload[at] !== QUOTE) return undefined;
  const from = ++at;
  let ascii = true;
  for (; at < payload.length; at++) {
    const byte = payload[at] as number;
    if (byte === QUOTE) break;
    if (byte === BACKSLASH || byte < SPACE) return undefined;
    if (byte > 0x7f) ascii = false;
  }
  if (at === from || at === payload.length) return undefined;
  if (ascii) return payload.toString('latin1', from, at);
  return isUtf8(payload.subarray(from, at)) ? payload.toString('utf8', from, at) : undefined;
}

function parsedChannel(payload: Buffer): string | Malformed {
  const json = readJsonObject(payload);
  return isMalformed(json) ? json : channelIn(json.object);
}

function channelIn(object: Readonly<Record<string, unknown>>): string | Malformed {
  const channel = Object.hasOwn(object, 'channel_id') ? object['channel_id'] : undefined;
  return typeof channel === 'string' && channel !== '' ? channel : MALFORMED.noChannel;
}
