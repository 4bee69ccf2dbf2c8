import type { EventLog } from '../broker/ports.ts';
import { payloadOf } from '../event/entry.ts';
import { compareIds, laterId, type StreamId } from '../event/stream-id.ts';
import { isMalformed } from '../protocol/event-codec.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { Frames } from './frames.ts';
import type { Gap, SocketProtocol } from './protocol.ts';
import type { Replay, ReplayPart } from './replay.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';
import type { Transport } from './transport.ts';
import type { Window } from './window.ts';

/** What the routing shares with every socket's delivery. */
export interface DeliveryDeps {
  readonly window: Window;
  readonly subscriptions: Subscriptions;
  readonly budget: BufferBudget;
  readonly frames: Frames;
  readonly replay: Replay;
  readonly protocol: SocketProtocol;
  readonly log: Pick<EventLog, 'lastId'>;
  readonly metrics: Metrics;
  /** The id of the last event that was routed. */
  position(): StreamId;
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

/** What the socket's machine is told, and what ends it. */
export interface DeliveryOwner {
  tell(fact: DeliveryFact): void;
  /** The transport failed, or the protocol wants a client with a gap to come back. */
  end(reason: 'failed' | 'lossy'): void;
}

/**
 * The delivery of one socket: its subscriptions, its write side, and the pump that catches up what is behind.
 * It is changed in place and in one turn; its machine is told afterwards.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #transport: Transport;
  readonly #owner: DeliveryOwner;
  readonly #subscriptions: Subscription[] = [];
  #frames: Buffer[] = [];
  #bytes = 0;
  #events = 0;
  /** The transport holds as much as it may: outlets are closed until it has drained. */
  #full = false;
  /** The peer may be gone, or the socket is closing: nothing is written. */
  #suspended = false;
  /** A page could not be read: the machine says when to try again. */
  #waiting = false;
  #closed = false;

  constructor(deps: DeliveryDeps, transport: Transport, owner: DeliveryOwner) {
    this.#deps = deps;
    this.#transport = transport;
    this.#owner = owner;
  }

