import type { Entry } from '../../event/entry.ts';
import { compareIds, type StreamId } from '../../event/stream-id.ts';
import { BrokerError } from '../broker-error.ts';
import type { Link } from './link.ts';
import { entriesOf, msOfTime } from './reply.ts';
import { firstEntryOf, isNoSuchKey, type StreamInfo, streamInfoOf } from './stream-info.ts';

const MAX_ID = '18446744073709551615-18446744073709551615';

/** A part of a stream and what was known of the stream at that very moment. */
export interface StreamPage {
  readonly entries: readonly Entry[];
  /** Undefined: there is no such stream. */
  readonly info: StreamInfo | undefined;
  /** Of everything that is retained. */
  readonly first: Entry | undefined;
  readonly nowMs: number;
}

/** Whether `(after, end]` holds no id. Redis refuses such a range at the largest id and, before 7.0, at any. */
export const isEmptyRange = (after: StreamId, end: StreamId | undefined): boolean =>
  after === MAX_ID || (end !== undefined && compareIds(end, after) <= 0);

/** Reads `(after, end]`, at most `count` entries; undefined when the key holds something else than a stream. */
export async function readPage(
  link: Link,
  key: string,
  after: StreamId,
  end: StreamId | undefined,
  count: number,
): Promise<StreamPage | undefined> {
  const replies = await link.run((client) =>
    client
      .multi()
      .callBuffer('XRANGE', key, `(${after}`, end ?? '+', 'COUNT', `${count}`)
      .callBuffer('XINFO', 'STREAM', key)
      .time()
      .exec()
      .catch(throwFirst),
  );
  const [entries, info, time] = replies ?? [];
  if (entries === undefined || info === undefined || time === undefined) {
    throw new BrokerError('lost', 'Redis dropped the transaction of a page');
  }
  if (isWrongType(entries[0])) return undefined;
  if (entries[0] !== null) throw entries[0];
  if (info[0] !== null && !isNoSuchKey(info[0])) throw info[0];
  const isThere = info[0] === null;
  return {
    entries: entriesOf(entries[1]),
    info: isThere ? streamInfoOf(info[1]) : undefined,
    first: isThere ? firstEntryOf(info[1]) : undefined,
    nowMs: msOfTime(time[1]),
  };
}

/** A command that is refused inside MULTI makes EXEC fail with a reason that says nothing: the first one does. */
function throwFirst(error: Error & { readonly previousErrors?: readonly Error[] }): never {
  throw error.previousErrors?.[0] ?? error;
}

const isWrongType = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('WRONGTYPE');
