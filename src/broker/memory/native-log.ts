import type { Clock } from '../../clock.ts';
import { nativeFields } from '../../event/native-entry.ts';
import type { StreamId } from '../../event/stream-id.ts';
import type { NativeLog, Outcome, Publication, Snapshot } from '../ports.ts';
import { MemoryEventLog } from './event-log.ts';
import { ExpiringKeys } from './expiring-keys.ts';
import type { HistoryLimits } from './history.ts';
import { Snapshots } from './snapshots.ts';

export interface MemoryNativeLogOptions {
  readonly clock: Clock;
  readonly limits: HistoryLimits;
  readonly keyTtlSeconds: number;
  /** Throws while the broker is away. */
  readonly assertUp: () => void;
}

/** Our own channels in this process's memory: a log of its own, with the fields of native entries. */
export class MemoryNativeLog extends MemoryEventLog implements NativeLog {
  readonly #published: ExpiringKeys<StreamId>;
  readonly #snapshots: Snapshots;
  readonly #keyTtlMs: number;
  readonly #assertUp: () => void;

  constructor({ clock, limits, keyTtlSeconds, assertUp }: MemoryNativeLogOptions) {
    super(clock, limits, assertUp);
    this.#published = new ExpiringKeys(clock);
    this.#snapshots = new Snapshots(limits.maxBytes);
    this.#keyTtlMs = keyTtlSeconds * 1000;
    this.#assertUp = assertUp;
  }

  override async append(channel: string, payload: Buffer): Promise<StreamId> {
    return this.#publishEvent({ channel, data: payload });
  }

  async publishEvents(publications: readonly Publication[]): Promise<readonly Outcome[]> {
    this.#assertUp();
    return publications.map((publication) => ({ id: this.#publishEvent(publication) }));
  }

  async snapshot(channel: string): Promise<Snapshot | undefined> {
    this.#assertUp();
    return this.#snapshots.get(channel);
  }

  override loseData(): void {
    super.loseData();
    this.#published.clear();
    this.#snapshots.clear();
  }

  #publishEvent({ channel, topic, data, key, snapshot, traceparent }: Publication): StreamId {
    this.#assertUp();
    const first = key === undefined ? undefined : this.#published.get(key);
    if (first !== undefined) return first;
    // No topic and an empty one are the same, as on Redis.
    const named = topic === '' ? undefined : topic;
    // Copied: a small payload must not keep the large buffer alive that it is a slice of.
    const copy = Buffer.from(data);
    const id = this.add(channel, (previousId) => nativeFields(channel, named, copy, previousId, traceparent));
    if (key !== undefined) this.#published.set(key, this.#keyTtlMs, id);
    if (snapshot) {
      this.#snapshots.set(channel, { id, ...(named === undefined ? {} : { topic: named }), data: copy });
    }
    return id;
  }
}
