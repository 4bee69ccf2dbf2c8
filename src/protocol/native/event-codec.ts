import type { Entry } from '../../event/entry.ts';
import { parseStreamId } from '../../event/stream-id.ts';
import { type EventCodec, isMalformed, type Malformed, MALFORMED, withHeadroom } from '../event-codec.ts';
import { readJsonValue } from '../json-text.ts';
import { DEFAULT_TOPIC, isChannel, topicFault } from './names.ts';

/** The fields of an entry; each name is one character, since it is written with every event. */
const CHANNEL = 0x63;
const TOPIC = 0x74;
const DATA = 0x64;
const PREVIOUS = 0x70;
const TRACEPARENT = 0x77;

/** A name of more bytes than any has, so that its length is one byte of a payload. */
const TOO_LONG = 255;
const UNNAMED = Buffer.from(DEFAULT_TOPIC);
const EMPTY = Buffer.alloc(0);
const CLOSING_BRACE = Buffer.from('}');

/**
 * The codec of native events: in, entries with the fields `c` channel, `t` topic (left out: `message`), `d` data as
 * JSON, `p` the previous id and perhaps `w` the traceparent; out, the frame `event`. The data is spliced, not serialised again.
 *
 * What is kept of an entry is its channel, its topic and its data in one piece: the lengths of the two names, a byte
 * each, then the three. An entry without a channel or without data is kept as nothing of its kind.
 */
export function createNativeEvents(options: { readonly onRepaired?: () => void } = {}): EventCodec {
  return {
    payloadOf(entry) {
      const channel = nameOf(fieldOf(entry, CHANNEL) ?? EMPTY);
      const data = fieldOf(entry, DATA);
      // Without data it has no topic either, which is one fault and no event.
      const topic = data === undefined ? EMPTY : nameOf(fieldOf(entry, TOPIC) ?? UNNAMED);
      return Buffer.concat([Buffer.of(channel.length, topic.length), channel, topic, data ?? EMPTY]);
    },

    channelsOf(payload) {
      return channelOf(payload) ?? MALFORMED.noChannel;
    },

    encode(id, channels, payload, headroom) {
      const parts = nativePartsOf(channels, payload);
      if (isMalformed(parts)) return parts;
      const { channel, topic, data, repaired } = parts;
      if (repaired) options.onRepaired?.();
      const timeMs = id.slice(0, id.indexOf('-'));
      // Neither names nor ids hold anything that JSON would escape.
      const front = `{"type":"event","channel":"${channel}","topic":"${topic}","id":"${id}","time":${timeMs},"data":`;
      return withHeadroom(headroom, Buffer.from(front, 'latin1'), data, CLOSING_BRACE);
    },

    previousOf(entry) {
      const previous = fieldOf(entry, PREVIOUS);
      return previous === undefined ? undefined : parseStreamId(previous.toString('latin1'));
    },

    traceparentOf: (entry) => fieldOf(entry, TRACEPARENT)?.toString('latin1'),
  };
}

/** What a frame is made of. */
export interface NativeParts {
  readonly channel: string;
  readonly topic: string;
  /** JSON, as it was published. */
  readonly data: Buffer;
  /** Its bytes were not UTF-8, and were made so. */
  readonly repaired: boolean;
}

/** Reads what is kept of an entry, of which `channels` is what was found before. */
export function nativePartsOf(
  channels: string | readonly string[],
  payload: Buffer,
): NativeParts | Malformed {
  const channel = channelOf(payload);
  if (channel === undefined) return MALFORMED.noChannel;
  if (channel !== channels) return MALFORMED.channelMismatch;
  const dataAt = 2 + channel.length + (payload[1] as number);
  const topic = payload.toString('latin1', 2 + channel.length, dataAt);
  if (topicFault(topic) !== undefined) return MALFORMED.badEnvelope;
  const json = readJsonValue(payload.subarray(dataAt));
  if (isMalformed(json)) return json;
  return { channel, topic, data: json.bytes, repaired: json.repaired };
}

/** One that is too long is cut to a length that no name has. */
function nameOf(name: Buffer): Buffer {
  return name.length > TOO_LONG ? name.subarray(0, TOO_LONG) : name;
}

function channelOf(payload: Buffer): string | undefined {
  const name = payload.toString('latin1', 2, 2 + (payload[0] ?? 0));
  return isChannel(name) ? name : undefined;
}

function fieldOf({ fields }: Entry, name: number): Buffer | undefined {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at] as Buffer;
    if (field.length === 1 && field[0] === name) return fields[at + 1];
  }
  return undefined;
}
