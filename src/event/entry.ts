import type { StreamId } from './stream-id.ts';

/** One entry as a broker's log holds it, not yet understood: what a protocol makes an event of. */
export interface Entry {
  readonly id: StreamId;
  /** Field names and values in turn, as they were written: `[name, value, name, value, …]`. Never empty. */
  readonly fields: readonly Buffer[];
}

const DATA = Buffer.from('data');

/** Byte by byte: asked for each event that passes, and a call of `equals` takes longer than four comparisons. */
function isData(name: Buffer): boolean {
  if (name.length !== DATA.length) return false;
  for (let at = 0; at < DATA.length; at += 1) if (name[at] !== DATA[at]) return false;
  return true;
}

/** The payload of an entry: the value of its field `data` or, without one, of its first field. */
export function payloadOf(entry: Entry): Buffer {
  const { fields } = entry;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (isData(fields[at] as Buffer)) return fields[at + 1] as Buffer;
  }
  return fields[1] ?? EMPTY;
}

const EMPTY = Buffer.alloc(0);
