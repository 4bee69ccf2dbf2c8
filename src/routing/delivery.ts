import type { EventLog } from '../broker/ports.ts';
import { compareIds, laterId, type StreamId } from '../event/stream-id.ts';
import { isMalformed, type Malformed } from '../protocol/event-codec.ts';
import type { Frames } from './frames.ts';
import { Outlet, type OutletDeps } from './outlet.ts';
import type { Gap, SocketProtocol } from './protocol.ts';
import type { Replay, ReplayPart } from './replay.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';
import type { Transport } from './transport.ts';
import type { Window } from './window.ts';

/** What the routing shares with every socket's delivery. */
export interface DeliveryDeps extends OutletDeps {
  readonly window: Window;
  readonly subscriptions: Subscriptions;
  readonly frames: Frames;
  readonly replay: Replay;
  readonly protocol: SocketProtocol;
  readonly log: Pick<EventLog, 'lastId'>;
  /** The id of the last event that was routed. */
  position(): StreamId;
  /** Runs in a later turn, so that one socket's replay does not hold up the others. */
  later(run: () => void): void;
  /** The broker would not give what a replay asked for; it is asked again after a pause. */
  onReplayFailed(error: unknown): void;
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

/** What the socket's machine is told, and what ends it. */
export interface DeliveryOwner {
  tell(fact: DeliveryFact): void;
  /**
   * The transport failed, or the protocol wants a client with a gap to come back. `error`: what failed is a bug,
   * and this socket's alone.
   */
  end(reason: 'failed' | 'lossy', error?: unknown): void;
}

/**
 * The delivery of one socket: its subscriptions, and the pump that catches up what is behind. It is changed in
 * place and in one turn; its machine is told afterwards.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #outlet: Outlet;
  readonly #owner: DeliveryOwner;
  readonly #subscriptions: Subscription[] = [];
  /** A page could not be read: the machine says when to try again. */
  #isWaiting = false;

  constructor(deps: DeliveryDeps, transport: Transport, owner: DeliveryOwner) {
    this.#deps = deps;
    this.#outlet = new Outlet(deps, transport, () => owner.end('failed'));
    this.#owner = owner;
  }

  /**
   * Begins a subscription. Without `lastId`, the position its client claims, nothing is due and it is live, unless
   * nothing can be written now; with it, `pump` carries it on.
   */
  join(channels: readonly string[], lastId?: StreamId): Subscription {
    const position = this.#deps.position();
    const isAhead = lastId !== undefined && compareIds(lastId, position) > 0;
    const subscription: Subscription = {
      channels,
      delivery: this,
      cursor: lastId === undefined || isAhead ? position : lastId,
      live: lastId === undefined && this.#outlet.isOpen,
      fetching: false,
      claim: isAhead ? lastId : undefined,
      replay: undefined,
      gap: undefined,
      generation: 0,
      lastShared: undefined,
    };
    if (lastId !== undefined && !isAhead) this.#deps.replay.begin(subscription);
    this.#subscriptions.push(subscription);
    this.#deps.subscriptions.join(subscription);
    return subscription;
  }