  /** Begins a subscription; `lastId` is the position its client claims. `pump` carries it on. */
  join(channels: readonly string[], lastId?: StreamId): Subscription {
    const position = this.#deps.position();
    const isAhead = lastId !== undefined && compareIds(lastId, position) > 0;
    const subscription: Subscription = {
      channels,
      delivery: this,
      cursor: lastId === undefined || isAhead ? position : lastId,
      live: false,
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
    if (!this.#hasRoom()) {
      this.#fill();
      return;
    }
    if (this.#frames.length === 0) this.#deps.flushLater(this);
    this.#push(frame, 1);
  }

  /** Writes what was queued in this turn, in one go. A broken transport ends its own socket and nothing else. */
  flush(): void {
    if (this.#frames.length === 0) return;
    const frames = this.#frames;
    const events = this.#events;
    this.#frames = [];
    this.#bytes = 0;
    this.#events = 0;
    if (this.#closed) {
      this.#countLost(events, 'closed');
      return;
    }
    try {
      this.#transport.write(frames, events);
      this.#deps.metrics.count('signalbox.events_delivered', events);
    } catch {
      this.#deps.metrics.count('ws_client_send_error', events);
      this.#countLost(events, 'failed');
      this.#suspended = true;
      this.#owner.end('failed');
    }
  }

  /** Sends what is due to subscriptions that are behind, as far as the transport takes it. */
  pump(): void {
    if (this.#closed || this.#suspended || this.#full) return;
    for (let progress = true; progress; ) {
      progress = false;
      for (const subscription of this.#subscriptions) {
        if (subscription.live || subscription.fetching) continue;
        if (!this.#hasRoom()) {
          this.#fill();
          this.flush();
          return;
        }
        if (this.#advance(subscription)) progress = true;
        if (this.#closed || this.#suspended) return;
      }
    }
    this.flush();
    if (this.#subscriptions.every((subscription) => subscription.live)) this.#owner.tell('delivery.caughtUp');
  }

  /** As `pump`, after the pause that followed a failed page. */
  retry(): void {
    this.#waiting = false;
    this.pump();
  }

  /** The transport flushed bytes. */
  flushed(): void {
    if (!this.#full || this.#closed) return;
    if (this.#transport.bufferedBytes * 4 > this.#deps.budget.limit) return;
    this.#full = false;
    this.#transport.pauseInput(false);
    this.#deps.later(() => this.#owner.tell('transport.drained'));
  }

  /** Nothing more is written; cursors stay. */
  suspend(): void {
    this.#closeOutlets();
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
  }

  /** Puts a subscription back to `cursor`, announcing `gap` first. The caller tells `fellBehind` afterwards. */
  rewind(subscription: Subscription, cursor: StreamId, gap?: Gap): void {
    subscription.live = false;
    subscription.fetching = false;
    subscription.claim = undefined;
    subscription.replay = undefined;
    subscription.generation += 1;
    subscription.cursor = cursor;
    if (gap === undefined) return;
    subscription.gap = { ...gap, after: subscription.gap?.after ?? gap.after };
    if (this.#deps.protocol.closesOnGap) this.#announce(subscription, gap);
  }

  fallBehind(): void {
    this.#owner.tell('delivery.fellBehind');
  }

  /** Leaves everything. What was never flushed, or never sent, is counted with its reason. */
  close(): void {
    if (this.#closed) return;
    this.#closeOutlets();
    this.#closed = true;
    this.#countLost(this.#transport.unflushedEvents, 'unflushed');
    const { subscriptions, window } = this.#deps;
    for (const subscription of this.#subscriptions) {
      this.#countLost(window.countAfter(subscription.channels, subscription.cursor), 'closed');
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
      if (!this.#waiting) this.#fetch(subscription);
      return false;
    }
    const event = window.next(subscription.channels, subscription.cursor);
    if (event === undefined) {
      subscription.live = true;
      return false;
    }
    const frame = frames.ofEvent(event);
    if (!isMalformed(frame)) this.#pushReplayed(frame);
    subscription.cursor = event.id;
    return true;
  }

  #fetch(subscription: Subscription): void {
    subscription.fetching = true;
    const { generation } = subscription;
    const isCurrent = (): boolean => !this.#closed && subscription.generation === generation;
    const reading =
      subscription.claim === undefined
        ? this.#deps.replay.read(subscription).then((resolve) => () => this.#send(subscription, resolve()))
        : this.#deps.log.lastId().then((lastId) => () => this.#settleClaim(subscription, lastId));
    reading.then(
      (apply) => {
        if (!isCurrent()) return;
        subscription.fetching = false;
        if (this.#suspended || this.#full) return;
        apply();
        this.pump();
      },
      () => {
        if (!isCurrent()) return;
        subscription.fetching = false;
        this.#waiting = true;
        this.#owner.tell('page.failed');
      },
    );
  }

  #send(subscription: Subscription, part: ReplayPart): void {
    const { frames, metrics } = this.#deps;
    metrics.count('signalbox.replay_pages');
    if (part.gap !== undefined) this.#announce(subscription, part.gap);
    for (const entry of part.entries) {
      if (this.#suspended || this.#closed) return;
      if (!this.#hasRoom()) {
        this.#fill();
        this.flush();
        return;
      }
      const frame = frames.ofEntry(entry, subscription.channels[0] as string, payloadOf(entry));
      if (!isMalformed(frame)) this.#pushReplayed(frame);
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
    if (this.#deps.protocol.trustsPositions) {
      subscription.gap = { after: claim, to: subscription.cursor, reason: 'epoch' };
    }
  }

  #announce(subscription: Subscription, gap: Gap): void {
    subscription.gap = undefined;
    subscription.cursor = gap.to;
    this.#deps.metrics.count('signalbox.gaps', 1, { reason: gap.reason });
    if (this.#deps.protocol.closesOnGap) {
      this.#suspended = true;
      this.#owner.end('lossy');
      return;
    }
    const frame = this.#deps.frames.ofGap(subscription.channels, gap);
    if (frame !== undefined) this.#push(frame, 0);
  }

  /** Checked before each frame is added, so that one of any size passes an empty buffer. */
  #hasRoom(): boolean {
    return !this.#full && this.#transport.bufferedBytes + this.#bytes < this.#deps.budget.limit;
  }

  #push(frame: Buffer, events: number): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
    this.#events += events;
  }

  #pushReplayed(frame: Buffer): void {
    this.#push(frame, 1);
    this.#deps.metrics.count('signalbox.events_replayed');
  }

  #fill(): void {
    if (this.#full) return;
    this.#full = true;
    this.#transport.pauseInput(true);
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

  #countLost(events: number, reason: string): void {
    if (events > 0) this.#deps.metrics.count('signalbox.events_not_delivered', events, { reason });
  }
}
