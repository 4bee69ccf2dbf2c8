import type { StateValue } from 'xstate';
import type { SocketTimes } from '../../machines/socket.machine.ts';
import { laterId, type StreamId } from '../event/stream-id.ts';
import type { Denial, LogLine, Peer, Span, Transition } from '../inspect/api.ts';
import type { Beginning, SocketRecord, Watched } from '../routing/record.ts';
import type { FeedJournal } from './feed-journal.ts';
import { type MachineEvent, type Step, Steps, transitionOf } from './steps.ts';
import { SubscriptionJournal } from './subscription-journal.ts';

/** What the records of all sockets share. */
export interface SocketJournalDeps {
  readonly now: () => number;
  /** Told of what a watched socket does. */
  readonly onLine: (socket: SocketJournal, line: SocketLine) => void;
  /** Told that its channels are others. */
  readonly onChannels: (socket: SocketJournal) => void;
}

/** A line of the log, but for what is the same in all lines of a socket. */
export type SocketLine = Omit<LogLine, 'atMs' | 'instance' | 'socket' | 'user'>;

/** Is told of what some sockets do. Must not throw. */
export interface Watcher {
  readonly matches: (socket: SocketJournal) => boolean;
  readonly onLine: (line: LogLine) => void;
}

export interface SocketJournalOptions {
  readonly id: string;
  readonly peer: Peer;
  readonly feed: FeedJournal;
  /** Where its machine begins, and the delays that it knows. */
  readonly start: StateValue;
  readonly times: SocketTimes;
}

/** A stretch of time in which the transport held bytes that the operating system had not taken. */
export interface Backlog {
  readonly sinceMs: number;
  /** Undefined: it still does. */
  untilMs: number | undefined;
}

interface Rare {
  denials: readonly Denial[];
  backlogs: readonly Backlog[];
  /** In a batch that is being routed: up to here it has been written. */
  writtenTo: StreamId | undefined;
  forgottenSubscriptions: number;
}

const MAX_DENIALS = 20;
const MAX_BACKLOGS = 32;
/** Subscriptions that have ended are kept as long as there are no more than so many. */
const MAX_SUBSCRIPTIONS = 256;
const NONE: readonly never[] = [];

/** What is known of one socket, and stays known for a while after it has gone. */
export class SocketJournal implements SocketRecord {
  readonly id: string;
  readonly peer: Peer;
  readonly feed: FeedJournal;
  /** Of its machine. */
  readonly times: SocketTimes;
  readonly openedAtMs: number;
  readonly #deps: SocketJournalDeps;
  readonly #steps: Steps;
  #subscriptions: readonly SubscriptionJournal[] = NONE;
  #delivery: Watched | undefined;
  /** Whoever is told of what it does. */
  #watchers: readonly Watcher[] = NONE;
  /** What most sockets never have. */
  #rare: Rare | undefined;
  closed: { readonly atMs: number; readonly reason: string; readonly unflushedEvents: number } | undefined;
  /** Since it was opened, as the next one: a small number has no object of its own. */
  #expiresMs: number | undefined;
  #pingedMs: number | undefined;
  /** Between the last ping that was answered and its answer. */
  roundTripMs: number | undefined;

  constructor(deps: SocketJournalDeps, { id, peer, feed, start, times }: SocketJournalOptions) {
    this.#deps = deps;
    this.id = id;
    this.peer = peer;
    this.feed = feed;
    this.times = times;
    this.openedAtMs = deps.now();
    this.#steps = new Steps(start);
  }

  now(): number {
    return this.#deps.now();
  }

  /** Its machine's active leaves. */
  get active(): readonly string[] {
    return this.#steps.active;
  }

  /** Where its machine was before the first step that is kept. */
  get start(): readonly string[] {
    return this.#steps.start;
  }

  /** Whether no step of its machine is missing. */
  get isWhole(): boolean {
    return this.#steps.isWhole;
  }

  /** When its credential runs out; undefined: never. */
  get expiresAtMs(): number | undefined {
    return this.#expiresMs === undefined ? undefined : this.openedAtMs + this.#expiresMs;
  }

  get steps(): readonly Step[] {
    return this.#steps.all();
  }

  /** Oldest first. */
  get transitions(): readonly Transition[] {
    return this.#steps.all().map((step) => transitionOf(step, this.openedAtMs));
  }

  /** In the order in which they began, those that have ended among them. */
  get subscriptions(): readonly SubscriptionJournal[] {
    return this.#subscriptions;
  }

  /** How many of those that have ended are no longer kept. */
  get forgottenSubscriptions(): number {
    return this.#rare?.forgottenSubscriptions ?? 0;
  }

  get denials(): readonly Denial[] {
    return this.#rare?.denials ?? NONE;
  }

  /** When its transport held back what was written to it, oldest first. */
  get backlogs(): readonly Backlog[] {
    return this.#rare?.backlogs ?? NONE;
  }

