import { BrokerError } from '../broker-error.ts';
import type { StreamId } from '../../event/stream-id.ts';
import type { EventLog, Firehose, Listener, LogHead, Page, Subscriber } from '../ports.ts';
import type { Clock } from '../../clock.ts';
import { type FirehoseSource, MemoryFirehose } from './firehose.ts';
import { History, type HistoryLimits } from './history.ts';
import { PubSub } from './pub-sub.ts';

const DATA = Buffer.from('data');

/** The event log of the embedded broker. */
export class MemoryEventLog implements EventLog, FirehoseSource {
  readonly ids = 'shared';
  readonly clock: Clock;
  readonly #limits: HistoryLimits;
  readonly #firehoses = new Set<MemoryFirehose>();
  readonly #pubSub = new PubSub();
  /** Throws while the broker is away. */
  readonly #assertUp: () => void;
  readonly #bornMs: number;
  #history: History;
  /** How many times the data was lost. */
  #losses = 0;

  constructor(clock: Clock, limits: HistoryLimits, assertUp: () => void) {
    this.clock = clock;
    this.#limits = limits;
    this.#assertUp = assertUp;
    this.#bornMs = clock.now();
    this.#history = new History(limits);
  }

  async openFirehose(signal: AbortSignal): Promise<Firehose> {
    signal.throwIfAborted();
    this.#assertUp();
    const firehose = new MemoryFirehose(this);
    this.#firehoses.add(firehose);
    signal.addEventListener('abort', () => firehose.close(), { once: true });
    return firehose;
  }

  async range(channel: string, after: StreamId, end: StreamId | undefined, count: number): Promise<Page> {
    this.#assertUp();
    return this.history().range(channel, after, end, count);
  }

  async lastId(): Promise<StreamId> {
    this.#assertUp();
    return this.#history.lastId;
  }

  async lastIdAfresh(): Promise<StreamId> {
    return this.lastId();
  }

  async append(channel: string, payload: Buffer): Promise<StreamId> {
    // Copied: a small payload must not keep the large buffer alive that it is a slice of.
    return this.add(channel, () => [DATA, Buffer.from(payload)]);
  }

  /** Appends what `fieldsAfter` makes of the id of the channel's entry before. */
  add(channel: string, fieldsAfter: (previousId: StreamId) => Buffer[]): StreamId {
    this.#assertUp();
    const { id } = this.#history.append(channel, fieldsAfter, this.clock.now());
    for (const firehose of this.#firehoses) firehose.wake();
    return id;
  }

  async subscribe(channels: readonly string[], listener: Listener): Promise<Subscriber> {
    this.#assertUp();
    return this.#pubSub.subscribe(channels, listener);
  }

  async publish(channel: string, payload: Buffer): Promise<number> {
    this.#assertUp();
    return this.#pubSub.publish(channel, payload);
  }

  async close(): Promise<void> {
    this.#pubSub.close();
    for (const firehose of this.#firehoses) firehose.end(new BrokerError('closed', 'the broker was closed'));
  }

  /** Every connection breaks. */
  lose(): void {
    this.#pubSub.lose();
    for (const firehose of this.#firehoses) {
      firehose.end(new BrokerError('lost', 'the memory broker is in an outage'));
    }
  }

  /** Everything kept is gone, and ids begin anew; connections stay, as after FLUSHALL. */
  loseData(): void {
    this.#losses += 1;
    this.#history = new History(this.#limits);
  }

  trim(channel: string | undefined, keep: number): void {
    this.#history.trim(channel, keep);
  }

  history(): History {
    this.#history.expire(this.clock.now());
    return this.#history;
  }

  head(): LogHead {
    return {
      epoch: `${this.#bornMs.toString(36)}-${this.#losses}`,
      lastId: this.#history.lastId,
      nowMs: this.clock.now(),
    };
  }

  forget(firehose: MemoryFirehose): void {
    this.#firehoses.delete(firehose);
  }
}
