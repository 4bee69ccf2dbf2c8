import type { EventLog } from '../broker/ports.ts';
import type { Entry } from '../event/entry.ts';
import { compareIds, type StreamId } from '../event/stream-id.ts';
import { isMalformed, type Malformed } from '../protocol/event-codec.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Frames } from './frames.ts';
import type { Outlet } from './outlet.ts';
import type { Gap, SocketProtocol } from './protocol.ts';
import type { SocketRecord } from './record.ts';
import type { Replay, ReplayPart } from './replay.ts';
import type { FramedSnapshot, ReadSnapshot } from './snapshots.ts';
import type { Subscription, Terms } from './subscriptions.ts';
import type { Window } from './window.ts';

export interface CatchUpDeps {
  readonly metrics: Metrics;
  readonly window: Window;
  readonly frames: Frames;
  readonly replay: Replay;
  readonly protocol: SocketProtocol;
  readonly log: Pick<EventLog, 'lastId'>;
  /** The id of the last event that was routed. */
  position(): StreamId;
  /** Resolves once everything up to an id has been routed. */
  routed(id: StreamId): Promise<void>;
  /** Of the log; empty: it would not say. */
  epoch(): string;
  /** Undefined: channels have none. */
  readonly snapshotOf: ReadSnapshot | undefined;
  /** The broker would not give what a replay asked for; it is asked again after a pause. */
  onReplayFailed(error: unknown): void;
}

/** The delivery of the socket that is caught up. */
export interface CatchingUp {
  readonly isCompressed: boolean;
  readonly isWatched: boolean;
  readonly record: SocketRecord | undefined;
  /** There is no room for more: closes the outlets. */
  fill(): void;
  /** Sends what a read has brought, and then what else is due. */
  carryOn(send: () => void): void;
  /** Writes what was sent again. */
  flushReplayed(): void;
}

export interface CatchUpOwner {
  tell(fact: 'page.failed'): void;
  end(reason: 'lossy'): void;
}

/** What is late for the subscriptions of one socket: from the window, from the broker, and what is said before it. */
export class CatchUp {
  readonly #deps: CatchUpDeps;
  readonly #outlet: Outlet;
  readonly #socket: CatchingUp;
  readonly #owner: CatchUpOwner;
  /** A page could not be read: the machine says when to try again. */
  #isWaiting = false;

  constructor(deps: CatchUpDeps, outlet: Outlet, socket: CatchingUp, owner: CatchUpOwner) {
    this.#deps = deps;
    this.#outlet = outlet;
    this.#socket = socket;
    this.#owner = owner;
  }

  /** The pause that followed a failed page is over. */
  retry(): void {
    this.#isWaiting = false;
  }

