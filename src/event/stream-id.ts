/**
 * The id of an event: `<ms>-<seq>`, two unsigned 64-bit numbers in decimal, as Redis Streams write them.
 * Kept as its text, which is exact over the whole range and needs no parsing to be compared.
 */
export type StreamId = string & { readonly streamId: unique symbol };

/** The position before every event. */
export const ZERO_ID = '0-0' as StreamId;

const FORM = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/;
const MAX_U64 = 18446744073709551615n;
const DASH = 45;
/** Where the dash of an id stands from 2001 to 2286: the fast path of the comparison. */
const USUAL_DASH = 13;

/** Reads a stream id from text that is not trusted; undefined when it is not the canonical form of one. */
export function parseStreamId(text: string): StreamId | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, ms = '', seq = ''] = match;
  if (ms.length === 20 && BigInt(ms) > MAX_U64) return undefined;
  if (seq.length === 20 && BigInt(seq) > MAX_U64) return undefined;
  return text as StreamId;
}

/** Makes an id of numbers that are known to be whole and not negative. */
export function streamId(ms: number, seq: number): StreamId {
  return `${ms}-${seq}` as StreamId;
}

/** Negative when `a` is earlier than `b`, 0 when equal, positive when later. */
export function compareIds(a: StreamId, b: StreamId): number {
  if (a.length === b.length && a.charCodeAt(USUAL_DASH) === DASH && b.charCodeAt(USUAL_DASH) === DASH) {
    return a < b ? -1 : a === b ? 0 : 1;
  }
  const dashOfA = a.indexOf('-');
  const dashOfB = b.indexOf('-');
  if (dashOfA !== dashOfB) return dashOfA - dashOfB;
  const msOfA = a.slice(0, dashOfA);
  const msOfB = b.slice(0, dashOfB);
  if (msOfA !== msOfB) return msOfA < msOfB ? -1 : 1;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a === b ? 0 : 1;
}

/** The later of two ids. */
export function laterId(a: StreamId, b: StreamId): StreamId {
  return compareIds(a, b) >= 0 ? a : b;
}

/** The millisecond part as a number; beyond 2^53 it is rounded, which only slack arithmetic ever sees. */
export function msOf(id: StreamId): number {
  return Number(id.slice(0, id.indexOf('-')));
}

/** The largest id that is smaller than `id`; `0-0` has none and stays. */
export function previousId(id: StreamId): StreamId {
  const dash = id.indexOf('-');
  const ms = BigInt(id.slice(0, dash));
  const seq = BigInt(id.slice(dash + 1));
  if (seq > 0n) return `${ms}-${seq - 1n}` as StreamId;
  return ms > 0n ? (`${ms - 1n}-${MAX_U64}` as StreamId) : ZERO_ID;
}

/** The smallest id that is larger than `id`. */
export function nextId(id: StreamId): StreamId {
  const dash = id.indexOf('-');
  const ms = BigInt(id.slice(0, dash));
  const seq = BigInt(id.slice(dash + 1));
  return (seq < MAX_U64 ? `${ms}-${seq + 1n}` : `${ms + 1n}-0`) as StreamId;
}
