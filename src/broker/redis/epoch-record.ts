import type { Replication } from './replication.ts';

/** What the epoch key keeps, in the data whose epoch it is. */
export interface EpochRecord {
  /** Random. It is gone when the data is. */
  readonly value: string;
  /** The replication id of the server that had the data when the epoch last changed; empty: not known. */
  readonly line: string;
  /** The replication id under which the data was seen last; empty: not known. */
  readonly seenUnder: string;
}

/**
 * The record after the data was seen on a server. It is the same whoever writes it, so instances need not agree.
 *
 * The data begins a new line, which is another epoch, when its server was promoted (replication is asynchronous:
 * the last events that the old master took may be missing, and their ids be given again), or when events that
 * were there are gone. A replication id that is merely another is a server that was restarted, or that had no
 * replicas for an hour: the same data, and the same epoch.
 */
export function recordAfter(record: EpochRecord, { id, isPromoted }: Replication, hasLost: boolean) {
  const isNew = record.line === '' || hasLost || (isPromoted && record.seenUnder !== id);
  return { value: record.value, line: isNew ? id : record.line, seenUnder: id };
}

export const textOf = ({ value, line, seenUnder }: EpochRecord): string => `${value}:${line}:${seenUnder}`;

/** Undefined for what no instance of ours has written. */
export function parseRecord(text: string): EpochRecord | undefined {
  const [, value, line, seenUnder] = /^([0-9a-f]{16}):([0-9a-f]*):([0-9a-f]*)$/.exec(text) ?? [];
  if (value === undefined || line === undefined || seenUnder === undefined) return undefined;
  return { value, line, seenUnder };
}
