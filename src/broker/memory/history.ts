import type { Entry } from '../../event/entry.ts';
import { compareIds, laterId, type StreamId, streamId, ZERO_ID } from '../../event/stream-id.ts';
import type { Batch, Page } from '../ports.ts';
import { Stream } from './stream.ts';

/** How much of the past is kept. */
export interface HistoryLimits {
  /** Entries of one channel. */
  readonly maxLength: number;
  /** Age of an entry; 0: not bounded by age. */
  readonly maxAgeSeconds: number;
  /** Entries of the firehose. */
  readonly firehoseMaxLength: number;
  /** Bytes over everything kept, overhead included. Default 128 MiB. */
  readonly maxBytes?: number;
}

/** One entry and who still holds it: its channel's stream, the firehose, or both. */
interface Kept {
  /** Undefined once nobody holds it, so that the ledger's dead do not keep their payloads alive. */
  entry: Entry | undefined;
  readonly channel: string;
  readonly ms: number;
  readonly bytes: number;
  holders: number;
}

const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;
/** Measured roughly: the entry, its id, its array, a Buffer's header, and a slot in three arrays. */
const ENTRY_OVERHEAD = 320;
/** Channels without entries whose last removed id is still known; older ones are answered conservatively. */
const MAX_FORGOTTEN = 100_000;

/**
 * Every channel's stream and the firehose, bounded by length, age and bytes.
 *
 * A ledger holds all entries in the order of their ids: since age and bytes always take the oldest of all, they
 * need to look at nothing but its head, however many channels there are.
 */
export class History {
  readonly #limits: Required<HistoryLimits>;
  readonly #channels = new Map<string, Stream>();
  readonly #lastRemovedOf = new Map<string, StreamId>();
  readonly #firehose = new Stream();
  #ledger: Kept[] = [];
  #ledgerHead = 0;
  #keptById = new Map<StreamId, Kept>();
  #bytes = 0;
  /** Nothing later than this was removed from a channel that is in neither map. */
  #forgottenUpTo: StreamId = ZERO_ID;
  #lastMs = 0;
  #lastSeq = 0;

  constructor(limits: HistoryLimits) {
    this.#limits = { ...limits, maxBytes: limits.maxBytes ?? DEFAULT_MAX_BYTES };
  }

