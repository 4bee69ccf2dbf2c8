import type { SignalboxError } from './error.ts';
import type { EventFrame, GapFrame, Joined, SnapshotFrame } from './frames.ts';
import { Listeners, type Stop, Watched } from './listeners.ts';
import { compareIds, type Position } from './position.ts';
import { createStore, type Reducer, type Store, type StoreOptions } from './store.ts';

/**
 * Where a connection or a subscription is. `connecting`: not there yet. `replaying`: it gets what it missed. `live`:
 * it has everything. `stale`: the connection was lost, and what was shown may be old. `closed`: for good.
 */
export type State = 'connecting' | 'replaying' | 'live' | 'stale' | 'closed';

/** An event, as its handlers get it beside its data. */
export type ChannelEvent = EventFrame;
export type Snapshot = SnapshotFrame;
/** The events in `(after, id]` are lost: fetch the state again. */
export type Gap = GapFrame;

export interface Subscription {
  readonly channel: string;
  readonly state: State;
  /** Up to where everything was received: what `subscribe` takes to go on from there; undefined before it joined. */
  readonly position: Position | undefined;
  /** Why it is closed; undefined: it is not, or was closed here. */
  readonly error: SignalboxError | undefined;
  /** Tells every change of `state`. */
  onState(run: (state: State) => void): Stop;
  on(topic: 'gap', handler: (gap: Gap) => void): Stop;
  on(topic: 'snapshot', handler: (snapshot: Snapshot) => void): Stop;
  /** Every event of every topic. */
  on<T = unknown>(topic: '*', handler: (data: T, event: ChannelEvent) => void): Stop;
  on<T = unknown>(topic: string, handler: (data: T, event: ChannelEvent) => void): Stop;
  /** A value made of the events. To be called where one subscribes: a snapshot comes once. */
  store<S>(reducer: Reducer<S>, initial: S, options?: StoreOptions<S>): Store<S>;
  /** No event comes after this. */
  unsubscribe(): void;
}

/** A subscription, and what moves it. */
export class Channel implements Subscription {
  channel: string;
  error: SignalboxError | undefined;
  readonly query: unknown;
  /** How often the server refused it for now. */
  refusals = 0;
  readonly #leave: (channel: Channel) => void;
  readonly #changed: () => void;
  readonly #listeners = new Listeners<unknown[]>();
  readonly #state = new Watched<State>('connecting');
  #lastId: string | undefined;
  #epoch: string | undefined;
  /** What `subscribed` said where a gap is still to say the position that it belongs to. */
  #nextEpoch: string | undefined;
  /** The server has answered on this connection. What comes before belongs to an earlier subscription. */
  #isJoined = false;
  /** Joined without a position, or told of a gap, and nothing came since: a snapshot still may. */
  #isFresh = false;
  /** It was cut off while fresh: only joining afresh once more brings the snapshot. */
  #isAfresh = false;
  /** What joining afresh has skipped, unless a snapshot covers it. */
  #hole: Gap | undefined;

  constructor(
    channel: string,
    { query, lastId, epoch }: { query?: unknown; lastId?: string; epoch?: string },
    leave: (channel: Channel) => void,
    changed: () => void,
  ) {
    this.channel = channel;
    this.query = query;
    this.#lastId = lastId;
    this.#epoch = epoch;
    this.#leave = leave;
    this.#changed = changed;
  }

  get state(): State {
    return this.#state.getSnapshot();
  }

