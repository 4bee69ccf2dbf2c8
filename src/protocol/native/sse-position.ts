import { parseStreamId, type StreamId } from '../../event/stream-id.ts';

/** Where a stream is: the one cursor of all its channels, and in which life of the broker that is. */
export interface SsePosition {
  readonly id: StreamId;
  /** Empty: the broker would not say. */
  readonly epoch: string;
}

/** As `Last-Event-ID`: `<epoch>.<id>`. */
export const ssePosition = (epoch: string, id: StreamId): string => `${epoch}.${id}`;

/** Reads it also from an application, which may know no more than an id: that is what it is told when it publishes. */
export function readSsePosition(text: string): SsePosition | undefined {
  const id = parseStreamId(text);
  return id === undefined ? parseSsePosition(text) : { id, epoch: '' };
}

/** Reads it; undefined: it is none. */
export function parseSsePosition(text: string): SsePosition | undefined {
  const dot = text.lastIndexOf('.');
  const id = dot < 0 ? undefined : parseStreamId(text.slice(dot + 1));
  return id === undefined ? undefined : { id, epoch: text.slice(0, dot) };
}
