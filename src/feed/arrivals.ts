import type { Clock } from '../clock.ts';
import type { Entry } from '../event/entry.ts';
import { type StreamId, streamId } from '../event/stream-id.ts';
import { RoutedBatch } from '../routing/fan-out.ts';

/**
 * Messages that have no ids of their own, on their way to the router: they get ids of this process, which only grow,
 * and those of one turn are one batch.
 */
export class Arrivals {
  readonly #clock: Clock;
  readonly #emit: (batch: RoutedBatch) => void;
  #arrived: Entry[] = [];
  #lastMs = 0;
  #seq = 0;

  constructor(clock: Clock, emit: (batch: RoutedBatch) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  add(fields: readonly Buffer[]): void {
    if (this.#arrived.length === 0) queueMicrotask(() => this.flush());
    this.#arrived.push({ id: this.nextId(), fields });
  }

  /** Has what came so far routed now. */
  flush(): void {
    const entries = this.#arrived;
    if (entries.length === 0) return;
    this.#arrived = [];
    this.#emit(new RoutedBatch(entries, false));
  }

  nextId(): StreamId {
    const nowMs = this.#clock.now();
    this.#seq = nowMs > this.#lastMs ? 0 : this.#seq + 1;
    this.#lastMs = Math.max(nowMs, this.#lastMs);
    return streamId(this.#lastMs, this.#seq);
  }
}