  /** The fast lane's way in: queues a frame for the end of the batch, or closes the outlets. */
  offer(frame: Buffer): void {
    try {
      if (!this.#outlet.hasRoom()) {
        this.#fill();
        return;
      }
      if (this.#outlet.isEmpty) this.#deps.flushLater(this);
      this.#outlet.push(frame, 1);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Writes what was queued in this turn. */
  flush(): void {
    this.#outlet.flush();
  }

  /** Sends what is due to subscriptions that are behind, as far as the transport takes it. */
  pump(): void {
    if (!this.#outlet.isOpen) return;
    for (let progress = true; progress && this.#outlet.isOpen; ) {
      progress = false;
      for (const subscription of this.#subscriptions) {
        if (subscription.live || subscription.fetching || !this.#outlet.isOpen) continue;
        if (!this.#outlet.hasRoom()) this.#fill();
        else if (this.#advance(subscription)) progress = true;
      }
    }
    this.#outlet.flush();
    if (this.#subscriptions.every(({ live }) => live)) this.#owner.tell('delivery.caughtUp');
  }

  /** As `pump`, after the pause that followed a failed page. */
  retry(): void {
    this.#isWaiting = false;
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
  suspend(): void {
    this.#closeOutlets();
    this.#outlet.suspend();
  }

  resume(): void {
    this.#outlet.resume();
  }

  /** Puts a subscription back to `cursor`, announcing `gap` first. `fallBehind` is called afterwards. */
  rewind(subscription: Subscription, cursor: StreamId, gap?: Gap): void {
    subscription.live = false;
    subscription.fetching = false;
    subscription.claim = undefined;
    subscription.generation += 1;
    subscription.cursor = cursor;
    if (gap === undefined) return;
    subscription.replay = undefined;
    subscription.gap = { ...gap, after: subscription.gap?.after ?? gap.after };
    if (this.#deps.protocol.onGap === 'close') this.#announce(subscription, gap);
  }

  fallBehind(): void {
    this.#owner.tell('delivery.fellBehind');
  }

  /** Leaves everything. What was never flushed, or never sent, is counted with its reason. */
  close(): void {
    if (this.#outlet.isClosed) return;
    const { subscriptions, window, metrics } = this.#deps;
    this.#closeOutlets();
    this.#outlet.close();
    for (const subscription of this.#subscriptions) {
      const unsent = window.countAfter(subscription.channels, subscription.cursor);
      if (unsent > 0) metrics.count('signalbox.events_not_delivered', unsent, { reason: 'closed' });
      subscription.generation += 1;
      subscriptions.leave(subscription);
    }
  }

  /** What is late for a subscription: its next event, the read that brings it, or that nothing is. */
  #advance(subscription: Subscription): boolean {
    const { window, frames } = this.#deps;
    if (subscription.gap !== undefined) this.#announce(subscription, subscription.gap);
    const isInWindow = subscription.replay === undefined && window.holds(subscription.cursor);
    if (subscription.claim !== undefined || !isInWindow) {
      if (!this.#isWaiting) this.#fetch(subscription);
      return false;
    }
    const event = window.next(subscription.channels, subscription.cursor);
    if (event === undefined) {
      subscription.live = true;
      return false;
    }
    this.#replay(frames.ofEvent(event));
    subscription.cursor = event.id;
    return true;
  }

  /** Asks the broker for what comes next; what it answers applies only if nothing has changed meanwhile. */
  #fetch(subscription: Subscription): void {
    subscription.fetching = true;
    const { generation } = subscription;
    const isCurrent = (): boolean => !this.#outlet.isClosed && subscription.generation === generation;
    const reading =
      subscription.claim === undefined
        ? this.#deps.replay.read(subscription).then((resolve) => () => this.#send(subscription, resolve()))
        : this.#deps.log.lastId().then((lastId) => () => this.#settleClaim(subscription, lastId));
    reading.then(
      (apply) => {
        if (!isCurrent()) return;
        subscription.fetching = false;
        if (!this.#outlet.isOpen) return;
        try {
          apply();
          this.pump();
        } catch (error) {
          this.#fail(error);
        }
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

  #send(subscription: Subscription, part: ReplayPart): void {
    const { frames, metrics } = this.#deps;
    metrics.count('signalbox.replay_pages');
    if (part.gap !== undefined) this.#announce(subscription, part.gap);
    for (const entry of part.entries) {
      if (!this.#outlet.hasRoom()) this.#fill();
      if (!this.#outlet.isOpen) {
        this.#outlet.flush();
        return;
      }
      this.#replay(frames.ofEntry(entry, subscription.channels[0] as string));
      part.sent(entry);
    }
    part.done();
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
      subscription.gap = { after: claim, to: subscription.cursor, reason: 'epoch' };
    }
  }

  #announce(subscription: Subscription, gap: Gap): void {
    subscription.gap = undefined;
    subscription.cursor = gap.to;
    this.#deps.metrics.count('signalbox.gaps', 1, { reason: gap.reason });
    if (this.#deps.protocol.onGap === 'close') {
      this.#outlet.suspend();
      this.#owner.end('lossy');
      return;
    }
    const frame = this.#deps.frames.ofGap(subscription.channels, gap);
    if (frame !== undefined) this.#outlet.push(frame, 0);
  }

  #replay(frame: Buffer | Malformed): void {
    if (isMalformed(frame)) return;
    this.#outlet.push(frame, 1);
    this.#deps.metrics.count('signalbox.events_replayed');
  }

  /** Outside of an actor's turn nobody else would catch it. */
  #fail(error: unknown): void {
    this.#outlet.suspend();
    this.#owner.end('failed', error);
  }

  #fill(): void {
    if (!this.#outlet.fill()) return;
    this.#closeOutlets();
    this.#owner.tell('transport.filled');
  }

  /** From here on each subscription's own cursor counts: the last event that was routed to it. */
  #closeOutlets(): void {
    const position = this.#deps.position();
    for (const subscription of this.#subscriptions) {
      if (!subscription.live) continue;
      subscription.live = false;
      subscription.cursor = laterId(subscription.cursor, position);
    }
  }
}
