import type { ActorRefFrom, SnapshotFrom, StateValue } from 'xstate';
import { type ChannelEvent, channelMachine, firstContext } from '../../machines/channel.machine.ts';
import { fullJitterMs } from '../clock.ts';
import type { ChannelState } from '../inspect/api.ts';
import type { Registry } from '../routing/registry.ts';
import { channelState } from './states.ts';

type ChannelLogic = ReturnType<typeof createChannelLogic>;

const ATTACH_RETRY = { baseMs: 100, capMs: 5_000 };

/** How a channel is attached to its feed, where not every channel arrives anyway. */
export interface Attachment {
  /** Resolves once events of the channel arrive; rejects when they will not, and is then asked again. */
  attach(channel: string): Promise<void>;
  detach(channel: string): void;
}

function createChannelLogic(channels: Channels, attachment: Attachment | undefined, random: () => number) {
  return channelMachine.provide({
    delays: {
      attachRetry: ({ context }) => fullJitterMs(context.attempt, { ...ATTACH_RETRY, random }),
    },
    actions: {
      attach: ({ context, self }) => {
        if (context.attempt > 0) channels.retried(context.id);
        attachment?.attach(context.id).then(
          () => channels.tell(context.id, self, { type: 'feed.attached' }),
          () => channels.tell(context.id, self, { type: 'feed.failed' }),
        );
      },
      detach: ({ context }) => {
        channels.forget(context.id);
        attachment?.detach(context.id);
      },
    },
  });
}

export interface ChannelsDeps {
  readonly registry: Registry;
  /** Before the ids of actors. */
  readonly prefix: string;
  readonly gcIntervalMs: number;
  /** Undefined: every channel arrives, wanted or not, as on a firehose; a channel is live from its start. */
  readonly attachment?: Attachment;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  /** The first subscriber has come. */
  readonly onOpen?: ((channel: string) => void) | undefined;
  /** It is kept no longer. */
  readonly onClose?: ((channel: string) => void) | undefined;
  /** An event took it from one state to another. */
  readonly onStep?: ((channel: string, event: string, from: StateValue, to: StateValue) => void) | undefined;
}

/** The channels that have, or recently had, subscribers. */
export class Channels {
  readonly #deps: ChannelsDeps;
  readonly #logic: ChannelLogic;
  readonly #live: SnapshotFrom<ChannelLogic>;
  readonly #actors = new Map<string, ActorRefFrom<ChannelLogic>>();

  constructor(deps: ChannelsDeps) {
    this.#deps = deps;
    this.#logic = createChannelLogic(this, deps.attachment, deps.random);
    const context = firstContext({ id: '', gcIntervalMs: deps.gcIntervalMs });
    this.#live = this.#logic.resolveState({ value: 'live', context });
  }

  get size(): number {
    return this.#actors.size;
  }

  /** Each with its name. */
  all(): Iterable<readonly [string, ActorRefFrom<ChannelLogic>]> {
    return this.#actors;
  }

  get(channel: string): ActorRefFrom<ChannelLogic> | undefined {
    return this.#actors.get(channel);
  }

  /** Adds to `counts` how many are in which state. */
  countStates(counts: Record<ChannelState, number>): void {
    for (const actor of this.#actors.values()) {
      const state = channelState(actor.getSnapshot());
      if (state !== undefined) counts[state] += 1;
    }
  }

  joined(channel: string): void {
    const actor = this.#actors.get(channel);
    if (actor === undefined) this.#start(channel);
    else this.tell(channel, actor, { type: 'subscriber.joined' });
  }

  left(channel: string): void {
    this.tell(channel, this.#actors.get(channel), { type: 'subscriber.left' });
  }

  pageRequested(channel: string): void {
    this.tell(channel, this.#actors.get(channel), { type: 'page.requested' });
  }

  pageSettled(channel: string): void {
    this.tell(channel, this.#actors.get(channel), { type: 'page.settled' });
  }

  /** The feed is lost, and every channel's place in it: those that are in use are attached anew. */
  feedLost(): void {
    for (const [channel, actor] of this.#actors) this.tell(channel, actor, { type: 'feed.lost' });
  }

  /** Every event but a timer's goes through here. */
  tell(
    channel: string,
    actor: { send(event: ChannelEvent): void; getSnapshot(): { readonly value: StateValue } } | undefined,
    event: ChannelEvent,
  ): void {
    if (actor === undefined) return;
    const { onStep } = this.#deps;
    const { value: from } = actor.getSnapshot();
    actor.send(event);
    onStep?.(channel, event.type, from, actor.getSnapshot().value);
  }

  /** A timer has it attached once more: no event of ours. */
  retried(channel: string): void {
    this.#deps.onStep?.(channel, 'after attachRetry', { connecting: 'waiting' }, { connecting: 'attaching' });
  }

  forget(channel: string): void {
    if (this.#actors.delete(channel)) this.#deps.onClose?.(channel);
  }

  /** Ends them all, with their timers. */
  close(): void {
    for (const [channel, actor] of this.#actors) this.tell(channel, actor, { type: 'channel.close' });
  }

  #start(id: string): void {
    const { registry, prefix, gcIntervalMs, attachment, onError } = this.#deps;
    const input = { id, gcIntervalMs };
    const begin =
      attachment === undefined ? { snapshot: { ...this.#live, context: firstContext(input) } } : { input };
    const actor = registry.startMember(this.#logic, {
      id: `${prefix}channel:${id}`,
      ...begin,
      onEnd: (error) => {
        this.forget(id);
        if (error !== undefined) onError(error);
      },
    });
    // One that failed at its start has been forgotten already.
    if (actor.getSnapshot().status !== 'active') return;
    this.#actors.set(id, actor);
    this.#deps.onOpen?.(id);
  }
}
