import { compareIds, laterId, type StreamId } from '../event/stream-id.ts';
import type { PauseReason } from '../inspect/api.ts';
import { type CatchingUp, CatchUp, type CatchUpDeps } from './catch-up.ts';
import type { Frames } from './frames.ts';
import { Outlet, type OutletDeps } from './outlet.ts';
import type { Gap } from './protocol.ts';
import type { SocketRecord } from './record.ts';
import type { Subscription, Subscriptions, Terms } from './subscriptions.ts';
import type { Transport } from './transport.ts';

/** What the routing shares with every socket's delivery. */
export interface DeliveryDeps extends OutletDeps, CatchUpDeps {
  readonly subscriptions: Subscriptions;
  now(): number;
  /** Runs in a later turn, so that one socket's replay does not hold up the others. */
  later(run: () => void): void;
  /** Asks to be flushed at the end of the batch that is being routed. */
  flushLater(delivery: Delivery): void;
}

/** Facts for the socket's machine. */
export type DeliveryFact =
  | 'transport.filled'
  | 'transport.drained'
  | 'delivery.caughtUp'
  | 'delivery.fellBehind'
  | 'page.failed';

/** What became of a frame: queued, left to the pump because there is no room, or for nobody any more. */
export type Offered = 'ok' | 'paused' | 'closed';

/** What the socket's machine is told, and what ends it. */
export interface DeliveryOwner {
  /** Where it is noted what becomes of its events; left out: nowhere. */
  readonly record?: SocketRecord | undefined;
  tell(fact: DeliveryFact): void;
  /**
   * The transport failed, the protocol wants a client with a gap to come back, or one that reads nothing is told too
   * much. `error`: what failed is a bug, and this socket's alone.
   */
  end(reason: 'failed' | 'lossy' | 'too_slow', error?: unknown): void;
}

/** What a replay is of: its client came with a position, or could not be sent everything that came. */
type ReplayCause = 'joined' | 'behind';

/** A subscription that is greeted: it sends nothing before `begin`. */
export interface GreetedJoin {
  /** The epoch of the position that its client gave; undefined: the client does not say. */
  readonly epoch: string | undefined;
  readonly greet: NonNullable<Terms['greet']>;
  /** Until this is true nothing is looked for: what was found early might not be there any more when it is told. */
  readonly isReady?: () => boolean;
  /**
   * The state of the channel for this subscription alone; undefined: the channel's own snapshot, if it has one.
   * Rejects when there is none now.
   */
  readonly snapshot?: () => Promise<Buffer | undefined>;
}

/**
 * The delivery of one socket: its subscriptions, and the pump that catches up what is behind. It is changed in
 * place and in one turn; its machine is told afterwards.
 */
export class Delivery implements CatchingUp {
  /** The form in which its peer gets events. */
  readonly frames: Frames;
  /** Whether its peer takes compressed frames. */
  readonly isCompressed: boolean;
  /** Whether its record is told of each event; it says so itself. */
  isWatched = false;
  readonly record: SocketRecord | undefined;
  readonly #deps: DeliveryDeps;
  readonly #outlet: Outlet;
  readonly #owner: DeliveryOwner;
  readonly #catchUp: CatchUp;
  readonly #subscriptions: Subscription[] = [];
  /** What is said now leaves with what the pump sends. */
  #isPumping = false;
  /** Its peer has not been told since that it has everything. */
  #wasBehind = false;
  /** When it was live last, or joined; undefined: it is live, or nothing is replayed. */
  #replayingSince: { readonly atMs: number; readonly cause: ReplayCause } | undefined;

  constructor(deps: DeliveryDeps, transport: Transport, owner: DeliveryOwner) {
    this.frames = deps.frames;
    this.isCompressed = transport.isCompressed;
    this.#deps = deps;
    this.#outlet = new Outlet(deps, transport, () => this.#break());
    this.#owner = owner;
    this.record = owner.record;
    this.#catchUp = new CatchUp(deps, this.#outlet, this, owner);
    this.record?.attach(this);
  }