  get lastId(): StreamId {
    return streamId(this.#lastMs, this.#lastSeq);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends one entry to its channel and the firehose, trims both, and gives the entry. Its fields are made with the
   * id of the channel's entry before it, or with a later one where the channel was forgotten.
   */
  append(channel: string, fieldsAfter: (previousId: StreamId) => Buffer[], nowMs: number): Entry {
    // A clock that steps back goes on in the last millisecond; `0-0` is the position before everything, no id.
    const ms = Math.floor(nowMs);
    if (ms > this.#lastMs) {
      this.#lastMs = ms;
      this.#lastSeq = 0;
    } else {
      this.#lastSeq += 1;
    }
    const stream = this.#streamOf(channel);
    const entry: Entry = { id: this.lastId, fields: fieldsAfter(stream.lastId) };
    const bytes = bytesOf(entry) + ENTRY_OVERHEAD;
    const kept: Kept = { entry, channel, ms: this.#lastMs, bytes, holders: 2 };
    stream.push(entry);
    this.#firehose.push(entry);
    this.#ledger.push(kept);
    this.#keptById.set(entry.id, kept);
    this.#bytes += bytes;
    if (stream.length > this.#limits.maxLength) this.#removeFirstOf(channel, stream);
    if (this.#firehose.length > this.#limits.firehoseMaxLength) this.#release(this.#firehose.shift());
    while (this.#bytes > this.#limits.maxBytes) this.#removeOldest();
    this.expire(nowMs);
    return entry;
  }

  /** Removes what has grown too old. */
  expire(nowMs: number): void {
    if (this.#limits.maxAgeSeconds === 0) return;
    const oldestMs = nowMs - this.#limits.maxAgeSeconds * 1000;
    for (let oldest = this.#oldest(); oldest !== undefined && oldest.ms < oldestMs; oldest = this.#oldest()) {
      this.#removeOldest();
    }
  }

  /** Removes the oldest entries of a channel, or of the firehose (undefined), until `keep` are left. */
  trim(channel: string | undefined, keep: number): void {
    if (channel === undefined) {
      while (this.#firehose.length > keep) this.#release(this.#firehose.shift());
      return;
    }
    const stream = this.#channels.get(channel);
    if (stream === undefined) return;
    while (stream.length > keep) this.#removeFirstOf(channel, stream);
  }

  range(channel: string, after: StreamId, end: StreamId | undefined, count: number): Page {
    if (end !== undefined && compareIds(end, after) <= 0) return { entries: [], trimmed: false };
    const stream = this.#channels.get(channel);
    const lastRemoved = stream?.lastRemoved ?? this.#lastRemovedOf.get(channel) ?? this.#forgottenUpTo;
    return { entries: stream?.after(after, end, count) ?? [], trimmed: compareIds(lastRemoved, after) > 0 };
  }

  readAfter(after: StreamId, count: number, maxBytes: number): Batch {
    const entries = this.#firehose.after(after, undefined, count);
    let isFull = entries.length === count;
    let bytes = 0;
    for (let at = 0; at < entries.length; at += 1) {
      bytes += bytesOf(entries[at] as Entry);
      if (bytes <= maxBytes) continue;
      entries.length = at + 1;
      isFull = true;
    }
    const trimmed = entries.length > 0 && compareIds(this.#firehose.lastRemoved, after) > 0;
    return { entries, trimmed, isFull };
  }

  readBack(before: StreamId | undefined, count: number): Entry[] {
    return this.#firehose.before(before, count);
  }

  #streamOf(channel: string): Stream {
    let stream = this.#channels.get(channel);
    if (stream === undefined) {
      stream = new Stream(this.#lastRemovedOf.get(channel) ?? this.#forgottenUpTo);
      this.#lastRemovedOf.delete(channel);
      this.#channels.set(channel, stream);
    }
    return stream;
  }

  #removeFirstOf(channel: string, stream: Stream): void {
    this.#release(stream.shift());
    if (stream.length > 0) return;
    this.#channels.delete(channel);
    this.#lastRemovedOf.set(channel, stream.lastRemoved);
    if (this.#lastRemovedOf.size <= MAX_FORGOTTEN) return;
    for (const [name, lastRemoved] of this.#lastRemovedOf) {
      this.#lastRemovedOf.delete(name);
      this.#forgottenUpTo = laterId(this.#forgottenUpTo, lastRemoved);
      return;
    }
  }

  #removeOldest(): void {
    const oldest = this.#oldest();
    if (oldest === undefined) return;
    const stream = this.#channels.get(oldest.channel);
    if (stream !== undefined && stream.first === oldest.entry) this.#removeFirstOf(oldest.channel, stream);
    if (this.#firehose.first === oldest.entry) this.#release(this.#firehose.shift());
  }

  #release(entry: Entry | undefined): void {
    const kept = entry === undefined ? undefined : this.#keptById.get(entry.id);
    if (kept === undefined) return;
    kept.holders -= 1;
    if (kept.holders > 0 || entry === undefined) return;
    kept.entry = undefined;
    this.#keptById.delete(entry.id);
    this.#bytes -= kept.bytes;
    // Entries die in the middle too (a loud channel behind a quiet one), so the ledger is cleared of them once
    // they are the greater part of it.
    if (this.#ledger.length > 64 && this.#keptById.size * 2 < this.#ledger.length) {
      this.#ledger = this.#ledger.filter((one) => one.holders > 0);
      this.#ledgerHead = 0;
    }
  }

  #oldest(): Kept | undefined {
    while (this.#ledger[this.#ledgerHead]?.holders === 0) this.#ledgerHead += 1;
    return this.#ledger[this.#ledgerHead];
  }
}

function bytesOf({ fields }: Entry): number {
  let bytes = 0;
  for (const field of fields) bytes += field.length;
  return bytes;
}
