import type { Publication } from '../broker/ports.ts';
import type { RawJson } from '../protocol/native/client-frame.ts';
import { DEFAULT_TOPIC } from '../protocol/native/names.ts';
import type { Target } from '../protocol/native/target.ts';
import {
  checkChannel,
  checkChannels,
  checkKey,
  checkTarget,
  checkTold,
  checkTopic,
  checkWord,
} from './check.ts';
import type { AnyContract, ChannelOf, Contract, DataOf, ToldData, ToldTopic, TopicOf } from './contract.ts';
import { SignalboxError } from './error.ts';
import { toJson } from './json.ts';

export interface PublishOptions {
  /** Makes a retry idempotent for `publish.keyTtlSeconds`. */
  readonly key?: string;
  /** Also keeps it as the channel's snapshot. */
  readonly snapshot?: boolean;
}

/** What became of one of several: its id, or why it was not published. */
export type Published = { readonly channel: string } & (
  | { readonly id: string }
  | { readonly error: SignalboxError }
);

export type { Target };

/** What became of sockets that were to be ended. */
export interface Booted {
  /** How many were closed. */
  readonly closed: number;
  /** Instances that did not answer in time. They close theirs when they hear of it. */
  readonly unconfirmed: readonly string[];
}

/** What a program says to clients, whichever instance they are on. Rejects with a `SignalboxError`. */
export interface Speaker<C extends Contract = AnyContract> {
  /** Resolves with the event's id once the broker has it. */
  publish<Ch extends ChannelOf<C>, T extends TopicOf<C, Ch>>(
    channel: Ch,
    topic: T,
    data: DataOf<C, Ch, T>,
    options?: PublishOptions,
  ): Promise<string>;
  /** One event to each of several channels, in this order. */
  publishToMany<Ch extends ChannelOf<C>, T extends TopicOf<C, Ch>>(
    channels: readonly Ch[],
    topic: T,
    data: DataOf<C, Ch, T>,
  ): Promise<readonly Published[]>;
  /** Tells sockets something of at most 64 KiB, best effort: it is kept for nobody. Resolves once it is on its way. */
  tell<T extends ToldTopic<C>>(target: Target, topic: T, data?: ToldData<C, T>): Promise<void>;
  /** Tells everybody. */
  broadcast<T extends ToldTopic<C>>(topic: T, data?: ToldData<C, T>): Promise<void>;
  /**
   * Ends sockets for good; of a user or session, the tokens that were issued up to now are refused from now on.
   * `reason`: 1 to 123 bytes, for the clients.
   */
  boot(target: Target, reason?: string): Promise<Booted>;
  /** Ends the sockets of everybody who has a channel, or all of them. */
  bootAll(channel?: ChannelOf<C>, reason?: string): Promise<Booted>;
}

/** What a speaker speaks with. */
export interface Voice {
  /** Throws when nothing can be said. */
  assertAlive(): void;
  publish(
    publications: readonly Publication[],
  ): Promise<readonly ({ readonly id: string } | { readonly error: Error })[]>;
  /** Whether an error of `publish` leaves open what was published. */
  isUnknown(error: unknown): boolean;
  tell(target: Target, topic: string, data: RawJson | undefined): Promise<void>;
  end(target: Target, word: string | undefined): Promise<Booted>;
}

export function createSpeaker<C extends Contract>(voice: Voice): Speaker<C> {
  async function publishAll(publications: readonly Publication[]): Promise<readonly Published[]> {
    voice.assertAlive();
    const outcomes = await voice.publish(publications).catch((error: unknown) => {
      if (!voice.isUnknown(error)) throw unavailable(error);
      throw new SignalboxError('timeout', UNKNOWN, { cause: error });
    });
    return outcomes.map((outcome, at) => {
      const { channel } = publications[at] as Publication;
      if ('id' in outcome) return { channel, id: outcome.id };
      const { message } = outcome.error;
      return { channel, error: new SignalboxError('unavailable', message, { cause: outcome.error }) };
    });
  }

  async function tell(target: Target, topic: string, data?: unknown): Promise<void> {
    checkTarget(target);
    checkTopic(topic);
    const json = data === undefined ? undefined : toJson(data);
    checkTold(json);
    voice.assertAlive();
    await saying(voice.tell(target, topic, json));
  }

  async function boot(target: Target, reason?: string): Promise<Booted> {
    checkTarget(target);
    checkWord(reason);
    voice.assertAlive();
    return await saying(voice.end(target, reason));
  }

  return {
    async publish(channel, topic = DEFAULT_TOPIC as never, data, { key, snapshot } = {}) {
      checkChannel(channel);
      checkTopic(topic);
      checkKey(key);
      // As those of API keys: a program may publish a retry over HTTP.
      const scoped = key === undefined ? {} : { key: `a\n${channel}\n${key}` };
      const publication = { channel, topic, data: Buffer.from(toJson(data)), snapshot, ...scoped };
      const [published] = await publishAll([publication]);
      if (published === undefined) throw new SignalboxError('internal');
      if ('error' in published) throw published.error;
      return published.id;
    },
    async publishToMany(channels, topic, data) {
      checkChannels(channels);
      checkTopic(topic);
      const bytes = Buffer.from(toJson(data));
      return await publishAll(channels.map((channel) => ({ channel, topic, data: bytes })));
    },
    tell,
    broadcast: (topic, data) => tell({ everyone: true }, topic, data),
    boot,
    bootAll: (channel, reason) => boot(channel === undefined ? { everyone: true } : { channel }, reason),
  };
}

/** What was not said, or is not known to have been, because the broker is away. */
async function saying<T>(said: Promise<T>): Promise<T> {
  try {
    return await said;
  } catch (error) {
    throw unavailable(error);
  }
}

const UNKNOWN =
  'The broker did not answer in time. It is not known whether this was published: repeat it with the same key.';

function unavailable(error: unknown): SignalboxError {
  const reason = error instanceof Error ? error.message : String(error);
  return new SignalboxError('unavailable', `The broker cannot be reached: ${reason}`, { cause: error });
}
