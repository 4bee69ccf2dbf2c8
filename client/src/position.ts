/** Up to where a subscription has everything: an id, and the epoch within which ids can be compared. */
export interface Position {
  readonly lastId: string;
  readonly epoch: string;
}

/** Decimal numbers without leading zeros: the longer is the larger. */
const compare = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** Negative when `a` is earlier than `b`, 0 when equal; both are `<ms>-<seq>` with numbers of 64 bits. */
export function compareIds(a: string, b: string): number {
  const [msOfA = '', seqOfA = ''] = a.split('-');
  const [msOfB = '', seqOfB = ''] = b.split('-');
  return compare(msOfA, msOfB) || compare(seqOfA, seqOfB);
}
