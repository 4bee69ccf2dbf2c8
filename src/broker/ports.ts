import type { Entry } from '../event/entry.ts';
import type { StreamId } from '../event/stream-id.ts';

/** Where a log stands. Ids are comparable only while `epoch` stays the same. */
export interface LogHead {
  /** Changes when the broker's data was lost or another server was promoted. Empty: the broker would not say. */
  readonly epoch: string;
  /** The largest id the firehose ever gave, `0-0` for one that was never written to. */
  readonly lastId: StreamId;
  /** The broker's clock, ms since 1970. */
  readonly nowMs: number;
}

/** What one read of the firehose brought. */
export interface Batch {
  /** In id order, all later than the position that was asked for; empty when the block time passed. */
  readonly entries: readonly Entry[];
  /**
   * True when entries between the position asked for and the first one here were trimmed unread, or may have
   * been where the broker cannot tell. False for an empty batch: the loss is told with the entry that ends it.
   */
  readonly trimmed: boolean;
  /** True when it is as large as a batch may be, by count or by bytes: more may be waiting. */
  readonly isFull: boolean;
}

/** A part of one channel's history. */
export interface Page {
  /** In id order, every retained entry after `after`, at most `count` of them, none later than `end`. */
  readonly entries: readonly Entry[];
  /** True when entries of `(after, end]` may have existed that the log no longer holds. */
  readonly trimmed: boolean;
}

/**
 * A connection of its own for the reads of the firehose, made anew at each attempt. Every method rejects once
 * the connection is lost, and none of them reconnects: the reader machine does that, alone. One call at a time:
 * a second one would wait behind a read that blocks. Away or closed it rejects with a `BrokerError`; what the
 * server refuses (WRONGTYPE, NOAUTH, NOPERM) rejects as the server said it, and leaves the connection usable.
 */
export interface Firehose {
  head(): Promise<LogHead>;
  /**
   * Entries after `after`. Waits up to `blockMs` for the first one; 0 returns at once. `count` is the most it
   * returns, and it returns fewer rather than much more than 4 MiB.
   */
  read(after: StreamId, options: { readonly count: number; readonly blockMs: number }): Promise<Batch>;
  /** Entries before `before` (or the newest ones), NEWEST FIRST, at most `count` of them. */
  readBack(options: { readonly before?: StreamId; readonly count: number }): Promise<readonly Entry[]>;
  /** Ends it; what is under way rejects. */
  close(): void;
}

/** Handed to `EventLog.subscribe`. */
export interface Listener {
  /** A message of a channel that is subscribed, never of one that was removed; called in the order of the connection. */
  message(channel: string, payload: Buffer): void;
  /** The connection is lost and nothing more will come; called once, never after `close`. */
  lost(reason: Error): void;
}

/** A connection of its own to plain channels, which come and go. It never reconnects: its owner makes another one. */
export interface Subscriber {
  /**
   * Resolves once messages of the channel arrive; at once when they do already. Rejects when the server refuses it,
   * which leaves the connection usable, and when the connection is lost or closed.
   */
  add(channel: string): Promise<void>;
  /** Nothing of the channel is heard from now on; the server is told. What was not added is left alone. */
  remove(channel: string): void;
  close(): void;
}

/** Where events are kept: every channel's own stream and the firehose that holds all of them. */
export interface EventLog {
  /**
   * `shared`: an event has one id in its channel's stream and in the firehose, so ranges are exact.
   * `separate`: it has two (Superset's two XADDs), comparable by millisecond and slack only.
   */
  readonly ids: 'shared' | 'separate';
  /**
   * Opens a new connection to the firehose. Rejects when the broker cannot be reached or refuses. Aborting ends
   * the attempt, rejecting with the signal's reason; once it is open, it closes it.
   */
  openFirehose(signal: AbortSignal): Promise<Firehose>;
  /** `(after, end]` of one channel's stream; `end` undefined: to its end. Does not wait behind blocking reads. */
  range(channel: string, after: StreamId, end: StreamId | undefined, count: number): Promise<Page>;
  /** The firehose's `lastId`, for a client that claims to be ahead of this process. */
  lastId(): Promise<StreamId>;
  /**
   * The same, as whoever connects now would be told: over a new connection, made for this question alone and led
   * wherever the broker is now. It is what shows that another connection leads to a server that no longer counts.
   */
  lastIdAfresh(): Promise<StreamId>;
  /**
   * Appends to the channel's stream and to the firehose in one step under one id, and answers once it is kept.
   * Rejects when that is not known to have happened.
   */
  append(channel: string, payload: Buffer): Promise<StreamId>;
  /**
   * Plain publish and subscribe, lossy: opens a new connection, and resolves once it is subscribed to all of `channels`,
   * which may be none. Rejects, and leaves no connection, when one of them is refused.
   */
  subscribe(channels: readonly string[], listener: Listener): Promise<Subscriber>;
  /** Publishes to plain subscribers; answers how many there were (on a Redis Cluster: on the node it used). */
  publish(channel: string, payload: Buffer): Promise<number>;
  close(): Promise<void>;
}

