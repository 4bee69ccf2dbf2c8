import type { Batch, EventLog, Firehose, LogHead } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { Entry } from '../event/entry.ts';
import { compareIds, msOf, nextId, previousId, type StreamId, streamId } from '../event/stream-id.ts';
import { type FanOut, RoutedBatch } from '../routing/fan-out.ts';
import { EVENT_OVERHEAD_BYTES } from '../routing/routed-event.ts';
import type { WindowLimits } from '../routing/window.ts';
import type { Feed } from './feed.ts';
import { ReadPace } from './read-pace.ts';

export interface FirehoseFeedDeps {
  readonly log: Pick<EventLog, 'openFirehose'>;
  readonly fanOut: FanOut;
  /** Hands a batch to the router; it has been routed when this returns. */
  readonly emit: (batch: RoutedBatch) => void;
  readonly clock: Clock;
  readonly window: WindowLimits;
  /** The largest batch while live and not behind. */
  readonly readCount: number;
  readonly blockMs: number;
  /** Between two reads while events come fast, at least, so that batches grow; 0: none. */
  readonly pauseMs: number;
  readonly onEpochChanged: (head: LogHead, position: StreamId) => void;
}

/** Before it is live nobody waits for its turn. */
const CATCH_UP_COUNT = 1_000;
/** How much of the firehose is read back at once when the window is filled: few before their size is known. */
const FILL = { firstCount: 10, maxCount: 1_000, pageBytes: 4 * 1024 * 1024 };

/** The global stream of all channels, read from one position to the next. */
export class FirehoseFeed implements Feed {
  readonly id = 'firehose';
  readonly isLossy = false;
  readonly #deps: FirehoseFeedDeps;
  #firehose: Firehose | undefined;
  #head: LogHead | undefined;
  /** The epoch that positions belong to; undefined before the first connection. */
  #epoch: string | undefined;
  #answers = 0;
  #answeredMs = 0;

  constructor(deps: FirehoseFeedDeps) {
    this.#deps = deps;
  }

  async connect(signal: AbortSignal): Promise<void> {
    this.#firehose = await this.#deps.log.openFirehose(signal);
    this.#head = await this.#firehose.head();
    this.#noteAnswer();
  }

  async catchUp(signal: AbortSignal): Promise<void> {
    const head = this.#head as LogHead;
    if (this.#epoch === undefined) await this.#fillWindow(this.#open, head);
    else this.#checkEpoch(head);
    this.#setEpoch(head.epoch || this.#epoch || '');
    let read = CATCH_UP_COUNT;
    while (read > 0 && !signal.aborted) read = await this.#catchUpOnce();
    await this.#checkHead(await this.#open.head());
  }

  async follow(signal: AbortSignal): Promise<never> {
    const { readCount, blockMs, pauseMs, clock } = this.#deps;
    const pace = new ReadPace({ pauseMs, readCount });
    while (!signal.aborted) {
      const { entries, trimmed, isFull } = await this.#read(pace.count, blockMs);
      this.#noteAnswer();
      const startMs = clock.now();
      if (entries.length === 0) await this.#checkHead(await this.#open.head());
      else this.#deps.emit(new RoutedBatch(entries, trimmed));
      const endMs = clock.now();
      pace.record({ count: entries.length, isFull, endMs, routingMs: endMs - startMs });
      if (pace.pauseMs > 0) await this.#pause(pace.pauseMs);
    }
    throw new Error('the reader was stopped');
  }

  disconnect(): void {
    this.#firehose?.close();
    this.#firehose = undefined;
  }

  /** Nothing is missed: reading goes on from the position. */
  giveUp(): void {}

  /** How many times the broker has answered, and for how long it has not. */
  get answers(): { readonly count: number; readonly silentMs: number } {
    return { count: this.#answers, silentMs: this.#deps.clock.now() - this.#answeredMs };
  }

  get #open(): Firehose {
    if (this.#firehose === undefined) throw new Error('the firehose is not connected');
    return this.#firehose;
  }

  #read(count: number, blockMs: number): Promise<Batch> {
    return this.#open.read(this.#deps.fanOut.position, { count, blockMs });
  }

  #noteAnswer(): void {
    this.#answers += 1;
    this.#answeredMs = this.#deps.clock.now();
  }

  async #catchUpOnce(): Promise<number> {
    const { entries, trimmed } = await this.#read(CATCH_UP_COUNT, 0);
    this.#noteAnswer();
    if (entries.length > 0) this.#deps.emit(new RoutedBatch(entries, trimmed));
    return entries.length;
  }

  /** After a read that brought nothing: what is before the head now, and still cannot be read, was trimmed. */
  async #checkHead(head: LogHead): Promise<void> {
    const { fanOut } = this.#deps;
    fanOut.expire();
    this.#checkEpoch(head);
    if (compareIds(head.lastId, fanOut.position) <= 0) return;
    const read = await this.#catchUpOnce();
    if (read === 0) fanOut.skipTo(head.lastId);
  }

  /**
   * Beyond the top of a stream a blocking read simply returns nothing: without this check a process is deaf
   * once the broker has lost its data. What the new life holds after the position is still read: it was
   * published since, and some of it nobody has seen.
   */
  #checkEpoch(head: LogHead): void {
    const { fanOut, onEpochChanged } = this.#deps;
    const isOther = head.epoch !== '' && this.#epoch !== '' && head.epoch !== this.#epoch;
    const isBelow = compareIds(head.lastId, fanOut.position) < 0;
    if (!isOther && !isBelow) return;
    this.#setEpoch(head.epoch);
    fanOut.reset(isBelow ? head.lastId : fanOut.position, 'epoch');
    onEpochChanged(head, fanOut.position);
  }

  #setEpoch(epoch: string): void {
    this.#epoch = epoch;
    this.#deps.fanOut.epoch = epoch;
  }

  /** Back to `maxAgeMs` before now by the broker's clock, or to the count or byte bound, newest first. */
  async #fillWindow(firehose: Firehose, head: LogHead): Promise<void> {
    const { maxEvents, maxBytes, maxAgeMs } = this.#deps.window;
    const oldestId = streamId(Math.max(0, head.nowMs - maxAgeMs), 0);
    const newestFirst: Entry[] = [];
    let bytes = 0;
    let floor: StreamId | undefined;
    let count = FILL.firstCount;
    for (let before = nextId(head.lastId); floor === undefined; ) {
      const page = await firehose.readBack({ before, count });
      for (const entry of page) {
        bytes += EVENT_OVERHEAD_BYTES + entry.fields.reduce((sum, field) => sum + field.length, 0);
        if (compareIds(entry.id, oldestId) < 0 || newestFirst.length >= maxEvents || bytes > maxBytes) {
          floor = entry.id;
          break;
        }
        newestFirst.push(entry);
        before = entry.id;
      }
      if (page.length < count) floor ??= previousId(newestFirst.at(-1)?.id ?? before);
      const fitting = Math.floor((FILL.pageBytes * newestFirst.length) / Math.max(1, bytes));
      count = Math.min(FILL.maxCount, Math.max(1, fitting));
    }
    const ageOf = (id: StreamId) => Math.max(0, head.nowMs - msOf(id));
    this.#deps.fanOut.fill(newestFirst.reverse(), floor, head.lastId, ageOf);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.setTimeout(resolve, ms));
  }
}
