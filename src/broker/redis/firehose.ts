import type { Redis } from 'ioredis';
import type { Entry } from '../../event/entry.ts';
import { type StreamId, ZERO_ID } from '../../event/stream-id.ts';
import type { Batch, Firehose, LogHead } from '../ports.ts';
import { BatchCount } from './batch-count.ts';
import type { Connection } from './connection.ts';
import type { Epoch } from './epoch.ts';
import { entriesOf, entriesRead, msOfTime } from './reply.ts';
import { hasLost, mayHaveTrimmed, readStreamInfo, removedFrom } from './stream-info.ts';

/** How much later than its block time a blocking read may be answered before the line is taken for dead. */
const GRACE_MS = 1000;

/** A position of which it is known how many entries the stream had been given up to it. */
interface Anchor {
  readonly id: StreamId;
  readonly ordinal: number;
}

/** One reader's connection to the firehose: an ioredis client that nobody else uses. */
export class RedisFirehose implements Firehose {
  readonly #connection: Connection<Redis>;
  readonly #key: string;
  readonly #epoch: Epoch;
  readonly #deadlineMs: number;
  readonly #batchCount = new BatchCount();
  #anchor: Anchor | undefined;
  #headEpoch: string | undefined;

  constructor(connection: Connection<Redis>, key: string, epoch: Epoch, deadlineMs: number) {
    this.#connection = connection;
    this.#key = key;
    this.#epoch = epoch;
    this.#deadlineMs = deadlineMs;
  }

  async head(): Promise<LogHead> {
    const { lastRead } = this.#epoch;
    const [epoch, info, time] = await this.#connection.run(this.#deadlineMs, async (client) => {
      const [isThere, stream, serverTime] = await Promise.all([
        // Before the stream is asked for: what is trimmed between the two was not lost.
        this.#has(client, lastRead ?? ZERO_ID),
        readStreamInfo(client, this.#key),
        client.time(),
      ]);
      const lost = lastRead !== undefined && !isThere && hasLost(stream, lastRead);
      const read = await this.#epoch.read(client, lost);
      // The data may have gone between the two questions: then that was the stream of the life before.
      const isSame = read === this.#headEpoch;
      return [read, isSame ? stream : await readStreamInfo(client, this.#key), serverTime] as const;
    });
    this.#headEpoch = epoch;
    if (info.added !== undefined) this.#anchor = { id: info.lastId, ordinal: info.added };
    return { epoch, lastId: info.lastId, nowMs: msOfTime(time) };
  }

  async read(after: StreamId, { count, blockMs }: { count: number; blockMs: number }): Promise<Batch> {
    const block = blockMs > 0 ? ['BLOCK', `${Math.ceil(blockMs)}`] : [];
    const most = this.#batchCount.next(count);
    const args = ['COUNT', `${most}`, ...block, 'STREAMS', this.#key, after];
    // A deadline of our own: ioredis's blockingTimeout resolves with null, as a stream without news does.
    const deadlineMs = blockMs > 0 ? blockMs + GRACE_MS : this.#deadlineMs;
    const [entries, isAfterThere] = await this.#connection.run(deadlineMs, async (client) => {
      // In one packet: the second is answered as soon as the first is, and costs no round trip.
      const [read, isThere] = await Promise.all([client.callBuffer('XREAD', args), this.#has(client, after)]);
      return [entriesRead(read), isThere] as const;
    });
    const last = entries.at(-1);
    if (last !== undefined) this.#epoch.saw(last.id);
    this.#batchCount.record(entries.length, bytesOf(entries));
    // As long as the entry that was read last is there, nothing after it was trimmed: streams lose their head.
    const trimmed = entries.length > 0 && !isAfterThere && (await this.#wasTrimmed(after));
    this.#moveAnchor(after, entries, trimmed);
    return { entries, trimmed, isFull: entries.length === most };
  }

  async readBack({ before, count }: { before?: StreamId; count: number }): Promise<readonly Entry[]> {
    // Redis refuses a range that ends before the smallest id there is.
    if (before === ZERO_ID) return [];
    const from = before === undefined ? '+' : `(${before}`;
    const reply = await this.#connection.run(this.#deadlineMs, (client) =>
      client.callBuffer('XREVRANGE', this.#key, from, '-', 'COUNT', `${count}`),
    );
    const entries = entriesOf(reply);
    const newest = entries[0];
    if (newest !== undefined && this.#epoch.lastRead === undefined) this.#epoch.saw(newest.id);
    return entries;
  }

  close(): void {
    this.#connection.close();
  }

  async #has(client: Redis, id: StreamId): Promise<boolean> {
    const found = await client.callBuffer('XRANGE', this.#key, id, id, 'COUNT', '1');
    return (found as unknown[]).length > 0;
  }

  async #wasTrimmed(after: StreamId): Promise<boolean> {
    const info = await this.#connection.run(this.#deadlineMs, (client) => readStreamInfo(client, this.#key));
    const removed = removedFrom(info);
    // Exact where it is known how many entries there were up to `after`: more have been removed than that.
    if (this.#anchor?.id === after && removed !== undefined) return removed > this.#anchor.ordinal;
    return mayHaveTrimmed(info, after);
  }

  #moveAnchor(after: StreamId, entries: readonly Entry[], trimmed: boolean): void {
    const last = entries.at(-1);
    if (last === undefined || this.#anchor?.id !== after) return;
    this.#anchor = trimmed ? undefined : { id: last.id, ordinal: this.#anchor.ordinal + entries.length };
  }
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { fields } of entries) for (const field of fields) bytes += field.length;
  return bytes;
}
