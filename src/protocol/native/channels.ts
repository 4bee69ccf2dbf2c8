import { maySubscribe, ownChannels } from '../../auth/native-principal.ts';
import { type Decider, isRefusal, type Peer, type Refusal, type Wish } from '../../decider/decider.ts';
import type { StreamId } from '../../event/stream-id.ts';
import type { Delivery, GreetedJoin } from '../../routing/delivery.ts';
import { beginningOf, type Subscription } from '../../routing/subscriptions.ts';
import type { Subscribe, Unsubscribe } from './client-frame.ts';
import { ERRORS, type Ref } from './error-codes.ts';
import { isReservedChannel } from './names.ts';
import { holdBack, type LetGo } from './publishing.ts';
import type { Joined, ServerFrame } from './server-frame.ts';
import { Unechoed } from './unechoed.ts';

export interface ChannelsDeps {
  readonly delivery: Pick<Delivery, 'join' | 'begin' | 'leave' | 'hold' | 'release' | 'record'>;
  readonly decider: Pick<Decider, 'subscribe' | 'snapshot' | 'subscribed' | 'unsubscribed'>;
  /** Whose they are, as it is now. */
  readonly peer: () => Peer;
  readonly say: (frame: ServerFrame) => void;
  /** Of the log; empty: it would not say. */
  readonly epoch: () => string;
  readonly max: number;
}

/** A channel that the client has asked for, from before it is decided until it is left. */
interface Slot {
  readonly ref: Ref;
  readonly wish: Wish;
  readonly controller: AbortController | undefined;
  /** Undefined: it is not decided yet. */
  subscription?: Subscription;
  /** The application was told of it. */
  isKnown?: true;
}

/** Why a snapshot cannot be had now. It is asked for again after a pause. */
export class SnapshotError extends Error {}

/** The channels of one client: those of its user and its session, and what it has asked for. */
export class Channels {
  readonly #deps: ChannelsDeps;
  readonly #own = new Map<string, Subscription>();
  readonly #slots = new Map<string, Slot>();
  /** Undefined: there never was any. */
  #unechoed: Unechoed | undefined;
  /** Undefined: nobody would be told. Of each socket there would be one. */
  readonly #gone: AbortController | undefined;
  #isWelcomed = false;

  constructor(deps: ChannelsDeps) {
    this.#deps = deps;
    this.#gone = this.#controller();
  }

  /** Those that it has, own ones included; not those that are not decided. */
  get(channel: string): Subscription | undefined {
    return this.#own.get(channel) ?? this.#slots.get(channel)?.subscription;
  }