  /**
   * Begins a subscription. Without `lastId`, the position its client claims, nothing is due and it is live, unless
   * nothing can be written now; with it, `pump` carries it on. One that is `greeted` is carried on by `begin`.
   */
  join(channels: readonly string[], lastId?: StreamId, greeted?: GreetedJoin): Subscription {
    const position = this.#deps.position();
    const epoch = this.#deps.epoch();
    const isOfOtherLife = !!epoch && !!greeted?.epoch && greeted.epoch !== epoch;
    const gap: Gap | undefined =
      lastId !== undefined && isOfOtherLife
        ? { after: lastId, to: position, reason: 'epoch', epoch }
        : undefined;
    const from = gap === undefined ? lastId : undefined;
    const isAhead = from !== undefined && compareIds(from, position) > 0;
    const isLive = lastId === undefined && greeted === undefined && this.#outlet.isOpen;
    const subscription: Subscription = {
      channels,
      delivery: this,
      cursor: from === undefined || isAhead ? position : from,
      live: isLive,
      fetching: false,
      claim: isAhead ? from : undefined,
      replay: undefined,
      gap,
      generation: 0,
      lastShared: undefined,
      terms: greeted && {
        greet: greeted.greet,
        isReady: greeted.isReady,
        asked: undefined,
        isSnapshotDue: lastId === undefined && this.#catchUp.hasSnapshots(channels, greeted.snapshot),
        snapshotOf: greeted.snapshot,
        snapshot: undefined,
        holds: 0,
        unwanted: undefined,
      },
      record: this.record?.join(channels, {
        cursor: from ?? position,
        isClaimed: from !== undefined,
        isLive,
      }),
    };
    if (from !== undefined && !isAhead) this.#deps.replay.begin(subscription);
    if (lastId !== undefined) {
      this.#wasBehind = true;
      this.#beginReplay('joined');
    }
    this.#subscriptions.push(subscription);
    this.#deps.subscriptions.join(subscription);
    return subscription;
  }