  /** Sends its next event, has read what brings it, or finds that nothing is late. True: it may have more. */
  advance(subscription: Subscription): boolean {
    const { window, frames } = this.#deps;
    const { terms } = subscription;
    if (terms !== undefined && terms.holds > 0) return false;
    if (terms?.greet !== undefined && terms.isReady?.() === false) return false;
    // What was read for it was given up: it is not read again before somebody wants it.
    if (terms?.asked === true && subscription.gap === undefined && !this.#isGreeted(subscription, true))
      return false;
    if (terms?.asked === false && !this.#isGreeted(subscription, false)) return false;
    if (subscription.gap !== undefined) {
      if (!this.#isGreeted(subscription, false)) return false;
      this.announce(subscription, subscription.gap);
    }
    const isInWindow = subscription.replay === undefined && window.holds(subscription.cursor);
    if (subscription.claim !== undefined || terms?.isSnapshotDue === true || !isInWindow) {
      if (!this.#isWaiting) this.#fetch(subscription);
      return false;
    }
    const wasGreeted = terms?.greet === undefined;
    if (!this.#isGreeted(subscription, true)) return false;
    const event = window.next(subscription.channels, subscription.cursor);
    if (event === undefined) {
      subscription.live = true;
      subscription.record?.live(subscription.cursor);
      // Others may have waited for this one to be greeted.
      return !wasGreeted;
    }
    const isUnwanted = terms?.unwanted?.delete(event.id) === true;
    if (!isUnwanted) {
      this.#replay(frames.ofEvent(event, this.#socket.isCompressed), event.to - event.from);
      if (this.#socket.isWatched) this.#socket.record?.replayed(subscription.channels[0] as string, event.id);
    }
    subscription.record?.replayed(subscription.cursor, event.id);
    subscription.cursor = event.id;
    return true;
  }

  /** False: nothing may be sent to it yet. */
  #isGreeted({ terms }: Subscription, recovered: boolean): boolean {
    if (terms?.greet === undefined) return true;
    terms.asked = recovered;
    if (!terms.greet(recovered)) return false;
    terms.greet = undefined;
    terms.asked = undefined;
    if (terms.snapshot !== undefined) this.#outlet.push(terms.snapshot, 0);
    terms.snapshot = undefined;
    return true;
  }

  /** Asks the broker for what comes next; what it answers applies only if nothing has changed meanwhile. */
  #fetch(subscription: Subscription): void {
    subscription.fetching = true;
    const { generation } = subscription;
    const isCurrent = (): boolean => !this.#outlet.isClosed && subscription.generation === generation;
    this.#read(subscription).then(
      (apply) => {
        if (!isCurrent()) return;
        subscription.fetching = false;
        if (this.#outlet.isOpen) this.#socket.carryOn(apply);
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        this.#deps.onReplayFailed(error);
        subscription.fetching = false;
        this.#isWaiting = true;
        this.#owner.tell('page.failed');
      },
    );
  }

  async #read(subscription: Subscription): Promise<() => void> {
    const { log, replay } = this.#deps;
    if (subscription.claim !== undefined) {
      const lastId = await log.lastId();
      // What is to be said of it is known only once this process has come as far as its client was.
      if (subscription.terms?.greet !== undefined) await this.#deps.routed(lastId);
      return () => this.#settleClaim(subscription, lastId);
    }
    const { terms } = subscription;
    if (terms?.isSnapshotDue === true) {
      const snapshot = await this.#readSnapshot(subscription.channels[0] as string, terms);
      return () => this.#takeSnapshot(subscription, terms, snapshot);
    }
    const resolve = await replay.read(subscription);
    return () => this.#send(subscription, resolve());
  }

  async #readSnapshot(channel: string, { snapshotOf }: Terms): Promise<FramedSnapshot | undefined> {
    // Before it is asked for: what is published while it is made may be in it, and comes after it all the same.
    const id = this.#deps.position();
    const data = await snapshotOf?.();
    if (data === undefined) return this.#deps.snapshotOf?.(channel);
    const frame = this.#deps.frames.ofSnapshot(channel, { id, data });
    return frame && { id, frame };
  }

  /** What is a state of one channel is none of several, which have one cursor. */
  hasSnapshots(channels: readonly string[], own: Terms['snapshotOf']): boolean {
    return channels.length === 1 && (own !== undefined || this.#deps.snapshotOf !== undefined);
  }

  /**
   * The events after it follow. For one that begins, those that it has before the position are read again; after a
   * gap one from before would bring back what is lost.
   */
  #takeSnapshot(subscription: Subscription, terms: Terms, snapshot: FramedSnapshot | undefined): void {
    terms.isSnapshotDue = false;
    const isFirst = terms.greet !== undefined && subscription.gap === undefined;
    if (snapshot === undefined || (!isFirst && compareIds(snapshot.id, subscription.cursor) < 0)) return;
    subscription.cursor = snapshot.id;
    subscription.record?.snapshot(snapshot.id);
    if (terms.greet === undefined) this.#outlet.push(snapshot.frame, 0);
    else terms.snapshot = snapshot.frame;
  }

  #send(subscription: Subscription, part: ReplayPart): void {
    const { metrics } = this.#deps;
    metrics.count('signalbox.replay_pages');
    if (subscription.terms !== undefined && subscription.terms.holds > 0) return;
    if (!this.#isGreeted(subscription, part.gap === undefined)) {
      // What was said to be missing is announced, also if the page that is read then knows nothing of it: the log may
      // have lost its data meanwhile.
      subscription.gap = part.gap;
      return;
    }
    if (part.gap !== undefined) this.announce(subscription, part.gap);
    const { cursor, replay: progress, record } = subscription;
    const sent = progress?.sent;
    const count = this.#sendEntries(subscription, part);
    const isWhole = count === part.entries.length;
    if (isWhole) part.done();
    if (progress === undefined) record?.read(cursor, subscription.cursor, rangeOf(part.entries, count));
    else {
      record?.replayedOfChannel(sent as StreamId, progress.sent);
      record?.replayed(cursor, subscription.cursor);
    }
    // The pump that follows does nothing for a socket that is not open.
    if (!isWhole) this.#socket.flushReplayed();
  }

  /** How many of them there was room for. */
  #sendEntries(subscription: Subscription, part: ReplayPart): number {
    const { frames } = this.#deps;
    let count = 0;
    for (const entry of part.entries) {
      if (!this.#outlet.hasRoom()) this.#socket.fill();
      if (!this.#outlet.isOpen) return count;
      const isUnwanted = subscription.terms?.unwanted?.delete(entry.id) === true;
      const channel =
        part.channelOf === undefined ? (subscription.channels[0] as string) : part.channelOf(entry);
      if (!isUnwanted) {
        this.#replay(frames.ofEntry(entry, channel, this.#socket.isCompressed), bytesOf(entry));
        if (this.#socket.isWatched) this.#socket.record?.replayed(channel, entry.id);
      }
      part.sent(entry);
      count += 1;
    }
    return count;
  }

  /** At or below the log's last id this process merely lags; above it, the client's position means nothing. */
  #settleClaim(subscription: Subscription, lastId: StreamId): void {
    const claim = subscription.claim as StreamId;
    subscription.claim = undefined;
    if (compareIds(claim, lastId) <= 0) {
      subscription.cursor = claim;
      return;
    }
    this.#deps.metrics.count('signalbox.last_id_ignored', 1, { reason: 'beyond' });
    if (this.#deps.protocol.onGap === 'tell') {
      const epoch = this.#deps.epoch();
      subscription.gap = { after: claim, to: subscription.cursor, reason: 'epoch', epoch };
    }
  }

  /** Says what is lost, and goes on after it. */
  announce(subscription: Subscription, gap: Gap): void {
    subscription.gap = undefined;
    subscription.cursor = gap.to;
    subscription.record?.gap(gap);
    this.#deps.metrics.count('signalbox.gaps', 1, { reason: gap.reason });
    if (this.#deps.protocol.onGap === 'close') {
      this.#outlet.suspend();
      this.#owner.end('lossy');
      return;
    }
    const frame = this.#deps.frames.ofGap(subscription.channels, gap);
    if (frame !== undefined) this.#outlet.push(frame, 0);
    const { terms } = subscription;
    if (terms !== undefined) {
      terms.isSnapshotDue = this.hasSnapshots(subscription.channels, terms.snapshotOf);
    }
  }

  /** `textBytes`: what it was made of, which is what a turn may take of it however small it was compressed. */
  #replay(frame: Buffer | Malformed, textBytes: number): void {
    if (isMalformed(frame)) return;
    this.#outlet.push(frame, 1, Math.max(frame.length, textBytes));
    this.#deps.metrics.count('signalbox.events_replayed');
  }
}

/** The first `count` entries by the ids at their ends. */
function rangeOf(
  entries: readonly Entry[],
  count: number,
): { readonly first: StreamId; readonly last: StreamId } | undefined {
  const first = entries[0]?.id;
  const last = entries[count - 1]?.id;
  return first === undefined || last === undefined ? undefined : { first, last };
}

const bytesOf = ({ fields }: Entry): number => fields.reduce((sum, field) => sum + field.length, 0);
