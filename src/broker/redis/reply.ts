import type { Entry } from '../../event/entry.ts';
import type { StreamId } from '../../event/stream-id.ts';

/** The entries of an XRANGE, an XREVRANGE, or of one stream of an XREAD, all read as Buffers. */
export function entriesOf(reply: unknown): Entry[] {
  const read = reply as readonly (readonly [Buffer, Buffer[] | null])[];
  const entries: Entry[] = [];
  for (const entry of read) {
    // An entry that was deleted while it was being read has no fields.
    entries.push({ id: entry[0].toString('latin1') as StreamId, fields: entry[1] ?? [] });
  }
  return entries;
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