  /** Carries on what was joined, or held back, in this turn. */
  begin(): void {
    try {
      this.pump();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!this.#outlet.isClosed && !this.#isLive) this.fallBehind();
  }

  /** Ends one subscription; `reason`: as it is noted. */
  leave(subscription: Subscription, reason = 'unsubscribed'): void {
    const at = this.#subscriptions.indexOf(subscription);
    if (at < 0) return;
    this.#subscriptions.splice(at, 1);
    subscription.record?.left(this.#handled(subscription), reason);
    subscription.live = false;
    subscription.generation += 1;
    this.#deps.subscriptions.leave(subscription);
    // Its peer has not been told yet that this one ended: it would take what proves the others live for this one, too.
    const wasBehind = this.#wasBehind;
    this.#wasBehind = false;
    this.begin();
    this.#wasBehind ||= wasBehind;
  }

  /** Sends nothing to a subscription until as many `release`: what is routed meanwhile comes later. */
  hold(subscription: Subscription): void {
    if (subscription.terms === undefined) return;
    subscription.terms.holds += 1;
    if (!subscription.live) return;
    subscription.live = false;
    subscription.cursor = this.#routedTo(subscription);
    subscription.record?.paused(subscription.cursor, 'held');
  }

  /** `unwanted`: an event that is not for it. */
  release(subscription: Subscription, unwanted?: StreamId): void {
    const { terms, cursor } = subscription;
    if (terms === undefined) return;
    terms.holds -= 1;
    // What has not begun may begin with a snapshot of before.
    const mayCome = (id: StreamId): boolean => terms.greet !== undefined || compareIds(id, cursor) > 0;
    if (unwanted !== undefined && mayCome(unwanted)) {
      terms.unwanted ??= new Set();
      for (const id of terms.unwanted) if (!mayCome(id)) terms.unwanted.delete(id);
      terms.unwanted.add(unwanted);
      subscription.record?.unechoed(unwanted);
    }
    this.begin();
  }

  get subscriptions(): readonly Subscription[] {
    return this.#subscriptions;
  }

  /** An operator holds it: cursors stay, and what comes is sent once it is let go. */
  get isPaused(): boolean {
    return this.#outlet.isPaused;
  }

  pause(isPaused: boolean): void {
    if (this.#outlet.isPaused === isPaused) return;
    if (isPaused) this.#closeOutlets('operator');
    this.#outlet.isPaused = isPaused;
    this.fallBehind();
  }

  /** The peer may be gone: nothing is sent that can wait. */
  get isSuspended(): boolean {
    return this.#outlet.isSuspended;
  }

  /** Says what is no event: it may pass events that wait for room, up to a bound of its own. False: it was not said. */
  say(text: string | Buffer): boolean {
    if (this.#outlet.isClosed) return false;
    if (!this.#outlet.hasRoom()) this.fill();
    if (!this.#outlet.say(this.#deps.frames.ofText(text))) {
      this.#owner.end('too_slow');
      return false;
    }
    if (!this.#isPumping) this.#outlet.flush();
    return true;
  }

  /** What asks the peer for an answer; undefined: the transport's own way. It tells a position that all have. */
  ping(): Buffer | undefined {
    const position = this.#deps.position();
    const hasAll =
      this.#subscriptions.length > 0 &&
      this.#outlet.isOpen &&
      this.#outlet.isEmpty &&
      // Who came from an instance that was ahead has more than this one.
      this.#subscriptions.every(({ live, cursor }) => live && compareIds(cursor, position) <= 0);
    return this.#deps.frames.ofPing(hasAll ? position : undefined);
  }

  /** The fast lane's way in: queues a frame for the end of the batch, or closes the outlets. */
  offer(frame: Buffer): Offered {
    if (this.#outlet.isClosed) return 'closed';
    try {
      if (!this.#outlet.hasRoom()) {
        this.fill();
        return 'paused';
      }
      if (this.#outlet.isEmpty) this.#deps.flushLater(this);
      this.#outlet.push(frame, 1);
      return 'ok';
    } catch (error) {
      this.#fail(error);
      return 'closed';
    }
  }

  /** Writes what was queued in this turn. */
  flush(): void {
    this.#outlet.flush();
  }

  /** Sends what is due to subscriptions that are behind, as far as the transport takes it. */
  pump(): void {
    if (!this.#outlet.isOpen || this.#isPumping) return;
    this.#isPumping = true;
    try {
      for (let progress = true; progress && this.#outlet.isOpen; ) {
        progress = false;
        for (const subscription of this.#subscriptions) {
          if (subscription.live || subscription.fetching || !this.#outlet.isOpen) continue;
          if (!this.#outlet.hasRoom()) this.fill();
          else if (this.#catchUp.advance(subscription)) progress = true;
        }
      }
    } finally {
      this.#isPumping = false;
    }
    this.#proveLive();
    this.flushReplayed();
    if (!this.#isLive) return;
    this.#endReplay();
    this.#owner.tell('delivery.caughtUp');
  }

  /** Tells a peer that was behind that it has everything now: nothing else would, before the next event or ping. */
  #proveLive(): void {
    if (!this.#wasBehind || !this.#isLive || this.#subscriptions.length === 0) return;
    this.#wasBehind = false;
    const position = this.#deps.position();
    if (this.#subscriptions.some(({ cursor }) => compareIds(cursor, position) > 0)) return;
    const proof = this.#deps.frames.ofPing(position);
    if (proof !== undefined) this.#outlet.push(proof, 0);
  }

  /** Only what has been written was sent. */
  flushReplayed(): void {
    this.#outlet.flush();
    if (this.record === undefined) return;
    this.record.flushed();
    for (const { record } of this.#subscriptions) record?.settled();
  }

  /** Sends what a read has brought, and then what else is due. */
  carryOn(send: () => void): void {
    try {
      this.#isPumping = true;
      send();
      this.#isPumping = false;
      this.pump();
    } catch (error) {
      this.#fail(error);
    }
  }

  #beginReplay(cause: ReplayCause): void {
    this.#replayingSince ??= { atMs: this.#deps.now(), cause };
  }

  #endReplay(): void {
    if (this.#replayingSince === undefined) return;
    const { atMs, cause } = this.#replayingSince;
    this.#replayingSince = undefined;
    // A clock that was set back must not make it negative.
    this.#deps.metrics.record('signalbox.replay_ms', Math.max(0, this.#deps.now() - atMs), { cause });
  }

  get #isLive(): boolean {
    return this.#subscriptions.every(({ live }) => live);
  }

  /** As `pump`, after the pause that followed a failed page. */
  retry(): void {
    this.#catchUp.retry();
    this.pump();
  }

  /** The transport flushed bytes. */
  flushed(): void {
    if (!this.#outlet.drain()) return;
    // It may be full again by then: what was being fetched has arrived in between.
    this.#deps.later(() => {
      if (!this.#outlet.isFull) this.#owner.tell('transport.drained');
    });
  }

  /** Nothing more is written; cursors stay. */
  suspend(reason: PauseReason): void {
    this.#closeOutlets(reason);
    this.#outlet.suspend();
  }

  resume(): void {
    this.#outlet.resume();
  }

  /** Puts a subscription back to `cursor`, announcing `gap` first. `fallBehind` is called afterwards. */
  rewind(subscription: Subscription, cursor: StreamId, gap?: Gap): void {
    this.#wasBehind = true;
    if (subscription.live) subscription.record?.paused(gap?.after ?? cursor, 'reset');
    this.#beginReplay('behind');
    subscription.live = false;
    subscription.fetching = false;
    subscription.claim = undefined;
    subscription.generation += 1;
    subscription.cursor = cursor;
    subscription.lastShared = undefined;
    if (gap === undefined) return;
    subscription.replay = undefined;
    // What has not been sent yet is the state of what was lost; another one is due after the gap.
    if (subscription.terms !== undefined) subscription.terms.snapshot = undefined;
    subscription.gap = { ...gap, after: subscription.gap?.after ?? gap.after };
    if (this.#deps.protocol.onGap === 'close') this.#catchUp.announce(subscription, gap);
  }

  fallBehind(): void {
    this.#owner.tell('delivery.fellBehind');
  }

  /** Leaves everything. What was never flushed, or never sent, is counted with its reason. */
  close(): void {
    if (this.#outlet.isClosed) return;
    const { subscriptions, window, metrics } = this.#deps;
    // What is still queued goes nowhere.
    if (!this.#outlet.isEmpty) this.#noteFailure();
    for (const subscription of this.#subscriptions) {
      subscription.record?.left(this.#handled(subscription), 'closed');
    }
    this.#closeOutlets('closing');
    this.#outlet.close();
    for (const subscription of this.#subscriptions) {
      const unsent = window.countAfter(subscription.channels, subscription.cursor);
      if (unsent > 0) metrics.count('signalbox.events_not_delivered', unsent, { reason: 'closed' });
      subscription.generation += 1;
      subscriptions.leave(subscription);
    }
  }

  /** Outside of an actor's turn nobody else would catch it. */
  #fail(error: unknown): void {
    this.#outlet.suspend();
    this.#owner.end('failed', error);
  }

  /** There is no room for more. */
  fill(): void {
    if (!this.#outlet.fill()) return;
    this.#closeOutlets('full');
    this.#owner.tell('transport.filled');
  }

  /** From here on each subscription's own cursor counts: the last event that was routed to it. */
  #closeOutlets(reason: PauseReason): void {
    for (const subscription of this.#subscriptions) {
      if (!subscription.live) continue;
      this.#wasBehind = true;
      this.#beginReplay('behind');
      subscription.live = false;
      subscription.cursor = this.#routedTo(subscription);
      subscription.record?.paused(subscription.cursor, reason);
    }
  }

  /** The transport is broken. */
  #break(): void {
    this.#noteFailure();
    this.#owner.end('failed');
  }

  #noteFailure(): void {
    for (const { record } of this.#subscriptions) record?.failed();
  }

  /** Everything up to here was sent, or is not to be. */
  #handled(subscription: Subscription): StreamId {
    return subscription.live ? this.#routedTo(subscription) : subscription.cursor;
  }

  /** While an event is being routed the position is the one before; it may be through with that event already. */
  #routedTo({ cursor, lastShared }: Subscription): StreamId {
    const routed = laterId(cursor, this.#deps.position());
    return lastShared === undefined ? routed : laterId(routed, lastShared);
  }
}
