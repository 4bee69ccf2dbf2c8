import { parseStreamId, type StreamId } from '../../event/stream-id.ts';

/** Where a stream is: the one cursor of all its channels, and in which life of the broker that is. */
export interface SsePosition {
  readonly id: StreamId;
  /** Empty: the broker would not say, or whoever gave the id did not. */
  readonly epoch: string;
}

/** As `Last-Event-ID`: `<epoch>.<id>`. */
export const ssePosition = (epoch: string, id: StreamId): string => `${epoch}.${id}`;

/** Reads it, or an id alone, as publishing gives it; undefined: it is neither. */
export function parseSsePosition(text: string): SsePosition | undefined {
  const dot = text.lastIndexOf('.');
  const id = parseStreamId(text.slice(dot + 1));
  return id === undefined ? undefined : { id, epoch: text.slice(0, Math.max(dot, 0)) };
}