  get position(): Position | undefined {
    return this.#lastId === undefined ? undefined : { lastId: this.#lastId, epoch: this.#epoch ?? '' };
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  readonly onState = (run: (state: State) => void): Stop => this.#state.onChange(run);

  on(topic: string, handler: (...args: never[]) => void): Stop {
    return this.#listeners.on(topic, handler as (...args: unknown[]) => void);
  }

  store<S>(reducer: Reducer<S>, initial: S, options?: StoreOptions<S>): Store<S> {
    return createStore(this, reducer, initial, options);
  }

  unsubscribe(): void {
    if (this.state === 'closed') return;
    this.end();
    this.#leave(this);
  }

  /** From where it wants to go on: what a frame `subscribe` says. */
  wanted(): { readonly lastId?: string | undefined; readonly epoch?: string | undefined } {
    return this.#isAfresh ? {} : { lastId: this.#lastId, epoch: this.#epoch };
  }

  /** The server took it. `isLive`: it cannot be told when everything missed has come. */
  joined({ id, epoch, recovered }: Joined, isLive: boolean): void {
    if (this.state === 'closed') return;
    const { lastId } = this.wanted();
    const isResumed = lastId !== undefined;
    this.#isJoined = true;
    this.#isFresh = !isResumed;
    this.refusals = 0;
    if (isResumed && !recovered) {
      // A gap says where it goes on. Cut off before that, it must be told again: the old position and epoch stay.
      this.#nextEpoch = epoch;
    } else {
      if (this.#isAfresh && this.#lastId !== undefined && this.#lastId !== id)
        this.#hole = { type: 'gap', channel: this.channel, after: this.#lastId, id, epoch, reason: 'lossy' };
      if (this.#hole === undefined) this.#move(id, epoch);
    }
    this.#become(isResumed && !isLive ? 'replaying' : 'live');
  }

  event(frame: EventFrame): void {
    if (!this.#isJoined) return;
    this.#settle();
    // Who was told of a gap by that may have gone back before it.
    if (!this.#isJoined) return;
    if (this.#lastId !== undefined && compareIds(frame.id, this.#lastId) <= 0) return;
    this.#lastId = frame.id;
    this.#emit(frame.topic, frame.data, frame);
    this.#emit('*', frame.data, frame);
  }

  snapshot(snapshot: SnapshotFrame): void {
    if (!this.#isJoined) return;
    // One that others of this connection needed: here everything is there.
    if (!this.#isFresh && this.#lastId !== undefined && compareIds(snapshot.id, this.#lastId) < 0) return;
    const epoch = this.#hole?.epoch ?? this.#nextEpoch;
    this.#hole = undefined;
    this.#settle();
    this.#move(snapshot.id, epoch);
    this.#emit('snapshot', snapshot);
  }

  gap(gap: GapFrame): void {
    if (!this.#isJoined) return;
    this.#settle();
    if (!this.#isJoined) return;
    const epoch = gap.epoch ?? this.#nextEpoch;
    const isKnown = epoch === undefined || epoch === this.#epoch;
    // Of what was lost it had everything.
    if (isKnown && this.#lastId !== undefined && compareIds(gap.id, this.#lastId) < 0) {
      this.#nextEpoch = undefined;
      return;
    }
    this.#move(gap.id, epoch);
    this.#isFresh = true;
    this.#emit('gap', gap);
  }

  /** It has everything up to here, and is live. */
  reached(id: string): void {
    // A gap that is still to come speaks of what was before.
    if (!this.#isJoined || this.#nextEpoch !== undefined) return;
    this.#settle();
    if (!this.#isJoined) return;
    if (this.#lastId === undefined || compareIds(id, this.#lastId) > 0) this.#lastId = id;
    this.#become('live');
  }

  /** It is about to be subscribed once more: from an earlier position, or without one for a snapshot. */
  again(lastId?: string, epoch = this.#epoch): void {
    this.#isJoined = false;
    this.#isFresh = false;
    this.#hole = undefined;
    this.#isAfresh = lastId === undefined;
    if (lastId !== undefined) this.#move(lastId, epoch);
  }

  /** It is another channel from now on, of which nothing is known. */
  forget(channel: string): void {
    this.channel = channel;
    this.#lastId = undefined;
    this.#epoch = undefined;
    this.#isAfresh = false;
    this.#become('connecting');
  }

  /** The connection is gone; the next one resumes it. */
  lost(): void {
    this.#isJoined = false;
    this.#nextEpoch = undefined;
    this.#hole = undefined;
    if (this.#isFresh && this.#listeners.has('snapshot')) this.#isAfresh = true;
    this.#isFresh = false;
    if (this.state === 'replaying' || this.state === 'live') this.#become('stale');
  }

  end(error?: SignalboxError): void {
    this.#isJoined = false;
    this.error = error;
    this.#become('closed');
  }

  /** Something came of it, so no snapshot is to come any more; what was skipped for one is told first. */
  #settle(): void {
    const hole = this.#hole;
    this.#isFresh = false;
    this.#isAfresh = false;
    this.#hole = undefined;
    if (hole === undefined) return;
    this.#move(hole.id, hole.epoch);
    this.#emit('gap', hole);
  }

  #move(id: string, epoch = this.#epoch): void {
    this.#lastId = id;
    this.#epoch = epoch;
    this.#nextEpoch = undefined;
  }

  #emit(topic: string, ...args: unknown[]): void {
    this.#listeners.emit(topic, () => this.state !== 'closed', ...args);
  }

  #become(state: State): void {
    if (state === this.state || this.state === 'closed') return;
    this.#state.set(state);
    this.#changed();
  }
}
