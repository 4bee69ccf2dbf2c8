import { previousIdOf } from '../../event/native-entry.ts';
import { compareIds, msOf, type StreamId, ZERO_ID } from '../../event/stream-id.ts';
import type {
  Firehose,
  Listener,
  NativeLog,
  Outcome,
  Page,
  Publication,
  Snapshot,
  Subscriber,
} from '../ports.ts';
import { type EventLogParts, RedisEventLog } from './event-log.ts';
import type { NativeKeys } from './keys.ts';
import { isEmptyRange, readPage, type StreamPage } from './page.ts';

/** How much of the past a publish leaves. */
export interface NativeLimits {
  readonly maxLength: number;
  readonly firehoseMaxLength: number;
  /** 0: for ever. */
  readonly maxAgeSeconds: number;
  readonly keyTtlSeconds: number;
}

export interface NativeLogParts extends Omit<EventLogParts, 'keys' | 'limits'> {
  readonly keys: NativeKeys;
  readonly limits: NativeLimits;
}

/** Our own channels in Redis: what is written by the publish script, and only that. */
export class RedisNativeLog implements NativeLog {
  readonly ids = 'shared';
  readonly #parts: NativeLogParts;
  /** Its connections, its firehose and its epoch are those of any log of streams. */
  readonly #streams: RedisEventLog;

  constructor(parts: NativeLogParts) {
    const { maxLength, firehoseMaxLength } = parts.limits;
    this.#parts = parts;
    this.#streams = new RedisEventLog({
      ...parts,
      limits: { maxLength, firehoseMaxLength, channelExpirySeconds: 0 },
    });
  }

  async openFirehose(signal: AbortSignal): Promise<Firehose> {
    return this.#streams.openFirehose(signal);
  }

  async lastId(): Promise<StreamId> {
    return this.#streams.lastId();
  }

  async lastIdAfresh(): Promise<StreamId> {
    return this.#streams.lastIdAfresh();
  }

  async subscribe(channels: readonly string[], listener: Listener): Promise<Subscriber> {
    return this.#streams.subscribe(channels, listener);
  }

  async publish(channel: string, payload: Buffer): Promise<number> {
    return this.#streams.publish(channel, payload);
  }

  async close(): Promise<void> {
    return this.#streams.close();
  }

  async append(channel: string, payload: Buffer): Promise<StreamId> {
    const [outcome] = await this.publishEvents([{ channel, data: payload }]);
    if (outcome === undefined) throw new Error('the publish script answered nothing');
    if ('error' in outcome) throw outcome.error;
    return outcome.id;
  }

  async publishEvents(publications: readonly Publication[]): Promise<readonly Outcome[]> {
    if (publications.length === 0) return [];
    const { keys, writes, limits } = this.#parts;
    const streams: string[] = [keys.firehose];
    const args: (string | Buffer | number)[] = [
      limits.firehoseMaxLength,
      limits.maxLength,
      limits.maxAgeSeconds,
      limits.keyTtlSeconds,
    ];
    for (const { channel, topic = '', data, key, snapshot = false } of publications) {
      // Without a key its place is taken by one that is not looked at: on a Cluster it needs the right slot.
      streams.push(keys.channel(channel), keys.key(key ?? ''), keys.snapshot(channel));
      args.push(channel, topic, data, `${key === undefined ? '' : 'k'}${snapshot ? 's' : ''}`);
    }
    if (publications.some(({ traceparent }) => traceparent !== undefined)) {
      args.push(...publications.map(({ traceparent = '' }) => traceparent));
    }
    const answers = await writes.run((client) =>
      client.signalboxPublishNative(streams.length, ...streams, ...args),
    );
    return answers.map((answer) =>
      answer instanceof Error ? { error: answer } : { id: answer as StreamId },
    );
  }

  async snapshot(channel: string): Promise<Snapshot | undefined> {
    const { keys, replay } = this.#parts;
    const [id, topic, data] = await replay.run((client) =>
      client.hmgetBuffer(keys.snapshot(channel), 'id', 't', 'd'),
    );
    if (!id || !data) return undefined;
    const named = topic && topic.length > 0 ? { topic: topic.toString() } : {};
    return { id: id.toString('latin1') as StreamId, ...named, data };
  }

  async range(channel: string, after: StreamId, end: StreamId | undefined, count: number): Promise<Page> {
    const { keys, replay } = this.#parts;
    if (isEmptyRange(after, end)) return { entries: [], trimmed: false };
    const page = await readPage(replay, keys.channel(channel), after, end, count);
    if (page === undefined) return { entries: [], trimmed: true };
    return { entries: page.entries, trimmed: this.#mayHaveTrimmed(page, after) };
  }

  /**
   * Whether events after `after` may be gone.
   *
   * The first one that is there after `after`, be it later than the range, names its predecessor: exact, and nothing
   * need be counted, as Redis before 7.0 does not. The first of all stands for it where the range is empty: streams
   * lose their head only, so when it is at or before `after`, nothing later is gone, and it names nothing later.
   */
  #mayHaveTrimmed({ entries, info, first, nowMs }: StreamPage, after: StreamId): boolean {
    if (info === undefined) return this.#mayBeForgotten(after, nowMs);
    const next = entries[0] ?? first;
    if (next === undefined) return compareIds(info.lastId, after) > 0;
    const previousId = previousIdOf(next);
    return previousId === ZERO_ID
      ? this.#mayBeForgotten(after, msOf(next.id))
      : compareIds(previousId, after) > 0;
  }

  /** Whether the channel may have been forgotten with events after `after` in it, to begin anew no earlier than `ms`. */
  #mayBeForgotten(after: StreamId, ms: number): boolean {
    const { maxAgeSeconds } = this.#parts.limits;
    return maxAgeSeconds > 0 && msOf(after) < ms - maxAgeSeconds * 1000;
  }
}