/** An event that is to be published to a native channel. */
export interface Publication {
  readonly channel: string;
  readonly topic?: string | undefined;
  readonly data: Buffer;
  /**
   * A repeat under the same key, for as long as the log remembers it, answers the first id and writes nothing,
   * whatever it brings. One space of keys for an installation: the caller puts the principal and the channel in.
   */
  readonly key?: string | undefined;
  /** Also kept as the channel's snapshot, in the same step. */
  readonly snapshot?: boolean | undefined;
  /** A W3C `traceparent`, kept with the event: who follows it finds out where it comes from. */
  readonly traceparent?: string | undefined;
}

/** What became of one of several publications: its id, or why nothing of it was written. */
export type Outcome = { readonly id: StreamId } | { readonly error: Error };

/** What a store of this channel is re-filled with: the state after the event of this id. */
export interface Snapshot {
  readonly id: StreamId;
  readonly topic?: string;
  readonly data: Buffer;
}

/**
 * The log of our own channels. Its entries are those of `src/event/native-entry.ts`, each with the id of the
 * channel's event before it, so that whoever reads on sees what is missing.
 *
 * `append` publishes without topic and key. `range` also says `trimmed` of a position that is older than channels
 * are kept for, when the channel begins after it: an event between may have been forgotten with its channel.
 */
export interface NativeLog extends EventLog {
  readonly ids: 'shared';
  /**
   * Publishes in this order, each event to its channel's stream and to the firehose in one step under one id, and
   * answers for each of them once they are kept; other publishers' events may come between two of them.
   *
   * Rejects with what the server says when it refuses to write at all (OOM, READONLY, NOPERM, …), and with a
   * `BrokerError` when it cannot be reached (`unavailable`), or when what was written is not known (any other code):
   * see `createPublisher`.
   */
  publishEvents(publications: readonly Publication[]): Promise<readonly Outcome[]>;
  /** The channel's snapshot; undefined when it has none. It does not run out, nor does the channel that has one. */
  snapshot(channel: string): Promise<Snapshot | undefined>;
}

/** Messages between the instances of one installation. */
export interface Control {
  /** Sends to every instance, this one included; resolves once the broker has it. */
  send(message: unknown): Promise<void>;
  /**
   * Hears what is sent from now on; an instance that was reconnecting still hears what it missed, as far as it is
   * kept. Rejects when the broker is away now, reconnects by itself later, and calls `onResumed` when it has: what
   * the instance keeps of the broker may be behind. A handler must not throw: nobody would catch it.
   */
  listen(handler: (message: unknown) => void, onResumed?: () => void): Promise<{ close(): void }>;
  /** Says that this instance is alive, for `ttlMs` from now; 0: that it is not. */
  heartbeat(instance: string, ttlMs: number): Promise<void>;
  /** The instances whose last heartbeat has not run out, sorted. */
  instances(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Tokens of one user or one session that were issued at or before a time, and are refused. */
export interface Revocation {
  readonly of: 'user' | 'session';
  readonly id: string;
  /** Ms since 1970. */
  readonly atMs: number;
}

/** Whose tokens are refused, for all instances and for those that start later. */
export interface Revocations {
  /**
   * Remembers each until its `atMs` is `ttlMs` ago; of several for one user or session, the one with the latest
   * `atMs`, in whatever order they come. Resolves once the broker has them.
   */
  add(revocations: readonly Revocation[], ttlMs: number): Promise<void>;
  /** All that are remembered, and perhaps some that need not be any more. Rejects rather than give a part. */
  all(): Promise<readonly Revocation[]>;
  close(): Promise<void>;
}

/** Things that may happen only once. */
export interface Once {
  /**
   * Claims a key for `ttlMs`. True for the one caller that got it, false for every other until it has run out.
   * Rejects when the broker is away: a claim is never assumed.
   */
  claim(key: string, ttlMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** What a broker is made of. */
export interface Broker {
  readonly name: 'memory' | 'redis';
  readonly log: EventLog;
  /** Of the native protocol, apart from `log`. */
  readonly native: NativeLog;
  readonly control: Control;
  readonly once: Once;
  readonly revocations: Revocations;
  close(): Promise<void>;
}
