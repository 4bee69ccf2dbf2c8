import type { ActorRefFrom } from 'xstate';
import { channelMachine } from '../../machines/channel.machine.ts';
import { fullJitterMs } from '../clock.ts';
import type { Registry } from '../routing/registry.ts';

type ChannelLogic = ReturnType<typeof createChannelLogic>;

const ATTACH_RETRY = { baseMs: 100, capMs: 5_000 };

/** How a channel is attached to its feed. */
export interface Attachment {
  /** Resolves once events of the channel arrive; undefined: they already do, as on a firehose. */
  attach(channel: string): Promise<void> | undefined;
  detach(channel: string): void;
}

/** On the firehose every channel arrives, wanted or not. */
export const firehoseAttachment: Attachment = { attach: () => undefined, detach() {} };

function createChannelLogic(channels: Channels, attachment: Attachment, random: () => number) {
  return channelMachine.provide({
    delays: {
      attachRetry: ({ context }) => fullJitterMs(context.attempt, { ...ATTACH_RETRY, random }),
    },
    actions: {
      attach: ({ context, self }) => {
        const attaching = attachment.attach(context.id);
        if (attaching === undefined) self.send({ type: 'feed.attached' });
        else
          attaching.then(
            () => self.send({ type: 'feed.attached' }),
            () => self.send({ type: 'feed.failed' }),
          );
      },
      detach: ({ context }) => {
        channels.forget(context.id);
        attachment.detach(context.id);
      },
    },
  });
}

export interface ChannelsDeps {
  readonly registry: Registry;
  readonly gcIntervalMs: number;
  readonly attachment: Attachment;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/** The channels that have, or recently had, subscribers. */
export class Channels {
  readonly #deps: ChannelsDeps;
  readonly #logic: ChannelLogic;
  readonly #actors = new Map<string, ActorRefFrom<ChannelLogic>>();

  constructor(deps: ChannelsDeps) {
    this.#deps = deps;
    this.#logic = createChannelLogic(this, deps.attachment, deps.random);
  }

  get size(): number {
    return this.#actors.size;
  }

  joined(channel: string): void {
    const actor = this.#actors.get(channel);
    if (actor === undefined) this.#start(channel);
    else actor.send({ type: 'subscriber.joined' });
  }

  left(channel: string): void {
    this.#actors.get(channel)?.send({ type: 'subscriber.left' });
  }

  pageRequested(channel: string): void {
    this.#actors.get(channel)?.send({ type: 'page.requested' });
  }

  pageSettled(channel: string): void {
    this.#actors.get(channel)?.send({ type: 'page.settled' });
  }

  forget(channel: string): void {
    this.#actors.delete(channel);
  }

  /** Ends them all, with their timers. */
  close(): void {
    for (const channel of this.#actors.keys()) this.#deps.registry.stop(actorId(channel));
    this.#actors.clear();
  }

  #start(channel: string): void {
    const { registry, gcIntervalMs, onError } = this.#deps;
    const actor = registry.start(this.#logic, {
      id: actorId(channel),
      input: { id: channel, gcIntervalMs },
      onEnd: (error) => {
        this.forget(channel);
        if (error !== undefined) onError(error);
      },
    });
    // One that failed at its start has been forgotten already.
    if (actor.getSnapshot().status === 'active') this.#actors.set(channel, actor);
  }
}

function actorId(channel: string): string {
  return `channel:${channel}`;
}
