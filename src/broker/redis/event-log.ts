import { msOf, type StreamId } from '../../event/stream-id.ts';
import { BrokerError } from '../broker-error.ts';
import type { EventLog, Firehose, Listener, Page, Subscriber } from '../ports.ts';
import {
  type Append,
  type AppendLimits,
  createScriptedAppend,
  createSeparateAppend,
  lastIdOf,
} from './append.ts';
import type { Connector } from './connect.ts';
import type { Connection } from './connection.ts';
import { Epoch } from './epoch.ts';
import { RedisFirehose } from './firehose.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import { isEmptyRange, readPage } from './page.ts';
import { mayHaveTrimmed } from './stream-info.ts';
import { subscribe } from './subscription.ts';

export interface EventLogParts {
  readonly connector: Connector;
  readonly keys: Keys;
  readonly limits: AppendLimits;
  /** For reads of history: never behind a blocking read, nor behind a write. */
  readonly replay: Link;
  readonly writes: Link;
  /** For plain publishing. */
  readonly publishing: Link;
  readonly commandTimeoutMs: number;
  readonly onNote: (message: string) => void;
}

/** Superset's streams in Redis. */
export class RedisEventLog implements EventLog {
  /** Superset's publisher adds to each stream by itself, so each gives its own ids; ours are among them. */
  readonly ids = 'separate';
  readonly #parts: EventLogParts;
  readonly #epoch: Epoch;
  readonly #append: Append;
  readonly #abort = new AbortController();
  /** Connections of firehoses and subscribers. */
  readonly #open = new Set<Connection>();

  constructor(parts: EventLogParts) {
    const { keys, writes, limits, onNote } = parts;
    this.#parts = parts;
    this.#epoch = new Epoch(keys.epoch, onNote);
    this.#append = (keys.oneSlot ? createScriptedAppend : createSeparateAppend)(writes, keys, limits);
  }

  async openFirehose(signal: AbortSignal): Promise<Firehose> {
    const { keys, commandTimeoutMs } = this.#parts;
    const connection = await this.#connect(keys.firehose, 'firehose', signal);
    const firehose = new RedisFirehose(connection, keys.firehose, this.#epoch, commandTimeoutMs);
    const close = () => firehose.close();
    signal.addEventListener('abort', close);
    connection.onEnd(() => signal.removeEventListener('abort', close));
    return firehose;
  }

  async range(channel: string, after: StreamId, end: StreamId | undefined, count: number): Promise<Page> {
    const key = this.#parts.keys.channel(channel);
    if (isEmptyRange(after, end)) return { entries: [], trimmed: false };
    const page = await readPage(this.#parts.replay, key, after, end, count);
    // A key that holds something else has no history to give, now or later: a failure would be tried for ever.
    if (page === undefined) return { entries: [], trimmed: true };
    const { entries, info, nowMs } = page;
    const trimmed = info === undefined ? this.#mayHaveExpired(after, nowMs) : mayHaveTrimmed(info, after);
    return { entries, trimmed };
  }

  async lastId(): Promise<StreamId> {
    return this.#parts.replay.run((client) => lastIdOf(client, this.#parts.keys.firehose));
  }

  async lastIdAfresh(): Promise<StreamId> {
    const { keys, commandTimeoutMs } = this.#parts;
    const connection = await this.#connect(keys.firehose, 'canary');
    try {
      return await connection.run(commandTimeoutMs, (client) => lastIdOf(client, keys.firehose));
    } finally {
      connection.close();
    }
  }

  async append(channel: string, payload: Buffer): Promise<StreamId> {
    return this.#append(channel, payload);
  }

  async subscribe(channels: readonly string[], listener: Listener): Promise<Subscriber> {
    const connection = await this.#connect(this.#parts.keys.firehose, 'subscriber');
    try {
      return await subscribe(connection, channels, listener, this.#parts.commandTimeoutMs);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async publish(channel: string, payload: Buffer): Promise<number> {
    return this.#parts.publishing.run((client) => client.publish(channel, payload));
  }

  async close(): Promise<void> {
    this.#abort.abort(new BrokerError('closed', 'the broker was closed'));
    for (const connection of this.#open) connection.close();
  }

  /**
   * A stream that does not exist: where channels expire, who was away for longer than that may have missed
   * something. Where they do not, nothing was ever published, or nothing is left that could tell.
   */
  #mayHaveExpired(after: StreamId, nowMs: number): boolean {
    const { channelExpirySeconds } = this.#parts.limits;
    return channelExpirySeconds > 0 && msOf(after) < nowMs - channelExpirySeconds * 1000;
  }

  async #connect(key: string, purpose: string, signal?: AbortSignal) {
    const signals = signal === undefined ? [this.#abort.signal] : [this.#abort.signal, signal];
    const connection = await this.#parts.connector.openFor(key, purpose, AbortSignal.any(signals));
    this.#open.add(connection);
    connection.onEnd(() => this.#open.delete(connection));
    return connection;
  }
}
