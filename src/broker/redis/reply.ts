import type { Entry } from '../../event/entry.ts';
import type { StreamId } from '../../event/stream-id.ts';

/** The entries of an XRANGE, an XREVRANGE, or of one stream of an XREAD, all read as Buffers. */
export function entriesOf(reply: unknown): Entry[] {
  return (reply as [Buffer, Buffer[] | null][]).map(([id, fields]) => ({
    id: id.toString('latin1') as StreamId,
    // An entry that was deleted while it was being read has none.
    fields: fields ?? [],
  }));
}

/** The entries of an XREAD of one stream; null when there were none. */
export function entriesRead(reply: unknown): Entry[] {
  const streams = reply as [Buffer, unknown][] | null;
  return streams?.[0] === undefined ? [] : entriesOf(streams[0][1]);
}

/** The server's clock, ms since 1970, of a TIME. */
export function msOfTime(reply: unknown): number {
  const [seconds, microseconds] = reply as [Buffer | string, Buffer | string];
  return Number(`${seconds}`) * 1000 + Math.floor(Number(`${microseconds}`) / 1000);
}
