import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { StreamId } from '../../event/stream-id.ts';
import { isReply } from './connection.ts';
import { type EpochRecord, parseRecord, recordAfter, textOf } from './epoch-record.ts';
import { replicationOf } from './replication.ts';

/** Refusals that will be the same next time: the user may not, or the server does not know the command. */
const NOT_GIVEN = /^(NOPERM|ERR unknown command)/;

const RECORD = 'GET and SET of the epoch key, so lost data is noticed by its ids only';
const INFO = 'INFO, so the promotion of another server is not noticed';

/**
 * Tells one uninterrupted life of a server's data from another: the epoch.
 *
 * It is a random value and the beginning of a line of writes, both kept in the data itself, so it is the same for
 * every instance and comes back with the data. It changes
 *
 * - when the data is gone: the value with it;
 * - when another server was promoted (`Replication.isPromoted`), by Sentinel, by a Cluster or by hand;
 * - when the data came back from an older copy: an event that was read is not there, although there are older
 *   ones (`hasLost`). Trimming cannot do that. Were it only that the last id is below the position, an old copy
 *   to which something was written before anybody looked would pass for the whole.
 *
 * It stays when a server was restarted with everything up to what was read, although its replication id is then
 * another. What was written after that and was lost with the server, nobody can tell: Redis kept it neither in
 * its file nor anywhere else. The same holds for a replica's copy that is given to a server as its own file, and
 * for a replica that was promoted before it got a single byte after its first copy.
 *
 * A user who may not SET and GET the value, or not ask for INFO, is told so once, and that half stays empty: the
 * old sidecar needed neither, and a start must not fail for it.
 */
export class Epoch {
  readonly #key: string;
  readonly #onNote: (message: string) => void;
  readonly #refused = new Set<string>();
  /** As of the last read; it serves where the server keeps none, for as long as this process lives. */
  #record: EpochRecord = { value: '', line: '', seenUnder: '' };
  #lastRead: StreamId | undefined;

  constructor(key: string, onNote: (message: string) => void) {
    this.#key = key;
    this.#onNote = onNote;
  }

  /** The last event of the firehose that was read in this epoch. */
  get lastRead(): StreamId | undefined {
    return this.#lastRead;
  }

  /** An event was read. */
  saw(id: StreamId): void {
    this.#lastRead = id;
  }

  /** `hasLost`: events that were read are gone, and not because they were trimmed. */
  async read(client: Redis, hasLost: boolean): Promise<string> {
    const [kept, replication] = await Promise.all([
      this.#ask(RECORD, () => this.#kept(client)),
      this.#ask(INFO, async () => replicationOf(await client.info('replication'))),
    ]);
    const before = kept ?? this.#record;
    const after = replication === undefined ? before : recordAfter(before, replication, hasLost);
    if (kept !== undefined && textOf(after) !== textOf(kept)) {
      // Not where it has just gone: that would be another life already.
      await this.#ask(RECORD, () => client.set(this.#key, textOf(after), 'XX'));
    }
    this.#record = after;
    if (hasLost) this.#lastRead = undefined;
    return [after.value, after.line].filter((half) => half !== '').join(':');
  }

  async #kept(client: Redis): Promise<EpochRecord> {
    const text = await client.get(this.#key);
    const kept = text === null ? undefined : parseRecord(text);
    if (kept !== undefined) return kept;
    const fresh = { value: randomBytes(8).toString('hex'), line: '', seenUnder: '' };
    if (text === null) await client.set(this.#key, textOf(fresh), 'NX');
    else await client.set(this.#key, textOf(fresh));
    // Another instance may have been faster.
    return parseRecord((await client.get(this.#key)) ?? '') ?? fresh;
  }

  async #ask<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    if (this.#refused.has(what)) return undefined;
    try {
      return await ask();
    } catch (error) {
      if (!isReply(error) || !NOT_GIVEN.test(error.message)) throw error;
      if (!this.#refused.has(what)) this.#onNote(`Redis refuses ${what} (${error.message})`);
      this.#refused.add(what);
      return undefined;
    }
  }
}
