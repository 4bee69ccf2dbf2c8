import type { StreamId } from '../event/stream-id.ts';
import type { Delivery } from './delivery.ts';
import type { Gap } from './protocol.ts';
import type { SubscriptionRecord } from './record.ts';
import type { SeparateProgress } from './separate-replay.ts';

/**
 * What one socket hears as one ordered sequence: of one channel or, where a protocol merges several, of all of
 * them. Plain data; its owner is `Subscriptions`, and only the fast lane and the pump change it.
 */
export interface Subscription {
  readonly channels: readonly string[];
  readonly delivery: Delivery;
  /**
   * Everything up to here has been handled. While live it stands still and the later of it and the router's
   * position counts, so that a broadcast changes nothing per subscriber.
   */
  cursor: StreamId;
  live: boolean;
  /** A read of the broker is under way for it. */
  fetching: boolean;
  /** A position its client claims that is beyond this process's own, until the broker has been asked. */
  claim: StreamId | undefined;
  /** Where a replay from a log with separate ids stands; undefined while the cursor says it all. */
  replay: SeparateProgress | undefined;
  /** What is to be announced before anything else. */
  gap: Gap | undefined;
  /** Changes whenever what is being fetched for it no longer applies. */
  generation: number;
  /** The last event of several channels that its delivery took. */
  lastShared: StreamId | undefined;
  /** Undefined: its protocol asks for nothing but events. */
  readonly terms: Terms | undefined;
  /** Where it is noted what becomes of it; undefined: nowhere. */
  readonly record: SubscriptionRecord | undefined;
}

/** Where it begins, for its client to keep: in another life of the broker the old position means nothing. */
export function beginningOf({ gap, cursor }: Pick<Subscription, 'gap' | 'cursor'>): StreamId {
  return gap?.reason === 'epoch' ? gap.to : cursor;
}

/** What a protocol that answers its clients asks of a subscription, beside events. */
export interface Terms {
  /**
   * Asked before anything is sent, once it is known whether everything after the position that its client gave can
   * be. It says so to the client and answers true; or false: not yet, and it is asked again.
   */
  greet: ((recovered: boolean) => boolean) | undefined;
  /** Whether it may be asked at all; undefined: at any time. */
  readonly isReady: (() => boolean) | undefined;
  /** What it was asked last; undefined: nothing yet. */
  asked: boolean | undefined;
  /** The channel's snapshot is to be looked for, and sent if it is of use. */
  isSnapshotDue: boolean;
  /** One that is for this subscription alone. */
  readonly snapshotOf: (() => Promise<Buffer | undefined>) | undefined;
  /** The frame of one that is sent as soon as it was greeted. */
  snapshot: Buffer | undefined;
  /** As long as this is above 0 nothing is sent. */
  holds: number;
  /** Events that are not for it. */
  unwanted: Set<StreamId> | undefined;
}

/** Who hears what: the only owner. */
export class Subscriptions {
  readonly #byChannel = new Map<string, Set<Subscription>>();
  readonly #onJoined: (channel: string) => void;
  readonly #onLeft: (channel: string) => void;
  #all = new Set<Subscription>();

  /** `onJoined` and `onLeft` are told of each (subscription, channel) pair. */
  constructor(facts: { onJoined: (channel: string) => void; onLeft: (channel: string) => void }) {
    this.#onJoined = facts.onJoined;
    this.#onLeft = facts.onLeft;
  }

  get size(): number {
    return this.#all.size;
  }

  all(): Iterable<Subscription> {
    return this.#all;
  }

  /** Those of a channel; undefined when nobody is there. */
  of(channel: string): ReadonlySet<Subscription> | undefined {
    return this.#byChannel.get(channel);
  }

  join(subscription: Subscription): void {
    this.#all.add(subscription);
    for (const channel of subscription.channels) {
      const others = this.#byChannel.get(channel);
      if (others === undefined) this.#byChannel.set(channel, new Set([subscription]));
      else others.add(subscription);
      this.#onJoined(channel);
    }
  }

  leave(subscription: Subscription): void {
    if (!this.#all.delete(subscription)) return;
    for (const channel of subscription.channels) {
      const others = this.#byChannel.get(channel);
      others?.delete(subscription);
      if (others?.size === 0) this.#byChannel.delete(channel);
      this.#onLeft(channel);
    }
  }
}
