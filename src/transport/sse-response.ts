import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { sseBlock } from '../protocol/native/sse-text.ts';

/**
 * What every stream says, so that nothing between it and its reader keeps what is on its way. In lower case, as Node has
 * the headers that these take the place of.
 */
export const STREAM_HEADERS: OutgoingHttpHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'private, no-store, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

const EVENT_STREAM = /^\s*text\/event-stream\s*(?:;|$)/i;

/** Sends the head of a stream; answers the connection that its body is written to, whole blocks at a time. */
export function beginStream(response: ServerResponse, headers: OutgoingHttpHeaders): Duplex {
  // Neither a length nor chunks: the body ends with the connection.
  response.shouldKeepAlive = false;
  response.useChunkedEncodingByDefault = false;
  response.writeHead(200, { ...headers, ...STREAM_HEADERS, ...withContentType(headers) });
  response.flushHeaders();
  return response.socket as Duplex;
}

/**
 * Answers that a stream cannot be had now. An EventSource gives up for ever at any status but 200, and comes back after
 * `afterMs` to a stream that ends.
 */
export function refuseForNow(response: ServerResponse, headers: OutgoingHttpHeaders, afterMs: number): void {
  const body = sseBlock({ retry: afterMs });
  response
    .writeHead(200, { ...headers, ...STREAM_HEADERS, 'content-length': Buffer.byteLength(body) })
    .end(body);
}

/** Whether it is an EventSource that takes what has these headers beside those of every stream. */
export function isEventStream(headers: OutgoingHttpHeaders): boolean {
  return EVENT_STREAM.test(String(headers['content-type'] ?? STREAM_HEADERS['content-type']));
}

/** A route may serve another type. */
function withContentType(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const type = headers['content-type'];
  return type === undefined ? {} : { 'content-type': type };
}
