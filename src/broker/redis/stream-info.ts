import { Command } from 'ioredis';
import type { Entry } from '../../event/entry.ts';
import { compareIds, type StreamId, ZERO_ID } from '../../event/stream-id.ts';
import type { Client } from './connection.ts';
import { entriesOf } from './reply.ts';

/** What XINFO STREAM says of a stream, as far as it matters here. */
export interface StreamInfo {
  /** The largest id the stream ever gave. */
  readonly lastId: StreamId;
  /** Undefined when nothing is retained. */
  readonly firstId: StreamId | undefined;
  readonly length: number;
  /** How many entries it was ever given; undefined before Redis 7, which is when this began to be counted. */
  readonly added: number | undefined;
}

/** A key that does not exist: it has given no id, and nothing of it is known to have been removed. */
export const NO_STREAM: StreamInfo = { lastId: ZERO_ID, firstId: undefined, length: 0, added: 0 };

/**
 * An XINFO STREAM that a Cluster client sends to the server of its key.
 *
 * ioredis knows no key of XINFO, because its subcommands differ, so it would send it to any node: two in three
 * would be redirected, each of them with a new connection that asks for all slots.
 */
class XinfoStream extends Command {
  constructor(key: string) {
    // No encoding: the reply comes as Buffers.
    super('xinfo', ['STREAM', key], { replyEncoding: null });
  }

  override getKeys(): (string | Buffer)[] {
    return this.args.slice(1, 2) as string[];
  }
}

/** What is known of the stream at this key, one that does not exist included. */
export async function readStreamInfo(client: Client, key: string): Promise<StreamInfo> {
  const command = new XinfoStream(key);
  client.sendCommand(command);
  try {
    return streamInfoOf(await command.promise);
  } catch (error) {
    if (isNoSuchKey(error)) return NO_STREAM;
    throw error;
  }
}

/** The oldest entry that is retained, of a reply of XINFO STREAM, as Buffers. */
export function firstEntryOf(reply: unknown): Entry | undefined {
  const first = fieldsOf(reply).get('first-entry');
  return first === null || first === undefined ? undefined : entriesOf([first])[0];
}

/** Reads the reply of XINFO STREAM, as Buffers. */
export function streamInfoOf(reply: unknown): StreamInfo {
  const fields = fieldsOf(reply);
  const first = fields.get('first-entry') as [Buffer, unknown] | null | undefined;
  const added = fields.get('entries-added');
  return {
    lastId: String(fields.get('last-generated-id')) as StreamId,
    firstId: first?.[0] === undefined ? undefined : (String(first[0]) as StreamId),
    length: Number(fields.get('length')),
    added: added === undefined ? undefined : Number(added),
  };
}

function fieldsOf(reply: unknown): Map<string, unknown> {
  const pairs = reply as unknown[];
  const fields = new Map<string, unknown>();
  for (let at = 0; at + 1 < pairs.length; at += 2) fields.set(String(pairs[at]), pairs[at + 1]);
  return fields;
}

/** How many entries were removed; undefined when that is not known. */
export const removedFrom = ({ added, length }: StreamInfo): number | undefined =>
  added === undefined ? undefined : added - length;

/**
 * Whether entries after `after` may have been trimmed.
 *
 * Streams are trimmed from their head, so as long as an entry at or before `after` is there, nothing after it is
 * gone. Otherwise something between may be: Redis does not keep the id of the last entry it trimmed
 * (max-deleted-entry-id is XDEL's), only, from 7.0, how many there were. Before 7.0 a position before the first
 * entry is always one that may have lost something.
 */
export function mayHaveTrimmed(info: StreamInfo, after: StreamId): boolean {
  if (compareIds(after, info.lastId) >= 0 || removedFrom(info) === 0) return false;
  return info.firstId === undefined || compareIds(info.firstId, after) > 0;
}

/**
 * Whether the stream, in which `id` was once and is no more, lost it in another way than by trimming.
 *
 * Streams are trimmed from their head, so with older entries there it is a stream with another past; as is one
 * that has not yet come to that id.
 */
export function hasLost({ firstId, lastId }: StreamInfo, id: StreamId): boolean {
  return compareIds(lastId, id) < 0 || (firstId !== undefined && compareIds(firstId, id) < 0);
}

/** XINFO of a key that does not exist is an error; here it is a stream without entries. */
export const isNoSuchKey = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('no such key');
