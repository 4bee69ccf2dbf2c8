import type { Entry } from '../../event/entry.ts';
import { parseStreamId, type StreamId } from '../../event/stream-id.ts';
import { isMalformed, MALFORMED, type Malformed, withHeadroom } from '../event-codec.ts';
import { readJsonValue } from '../json-text.ts';
import { DEFAULT_TOPIC, isChannel, topicFault } from './names.ts';

/**
 * What `EventCodec` becomes for logs whose entries have several fields: its methods take the entry instead of its
 * payload. The same is promised: nothing throws, nothing is kept.
 */
export interface EntryCodec {
  channelsOf(entry: Entry): string | readonly string[] | Malformed;
  encode(entry: Entry, channels: string | readonly string[], headroom: number): Buffer | Malformed;
  /** The id of the channel's event before this one; undefined: the log does not say. */
  previousOf(entry: Entry): StreamId | undefined;
}

/** The fields of an entry; each name is one character, since it is written with every event. */
const CHANNEL = 0x63;
const TOPIC = 0x74;
const DATA = 0x64;
const PREVIOUS = 0x70;

const CLOSING_BRACE = Buffer.from('}');

/**
 * The codec of native events: in, entries with the fields `c` channel, `t` topic (left out: `message`), `d` data as
 * JSON and `p` the previous id; out, the frame `event`. The data is spliced, not serialised again.
 */
export function createNativeEvents(options: { readonly onRepaired?: () => void } = {}): EntryCodec {
  return {
    channelsOf(entry) {
      return channelOf(entry) ?? MALFORMED.noChannel;
    },

    encode(entry, channels, headroom) {
      const channel = channelOf(entry);
      if (channel === undefined) return MALFORMED.noChannel;
      if (channel !== channels) return MALFORMED.channelMismatch;
      const topic = fieldOf(entry, TOPIC)?.toString('latin1') ?? DEFAULT_TOPIC;
      const data = fieldOf(entry, DATA);
      if (data === undefined || topicFault(topic) !== undefined) return MALFORMED.badEnvelope;
      const json = readJsonValue(data);
      if (isMalformed(json)) return json;
      if (json.repaired) options.onRepaired?.();
      const { id } = entry;
      const timeMs = id.slice(0, id.indexOf('-'));
      // Neither names nor ids hold anything that JSON would escape.
      const front = `{"type":"event","channel":"${channel}","topic":"${topic}","id":"${id}","time":${timeMs},"data":`;
      return withHeadroom(headroom, Buffer.from(front, 'latin1'), json.bytes, CLOSING_BRACE);
    },

    previousOf(entry) {
      const previous = fieldOf(entry, PREVIOUS);
      return previous === undefined ? undefined : parseStreamId(previous.toString('latin1'));
    },
  };
}

function channelOf(entry: Entry): string | undefined {
  const name = fieldOf(entry, CHANNEL)?.toString('latin1');
  return name !== undefined && isChannel(name) ? name : undefined;
}

function fieldOf({ fields }: Entry, name: number): Buffer | undefined {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at] as Buffer;
    if (field.length === 1 && field[0] === name) return fields[at + 1];
  }
  return undefined;
}
