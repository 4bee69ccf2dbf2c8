import type { StreamId } from './stream-id.ts';

/** One entry as a broker's log holds it, not yet understood: what a protocol makes an event of. */
export interface Entry {
  readonly id: StreamId;
  /** Field names and values in turn, as they were written: `[name, value, name, value, …]`. Never empty. */
  readonly fields: readonly Buffer[];
}

const DATA = Buffer.from('data');

/** The payload of an entry: the value of its field `data` or, without one, of its first field. */
export function payloadOf(entry: Entry): Buffer {
  const { fields } = entry;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (DATA.equals(fields[at] as Buffer)) return fields[at + 1] as Buffer;
  }
  return fields[1] ?? EMPTY;
}

const EMPTY = Buffer.alloc(0);
