import { BrokerError } from '../broker-error.ts';
import type { Entry } from '../../event/entry.ts';
import type { StreamId } from '../../event/stream-id.ts';
import type { Batch, Firehose, LogHead } from '../ports.ts';
import type { Clock } from '../../clock.ts';
import type { History } from './history.ts';

/** What one read returns at most, as the port says. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

interface Waiting {
  readonly after: StreamId;
  readonly count: number;
  readonly timer: unknown;
  resolve(batch: Batch): void;
  reject(error: Error): void;
}

/** What a firehose reads from: a function, because the history is replaced when the data is lost. */
export interface FirehoseSource {
  readonly clock: Clock;
  history(): History;
  head(): LogHead;
  forget(firehose: MemoryFirehose): void;
}

/** One reader's connection to the embedded broker. */
export class MemoryFirehose implements Firehose {
  readonly #source: FirehoseSource;
  readonly #waiting = new Set<Waiting>();
  #ended: BrokerError | undefined;

  constructor(source: FirehoseSource) {
    this.#source = source;
  }

  async head(): Promise<LogHead> {
    this.#assertOpen();
    return this.#source.head();
  }

  // Not async: the promise that an append resolves is the one the reader awaits, so the reader goes first.
  read(after: StreamId, { count, blockMs }: { count: number; blockMs: number }): Promise<Batch> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const batch = this.#source.history().readAfter(after, count, MAX_BATCH_BYTES);
    if (batch.entries.length > 0 || blockMs <= 0) return Promise.resolve(batch);
    return new Promise((resolve, reject) => {
      const timer = this.#source.clock.setTimeout(() => {
        this.#waiting.delete(waiting);
        resolve({ entries: [], trimmed: false, isFull: false });
      }, blockMs);
      const waiting: Waiting = { after, count, timer, resolve, reject };
      this.#waiting.add(waiting);
    });
  }

  async readBack({ before, count }: { before?: StreamId; count: number }): Promise<readonly Entry[]> {
    this.#assertOpen();
    return this.#source.history().readBack(before, count);
  }

  close(): void {
    this.end(new BrokerError('closed', 'the firehose was closed'));
  }

  /** An entry was appended: answers the reads that wait for one, in the turn of the append. */
  wake(): void {
    for (const waiting of this.#waiting) {
      const batch = this.#source.history().readAfter(waiting.after, waiting.count, MAX_BATCH_BYTES);
      if (batch.entries.length === 0) continue;
      this.#stop(waiting);
      waiting.resolve(batch);
    }
  }

  /** Ends it for good; reads that wait reject with `reason`. */
  end(reason: BrokerError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#source.forget(this);
    for (const waiting of this.#waiting) {
      this.#stop(waiting);
      waiting.reject(reason);
    }
  }

  #stop(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    this.#source.clock.clearTimeout(waiting.timer);
  }

  #assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }
}
