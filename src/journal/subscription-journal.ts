import { compareIds, type StreamId } from '../event/stream-id.ts';
import type { PauseReason, Span } from '../inspect/api.ts';
import type { Gap } from '../routing/protocol.ts';
import type { Beginning, SubscriptionRecord } from '../routing/record.ts';
import type { SocketJournal } from './socket-journal.ts';
import { Spans } from './spans.ts';

type Read = NonNullable<Parameters<SubscriptionRecord['read']>[2]>;
type WithoutTime<S> = S extends Span ? Omit<S, 'atMs'> : never;
type Untimed = WithoutTime<Span>;

/** What became of the events of one subscription. It is its spans, and does not have them: there are many. */
export class SubscriptionJournal extends Spans implements SubscriptionRecord {
  readonly channels: readonly string[];
  readonly #socket: SocketJournal;
  /** From the first event or gap that was queued until all is written: nothing of it is known to have left before. */
  #queued: Untimed[] | undefined;

  constructor(socket: SocketJournal, channels: readonly string[], { cursor, isClaimed, isLive }: Beginning) {
    super();
    this.#socket = socket;
    this.channels = channels;
    const atMs = socket.now();
    // There is one for each socket: as small as it can be.
    if (isClaimed) this.#add({ kind: 'joined', atMs, cursor, isClaimed, isLive });
    else this.#add({ kind: 'joined', atMs, cursor, isLive });
  }

  get joinedAtMs(): number {
    return (this.spans[0] as Span).atMs;
  }

  get hasLeft(): boolean {
    return this.last?.kind === 'left';
  }

  live(cursor: StreamId): void {
    if (this.#queued === undefined && this.#goesOn(cursor)) return;
    this.#note({ kind: 'live', cursor });
  }

  paused(cursor: StreamId, reason: PauseReason): void {
    this.#note({ kind: 'paused', cursor, reason });
  }

  replayed(after: StreamId, cursor: StreamId): void {
    this.#queue({ kind: 'replayed', after, cursor });
  }

  read(after: StreamId, cursor: StreamId, sent: Read | undefined): void {
    this.#queue({ kind: 'replayed', after, cursor, read: sent ?? 'nothing' });
  }

  replayedOfChannel(after: StreamId, cursor: StreamId): void {
    this.#queue({ kind: 'replayed', after, cursor, isOfChannel: true });
  }

  settled(): void {
    const queued = this.#queued;
    if (queued === undefined) return;
    this.#queued = undefined;
    for (const span of queued) this.#note(span);
  }

  gap({ after, to, reason }: Gap): void {
    this.#queued ??= [];
    this.#queued.push({ kind: 'gap', after, to, reason });
  }

  snapshot(cursor: StreamId): void {
    this.#note({ kind: 'snapshot', cursor });
  }

  unechoed(id: StreamId): void {
    this.#note({ kind: 'unechoed', id });
  }

  failed(): void {
    const first = this.#queued?.find(isOfFeed);
    this.#queued = undefined;
    const after = earlier(first?.after, this.#socket.unwrittenAfter);
    if (after !== undefined) this.paused(after, 'failed');
  }

  left(cursor: StreamId, reason: string): void {
    this.settled();
    this.#note({ kind: 'left', cursor, reason });
  }

  /** Whether that it is live says nothing new; if it does not, what is known is put right. */
  #goesOn(cursor: StreamId): boolean {
    const { last } = this;
    // In the turn in which it began, with nothing due: one span says it.
    if (last?.kind === 'joined' && last.cursor === cursor && last.atMs === this.#socket.now()) {
      const span = { ...last, isLive: true };
      this.amend(span);
      this.#socket.noted(this, span);
      return true;
    }
    // A publication of its own held it back for a moment in which nothing came: it never was anything but live.
    if (last?.kind !== 'paused' || last.reason !== 'held') return false;
    this.retract();
    return true;
  }

  #queue(span: Extract<Untimed, { readonly kind: 'replayed' }>): void {
    if (compareIds(span.cursor, span.after) <= 0) return;
    this.#queued ??= [];
    const last = this.#queued.at(-1);
    const isNext =
      last?.kind === 'replayed' &&
      last.cursor === span.after &&
      last.isOfChannel === span.isOfChannel &&
      last.read === undefined &&
      span.read === undefined;
    if (isNext) this.#queued[this.#queued.length - 1] = { ...span, after: last.after };
    else this.#queued.push(span);
  }

  /** What is still to be written comes before it. */
  #note(span: Untimed): void {
    if (this.hasLeft) return;
    if (this.#queued === undefined) this.#add({ ...span, atMs: this.#socket.now() });
    else this.#queued.push(span);
  }

  #add(span: Span): void {
    this.add(span);
    this.#socket.noted(this, span);
  }
}

type Ranged = Extract<Untimed, { readonly kind: 'replayed' | 'gap' }>;

const isOfFeed = (span: Untimed): span is Ranged =>
  span.kind === 'gap' || (span.kind === 'replayed' && span.isOfChannel !== true);

function earlier(a: StreamId | undefined, b: StreamId | undefined): StreamId | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareIds(a, b) <= 0 ? a : b;
}
