import { type EventCodec, withHeadroom } from '../event-codec.ts';
import { sseData } from './sse-data.ts';

/**
 * `sse`: each message is a Server-Sent Event; `raw`: its bytes as they came; `messages`: these, each as one message of a
 * transport that has such.
 */
export type PubSubFormat = 'sse' | 'raw' | 'messages';

/** Bytes that say how long the name is that follows them. */
const LENGTH_BYTES = 2;
const LONGEST_NAME = 0xffff;
const NOBODY: readonly string[] = Object.freeze([]);
const EMPTY = Buffer.alloc(0);

/**
 * The codec of plain Pub/Sub messages: in, entries with the fields channel and data; out, the message in its format,
 * without an id. Empty messages are dropped, as uWSGI's SSE offload drops them: they are for nobody.
 *
 * What is kept of an entry is its channel and its data in one piece, the length of the name before them. A name that
 * is longer than 65535 bytes is nobody's: no route can have it.
 */
export function createPubSubEvents(format: PubSubFormat): EventCodec {
  return {
    payloadOf({ fields: [, name = EMPTY, , data = EMPTY] }) {
      const length = Buffer.alloc(LENGTH_BYTES);
      if (name.length > LONGEST_NAME) return length;
      length.writeUInt16BE(name.length);
      return Buffer.concat([length, name, data]);
    },

    channelsOf(payload) {
      const dataAt = dataStart(payload);
      return dataAt >= payload.length ? NOBODY : payload.toString('utf8', LENGTH_BYTES, dataAt);
    },

    encode(_id, _channels, payload, headroom) {
      const data = payload.subarray(dataStart(payload));
      return format === 'sse' ? sseData(data, headroom) : withHeadroom(headroom, data);
    },
  };
}

function dataStart(payload: Buffer): number {
  return payload.length < LENGTH_BYTES ? payload.length : LENGTH_BYTES + payload.readUInt16BE();
}