  /** Where what was queued for it, and may not have been written, begins; undefined: nothing is. */
  get unwrittenAfter(): StreamId | undefined {
    const { batchAfter } = this.feed;
    if (batchAfter === undefined) return undefined;
    const writtenTo = this.#rare?.writtenTo;
    return writtenTo === undefined ? batchAfter : laterId(batchAfter, writtenTo);
  }

  /** A step of its machine. */
  step(event: MachineEvent, value: StateValue): void {
    const sinceMs = this.#deps.now() - this.openedAtMs;
    if (event.type === 'ping.due') this.#pingedMs ??= sinceMs;
    if (event.type === 'answer.received' && this.#pingedMs !== undefined) {
      this.roundTripMs = sinceMs - this.#pingedMs;
      this.#pingedMs = undefined;
    }
    if (event.type === 'credential.renewed') {
      this.#expiresMs = sinceMs + (event as unknown as { readonly lifetimeMs: number }).lifetimeMs;
    }
    const isStep = this.#steps.add(event, sinceMs, value);
    const last = isStep && this.isWatched ? this.#steps.last : undefined;
    if (last !== undefined)
      this.#tell({ kind: 'transition', transition: transitionOf(last, this.openedAtMs) });
  }

  /** Its transport holds bytes that the operating system has not taken. */
  waiting(): void {
    const last = this.backlogs.at(-1);
    if (last !== undefined && last.untilMs === undefined) return;
    const backlog: Backlog = { sinceMs: this.now(), untilMs: undefined };
    this.#noted.backlogs = [...this.backlogs.slice(1 - MAX_BACKLOGS), backlog];
  }

  /** The operating system has taken some; `bufferedBytes` are left. */
  drained(bufferedBytes: number): void {
    if (bufferedBytes > 0) return;
    const last = this.backlogs.at(-1);
    if (last !== undefined) last.untilMs ??= this.now();
  }

  /** Whether a backlog at this time would still be known. */
  knowsBacklogsAt(atMs: number): boolean {
    const [oldest] = this.backlogs;
    return this.backlogs.length < MAX_BACKLOGS || (oldest !== undefined && atMs >= oldest.sinceMs);
  }

  /** Since when its machine has been in a state that it is in. */
  sinceMs(state: string): number {
    const entered = this.#steps
      .all()
      .findLast(({ from, to, times }) => times === 0 && to.includes(state) && !from.includes(state));
    return this.openedAtMs + (entered?.sinceMs ?? 0);
  }

  attach(delivery: Watched): void {
    this.#delivery = delivery;
    delivery.isWatched = this.isWatched;
  }

  join(channels: readonly string[], beginning: Beginning): SubscriptionJournal {
    const subscription = new SubscriptionJournal(this, channels, beginning);
    this.#subscriptions = this.#kept().concat(subscription);
    this.#deps.onChannels(this);
    return subscription;
  }

  denied(channel: string, by: string, code: string): void {
    const denial = { atMs: this.now(), channel, by, code };
    this.#noted.denials = [...this.denials.slice(1 - MAX_DENIALS), denial];
    if (this.isWatched) this.#tell({ kind: 'denied', channel, denial });
  }

  delivered(channel: string, id: StreamId): void {
    this.#tell({ kind: 'delivered', channel, id });
  }

  replayed(channel: string, id: StreamId): void {
    this.#tell({ kind: 'replayed', channel, id });
  }

  flushed(): void {
    if (this.feed.batchAfter !== undefined) this.#noted.writtenTo = this.feed.position;
  }

  /** A span of one of its subscriptions. */
  noted({ channels }: SubscriptionJournal, span: Span): void {
    if (this.isWatched) this.#tell({ kind: 'span', channel: channels[0], span });
    if (span.kind === 'left') this.#deps.onChannels(this);
  }

  /** Nothing is left of it; `unflushedEvents` of those written to its transport never left. */
  close(reason: string, unflushedEvents: number): void {
    this.closed = { atMs: this.now(), reason, unflushedEvents };
    if (this.isWatched) this.#tell({ kind: 'closed', reason });
    this.watchers = NONE;
    this.#delivery = undefined;
  }

  get isWatched(): boolean {
    return this.#watchers.length > 0;
  }

  get watchers(): readonly Watcher[] {
    return this.#watchers;
  }

  set watchers(watchers: readonly Watcher[]) {
    this.#watchers = watchers;
    if (this.#delivery !== undefined) this.#delivery.isWatched = this.isWatched;
  }

  get #noted(): Rare {
    this.#rare ??= { denials: NONE, backlogs: NONE, writtenTo: undefined, forgottenSubscriptions: 0 };
    return this.#rare;
  }

  /** Those that go on, and of the others the newest. */
  #kept(): readonly SubscriptionJournal[] {
    const all = this.#subscriptions;
    if (all.length < MAX_SUBSCRIPTIONS) return all;
    const oldest = all.findIndex(({ hasLeft }) => hasLeft);
    if (oldest < 0) return all;
    this.#noted.forgottenSubscriptions += 1;
    return all.toSpliced(oldest, 1);
  }

  #tell(line: SocketLine): void {
    this.#deps.onLine(this, line);
  }
}
