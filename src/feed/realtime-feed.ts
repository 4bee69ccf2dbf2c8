import type { EventLog } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { Entry } from '../event/entry.ts';
import { type StreamId, streamId } from '../event/stream-id.ts';
import { type FanOut, RoutedBatch } from '../routing/fan-out.ts';
import type { Feed } from './feed.ts';

export interface RealtimeFeedDeps {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly fanOut: FanOut;
  readonly emit: (batch: RoutedBatch) => void;
  readonly clock: Clock;
  /** The one Pub/Sub channel that carries every message. */
  readonly channel: string;
}

const DATA = Buffer.from('data');

/**
 * Superset's newer single Pub/Sub channel. Its messages have no ids; they get ids of this process, so that a
 * slow socket catches up from the window. What is published while it is away is lost, and its sockets are told.
 */
export class RealtimeFeed implements Feed {
  readonly id = 'realtime';
  readonly isLossy = true;
  readonly #deps: RealtimeFeedDeps;
  #subscription: { close(): void } | undefined;
  #lost: Promise<Error> | undefined;
  #arrived: Entry[] = [];
  #lastMs = 0;
  #seq = 0;

  constructor(deps: RealtimeFeedDeps) {
    this.#deps = deps;
  }

  async connect(signal: AbortSignal): Promise<void> {
    const { log, channel } = this.#deps;
    let lose: (reason: Error) => void = () => {};
    this.#lost = new Promise((resolve) => {
      lose = resolve;
    });
    this.#subscription = await log.subscribe([channel], {
      message: (_, payload) => this.#arrive(payload),
      lost: (reason) => lose(reason),
    });
    if (signal.aborted) this.disconnect();
  }

  async catchUp(): Promise<void> {}

  async follow(signal: AbortSignal): Promise<never> {
    const stopped = new Promise<Error>((resolve) => {
      signal.addEventListener('abort', () => resolve(new Error('the reader was stopped')), { once: true });
    });
    const reason = await Promise.race([this.#lost, stopped]);
    if (!signal.aborted) this.#deps.fanOut.reset(this.#nextId(), 'lossy');
    throw reason;
  }

  disconnect(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  /** Messages that arrive in one turn are one batch. */
  #arrive(payload: Buffer): void {
    if (this.#arrived.length === 0) queueMicrotask(() => this.#emit());
    this.#arrived.push({ id: this.#nextId(), fields: [DATA, payload] });
  }

  #emit(): void {
    const entries = this.#arrived;
    this.#arrived = [];
    this.#deps.emit(new RoutedBatch(entries, false));
  }

  #nextId(): StreamId {
    const nowMs = this.#deps.clock.now();
    this.#seq = nowMs > this.#lastMs ? 0 : this.#seq + 1;
    this.#lastMs = Math.max(nowMs, this.#lastMs);
    return streamId(this.#lastMs, this.#seq);
  }
}
