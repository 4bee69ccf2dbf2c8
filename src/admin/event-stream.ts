import type { FastifyReply } from 'fastify';
import { sseBlock } from '../protocol/native/sse-text.ts';
import { STREAM_HEADERS } from '../transport/sse-response.ts';

/** What a reader may be behind. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Proxies end a response that says nothing for half a minute. */
const COMMENT_MS = 15_000;

/** A response of Server-Sent Events to somebody who looks on. */
export interface EventStream {
  /** One message, as JSON. False: its reader is too slow, and it was left out. */
  send(message: unknown): boolean;
}

/** Begins one; `onEnd` is called once, when its reader has gone. */
export function beginEventStream(reply: FastifyReply, onEnd: () => void): EventStream {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...STREAM_HEADERS })) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.on('error', () => {});
  const timer = setInterval(() => raw.write(':\n\n'), COMMENT_MS);
  raw.once('close', () => {
    clearInterval(timer);
    onEnd();
  });
  // Its first bytes, so that a browser knows at once that it is there.
  raw.write(sseBlock({ retry: 1000 }));
  return {
    send(message) {
      if (raw.writableLength > MAX_BUFFERED_BYTES || raw.destroyed) return false;
      raw.write(sseBlock({ data: JSON.stringify(message) }));
      return true;
    },
  };
}
