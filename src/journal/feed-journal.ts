import type { EventLog } from '../broker/ports.ts';
import { compareIds, type StreamId, ZERO_ID } from '../event/stream-id.ts';
import type { BatchLine } from '../inspect/api.ts';
import type { EventCodec } from '../protocol/event-codec.ts';
import type { GapReason } from '../routing/protocol.ts';
import type { FeedRecord } from '../routing/record.ts';
import type { Window } from '../routing/window.ts';
import { Batches } from './batches.ts';

/** Something that happened to a feed, of which there are few. */
export type FeedLine =
  | { readonly kind: 'filled'; readonly atMs: number; readonly floor: StreamId; readonly position: StreamId }
  | {
      readonly kind: 'reset';
      readonly atMs: number;
      readonly before: StreamId;
      readonly position: StreamId;
      readonly reason: GapReason;
    }
  | {
      readonly kind: 'skipped';
      readonly atMs: number;
      readonly before: StreamId;
      readonly position: StreamId;
    }
  /** It was not read from then on; `untilMs` undefined: it still is not. */
  | { readonly kind: 'stale'; readonly atMs: number; readonly reason?: string; untilMs?: number };

/** An entry that is no event. */
export interface MalformedLine {
  readonly atMs: number;
  readonly id: StreamId;
  readonly reason: string;
}

/** A feed as it is asked about an event. */
export interface FeedSource {
  /** The id of the last event that was routed. */
  position(): StreamId;
  readonly window: Window;
  readonly codec: EventCodec;
  /** Where its events are kept; undefined: nowhere but in the window. */
  readonly log: Pick<EventLog, 'ids' | 'range' | 'openFirehose'> | undefined;
  /** The longest pause of a publisher between its two XADDs. */
  readonly slackMs: number;
}

const MAX_BATCHES = 10_000;
const MAX_LINES = 1_000;

/** What the router of one feed did: a line for each batch, and what went wrong. */
export class FeedJournal implements FeedRecord {
  readonly name: string;
  readonly #now: () => number;
  readonly #batches = new Batches(MAX_BATCHES);
  readonly #lines: FeedLine[] = [];
  readonly #malformed = new Map<StreamId, MalformedLine>();
  #batchAfter: StreamId | undefined;
  #source: FeedSource | undefined;

  constructor(name: string, now: () => number) {
    this.name = name;
    this.#now = now;
  }

  /** The position at which the batch began that is being routed; undefined: none is. */
  get batchAfter(): StreamId | undefined {
    return this.#batchAfter;
  }

  /** The id of the last event that was routed. */
  get position(): StreamId {
    return this.#source?.position() ?? ZERO_ID;
  }

  /** What it is the journal of; undefined: nothing yet. */
  get source(): FeedSource | undefined {
    return this.#source;
  }

  attach(source: FeedSource): void {
    this.#source = source;
  }

  routing(position: StreamId): void {
    this.#batchAfter = position;
  }

  routed(atMs: number, count: number, firstId: StreamId | undefined, lastId: StreamId): void {
    this.#batchAfter = undefined;
    if (firstId !== undefined) this.#batches.add({ atMs, count, firstId, lastId });
  }

  malformed(id: StreamId, reason: string): void {
    if (this.#malformed.has(id)) return;
    if (this.#malformed.size >= MAX_LINES) {
      this.#malformed.delete(this.#malformed.keys().next().value as StreamId);
    }
    this.#malformed.set(id, { atMs: this.#now(), id, reason });
  }

  filled(floor: StreamId, position: StreamId): void {
    this.#add({ kind: 'filled', atMs: this.#now(), floor, position });
  }

  reset(before: StreamId, position: StreamId, reason: GapReason): void {
    this.#add({ kind: 'reset', atMs: this.#now(), before, position, reason });
    // Ids mean something else now.
    if (compareIds(position, before) < 0) this.#malformed.clear();
  }

  skipped(before: StreamId, position: StreamId): void {
    this.#add({ kind: 'skipped', atMs: this.#now(), before, position });
  }

  /** Its reader lost it. */
  stale(reason: string | undefined): void {
    this.#add({ kind: 'stale', atMs: this.#now(), ...(reason !== undefined && { reason }) });
  }

  /** Its reader has it again. */
  live(): void {
    const line = this.#lines.findLast(({ kind }) => kind === 'stale');
    if (line?.kind === 'stale') line.untilMs ??= this.#now();
  }

  batchOf(id: StreamId): BatchLine | undefined {
    return this.#batches.of(id);
  }

  malformedOf(id: StreamId): MalformedLine | undefined {
    return this.#malformed.get(id);
  }

  /** The newest batches, oldest first. */
  lastBatches(count: number): BatchLine[] {
    return this.#batches.last(count);
  }

  /** Oldest first. */
  get lines(): readonly FeedLine[] {
    return this.#lines;
  }

  /** Since when its reader has not had it; undefined: it has. */
  get staleSinceMs(): number | undefined {
    const line = this.#lines.findLast(({ kind }) => kind === 'stale');
    return line?.kind === 'stale' && line.untilMs === undefined ? line.atMs : undefined;
  }

  #add(line: FeedLine): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }
}
