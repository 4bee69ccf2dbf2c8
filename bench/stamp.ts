/**
 * Every event of a run ends in its number within its channel and the moment it was sent, both of fixed width: the
 * load reads them from the end of a frame without parsing it, and finds them there also after a server that
 * serialises the JSON anew.
 */
const SEQUENCE_DIGITS = 10;
const MOMENT_DIGITS = 16;
const SENT_AT_FROM_END = MOMENT_DIGITS + '"}'.length;
const SEQUENCE_FROM_END = SENT_AT_FROM_END + '","at":"'.length + SEQUENCE_DIGITS;
const ZERO = 0x30;

/** The last two members of an event, with the brace that ends it. */
export function stamp(sequence: number, sentAtUs: number): string {
  const number = String(sequence).padStart(SEQUENCE_DIGITS, '0');
  return `"n":"${number}","at":"${String(Math.round(sentAtUs)).padStart(MOMENT_DIGITS, '0')}"}`;
}

/** The number in the stamp that ends before `end`; NaN when there is none. */
export function sequenceIn(bytes: Buffer, end: number): number {
  return digits(bytes, end - SEQUENCE_FROM_END, SEQUENCE_DIGITS);
}

/** The moment in the stamp that ends before `end`, in µs of the monotonic clock; NaN when there is none. */
export function sentAtIn(bytes: Buffer, end: number): number {
  return digits(bytes, end - SENT_AT_FROM_END, MOMENT_DIGITS);
}

function digits(bytes: Buffer, from: number, count: number): number {
  if (from < 0) return Number.NaN;
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

const OFFSET_US = Number(process.hrtime.bigint() / 1_000n) - performance.now() * 1000;

/** Now in µs of the monotonic clock, which all processes of one machine share. */
export const nowUs = (): number => performance.now() * 1000 + OFFSET_US;