  /** The names of those that it has. */
  get names(): readonly string[] {
    const slots = [...this.#slots].filter(([, { subscription }]) => subscription !== undefined);
    return [...this.#own.keys(), ...slots.map(([name]) => name)];
  }

  /** Joins those of the user and the session; `welcome` is called once, when it is known of all where they stand. */
  joinOwn(
    positions: ReadonlyMap<string, StreamId> | undefined,
    epoch: string | undefined,
    welcome: (subscriptions: readonly Joined[]) => void,
  ): void {
    const { delivery, peer, decider } = this.#deps;
    const joined = new Map<string, Joined>();
    const channels = ownChannels(peer().principal);
    for (const channel of channels) {
      const subscription = delivery.join([channel], positions?.get(channel), {
        epoch,
        // All of them are in one frame: the last one whose answer is known lets the others go on.
        greet: (recovered) => {
          joined.set(channel, this.#joined(channel, subscription, recovered));
          if (joined.size === channels.length && !this.#isWelcomed) {
            this.#isWelcomed = true;
            welcome(channels.map((own) => joined.get(own) as Joined));
          }
          return this.#isWelcomed;
        },
        ...snapshotFor({ channel }, decider, peer, this.#gone),
      });
      this.#own.set(channel, subscription);
    }
    delivery.begin();
  }

  subscribe(frame: Subscribe): void {
    const { decider, peer, max } = this.#deps;
    const { ref, channel, query } = frame;
    const { subscribe } = decider;
    const isForbidden =
      subscribe === undefined ? !maySubscribe(peer().principal, channel) : isReservedChannel(channel);
    if (isForbidden)
      return this.#deny(ref, channel, isReservedChannel(channel) ? 'reserved' : 'claims', FORBIDDEN);
    if (this.#slots.has(channel)) return this.#refuse(ref, { code: 'already_subscribed' });
    if (this.#slots.size + this.#own.size >= max)
      return this.#deny(ref, channel, 'limit', { code: 'too_many' });
    const slot: Slot = { ref, wish: { channel, query }, controller: this.#controller() };
    this.#slots.set(channel, slot);
    if (subscribe === undefined) return this.#join(slot, frame);
    void subscribe.call(decider, peer(), slot.wish, signalOf(slot.controller)).then((refusal) => {
      if (this.#slots.get(channel) !== slot) return;
      if (refusal === undefined) return this.#join(slot, frame);
      this.#slots.delete(channel);
      this.#deny(ref, channel, 'application', refusal);
    });
  }

  unsubscribe({ ref, channel }: Unsubscribe): void {
    const slot = this.#slots.get(channel);
    if (slot === undefined) return this.#refuse(ref, { code: 'not_subscribed' });
    this.#leave(slot);
    this.#deps.say({ type: 'unsubscribed', ref, channel });
  }

  /** Has an event that is being published kept from this client, be the channel one that it does not have yet. */
  holdBack(channel: string): LetGo {
    const subscription = this.get(channel);
    const held = subscription && holdBack(this.#deps.delivery, subscription);
    this.#unechoed ??= new Unechoed();
    return this.#unechoed.begin(channel, held);
  }

  /**
   * Ends those that its principal, a new one, may not have. Where the application decides it is asked again, and the
   * answer is a promise, which never rejects.
   */
  review(): Promise<unknown> | undefined {
    const { decider, peer } = this.#deps;
    const { subscribe } = decider;
    const slots = [...this.#slots.values()];
    if (subscribe === undefined) {
      for (const slot of slots)
        if (!maySubscribe(peer().principal, slot.wish.channel)) this.#end(slot, 'claims', FORBIDDEN);
      return undefined;
    }
    return Promise.all(
      slots.map(async (slot) => {
        const refusal = await subscribe.call(decider, peer(), slot.wish, signalOf(slot.controller));
        // What nobody can say now was allowed before.
        if (refusal !== undefined && ERRORS[refusal.code].retry !== 'backoff')
          this.#end(slot, 'application', refusal);
      }),
    );
  }

  /** Nothing is sent any more; the application is told of what it was told of. */
  close(): void {
    const { decider, peer } = this.#deps;
    for (const { wish, controller, isKnown } of this.#slots.values()) {
      controller?.abort();
      if (isKnown === true) decider.unsubscribed?.(peer(), wish.channel);
    }
    this.#slots.clear();
    this.#gone?.abort();
  }

  #join(slot: Slot, { ref, channel, lastId, epoch }: Subscribe): void {
    const { delivery, decider, say, peer } = this.#deps;
    const subscription = delivery.join([channel], lastId, {
      epoch,
      // What is said after hello comes after welcome.
      isReady: () => this.#isWelcomed,
      greet: (recovered) => {
        say({ type: 'subscribed', ref, ...this.#joined(channel, subscription, recovered) });
        slot.isKnown = true;
        decider.subscribed?.(peer(), slot.wish);
        return true;
      },
      ...snapshotFor(slot.wish, decider, peer, slot.controller),
    });
    slot.subscription = subscription;
    this.#unechoed?.joined(channel, () => holdBack(delivery, subscription));
    delivery.begin();
  }

  /** Undefined: the application is asked nothing that could be given up. */
  #controller(): AbortController | undefined {
    const { subscribe, snapshot } = this.#deps.decider;
    return subscribe === undefined && snapshot === undefined ? undefined : new AbortController();
  }

  #end(slot: Slot, by: string, refusal: Refusal): void {
    const { channel } = slot.wish;
    if (this.#slots.get(channel) !== slot) return;
    this.#leave(slot, 'no longer allowed');
    this.#deps.delivery.record?.denied(channel, by, refusal.code);
    if (slot.subscription === undefined) this.#refuse(slot.ref, { code: 'forbidden' });
    else this.#deps.say({ type: 'unsubscribed', channel });
  }

  #leave({ wish, controller, subscription, isKnown }: Slot, reason?: string): void {
    const { delivery, decider, peer } = this.#deps;
    controller?.abort();
    this.#slots.delete(wish.channel);
    if (subscription !== undefined) delivery.leave(subscription, reason);
    if (isKnown === true) decider.unsubscribed?.(peer(), wish.channel);
  }

  #joined(channel: string, subscription: Subscription, recovered: boolean): Joined {
    return { channel, id: beginningOf(subscription), epoch: this.#deps.epoch(), recovered };
  }

  /** Refuses a channel by a rule, which is noted. */
  #deny(ref: Ref, channel: string, by: string, refusal: Refusal): void {
    this.#deps.delivery.record?.denied(channel, by, refusal.code);
    this.#refuse(ref, refusal);
  }

  #refuse(ref: Ref, { code, message = ERRORS[code].sentence }: Refusal): void {
    this.#deps.say({ type: 'error', ref, code, message });
  }
}

const FORBIDDEN: Refusal = { code: 'forbidden' };

const signalOf = (controller: AbortController | undefined): AbortSignal =>
  (controller ?? new AbortController()).signal;

/** The application's snapshots of a channel, for one client; nothing where it makes none. */
export function snapshotFor(
  wish: Wish,
  decider: Pick<Decider, 'snapshot'>,
  peer: () => Peer,
  gone: AbortController | undefined,
): Pick<GreetedJoin, 'snapshot'> {
  const { snapshot } = decider;
  if (snapshot === undefined) return {};
  return {
    async snapshot() {
      const answer = await snapshot.call(decider, peer(), wish, signalOf(gone));
      if (answer === undefined) return undefined;
      if (!isRefusal(answer)) return Buffer.from(answer.data);
      if (ERRORS[answer.code].retry !== 'backoff') return undefined;
      throw new SnapshotError(`The application has no snapshot of ${wish.channel} now: ${answer.code}`);
    },
  };
}
