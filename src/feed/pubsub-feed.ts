import type { EventLog, Listener, Subscriber } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { FanOut, RoutedBatch } from '../routing/fan-out.ts';
import { Arrivals } from './arrivals.ts';
import type { Feed } from './feed.ts';

export interface PubSubFeedDeps {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly fanOut: Pick<FanOut, 'lose'>;
  readonly emit: (batch: RoutedBatch) => void;
  readonly clock: Clock;
  /** The connection is lost, and with it every channel that was attached. */
  readonly onLost: () => void;
  /** The server will not give a channel; the others stay. */
  readonly onRefused: (error: unknown) => void;
}

/** Somebody who wants a channel while there is no connection. */
interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

const CHANNEL = Buffer.from('channel');
const DATA = Buffer.from('data');

/**
 * Plain Redis Pub/Sub: one connection, on which channels come and go with those who want them. Messages have no ids;
 * they get ids of this process, so that a slow socket catches up from the window.
 *
 * What is published while a channel cannot be heard is lost. That is told once the channel can be heard again: whoever
 * fetched the state any earlier would miss what was published until then.
 */
export class PubSubFeed implements Feed {
  readonly id = 'pubsub';
  readonly isLossy = true;
  readonly #deps: PubSubFeedDeps;
  readonly #arrivals: Arrivals;
  /** What is attached, or is to be, each with its name's bytes. */
  readonly #wanted = new Map<string, Buffer>();
  /** Those of which something may have been missed, and nobody has been told yet. */
  readonly #missed = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  #subscriber: Subscriber | undefined;
  #lost: Promise<Error> | undefined;

  constructor(deps: PubSubFeedDeps) {
    this.#deps = deps;
    this.#arrivals = new Arrivals(deps.clock, deps.emit);
  }

  /** Resolves once events of the channel arrive; without a connection that is when there is one. */
  attach(channel: string): Promise<void> {
    this.#wanted.set(channel, Buffer.from(channel));
    if (this.#subscriber !== undefined) return this.#add(this.#subscriber, channel);
    return new Promise((resolve, reject) => this.#waiting.set(channel, { resolve, reject }));
  }

  detach(channel: string): void {
    this.#wanted.delete(channel);
    this.#missed.delete(channel);
    this.#waiting.delete(channel);
    this.#subscriber?.remove(channel);
  }

  async connect(signal: AbortSignal): Promise<void> {
    let lose: (reason: Error) => void = () => {};
    this.#lost = new Promise((resolve) => {
      lose = resolve;
    });
    const listener: Listener = {
      message: (channel, payload) => this.#arrive(channel, payload),
      lost: (reason) => {
        this.#lose();
        lose(reason);
      },
    };
    const subscriber = await this.#deps.log.subscribe([], listener).catch((error: unknown) => {
      this.#missAll();
      throw error;
    });
    if (signal.aborted) return subscriber.close();
    this.#subscriber = subscriber;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [channel, { resolve, reject }] of waiting)
      this.#add(subscriber, channel).then(resolve, reject);
  }

  async catchUp(): Promise<void> {}

  async follow(signal: AbortSignal): Promise<never> {
    const stopped = new Promise<Error>((resolve) => {
      signal.addEventListener('abort', () => resolve(new Error('the reader was stopped')), { once: true });
    });
    throw await Promise.race([this.#lost, stopped]);
  }

  disconnect(): void {
    this.#subscriber?.close();
    this.#subscriber = undefined;
  }

  giveUp(): void {
    this.disconnect();
    this.#lose();
  }

  async #add(subscriber: Subscriber, channel: string): Promise<void> {
    try {
      await subscriber.add(channel);
    } catch (error) {
      if (this.#wanted.has(channel)) this.#missed.add(channel);
      if (this.#subscriber === subscriber) this.#deps.onRefused(error);
      throw error;
    }
    this.#tellMissed(channel);
  }

  #lose(): void {
    this.#subscriber = undefined;
    this.#missAll();
    this.#deps.onLost();
  }

  #missAll(): void {
    for (const channel of this.#wanted.keys()) this.#missed.add(channel);
  }

  #arrive(channel: string, data: Buffer): void {
    const name = this.#wanted.get(channel);
    if (name === undefined) return;
    // It may be here before whoever attached the channel hears that it is.
    this.#tellMissed(channel);
    this.#arrivals.add([CHANNEL, name, DATA, data]);
  }

  #tellMissed(channel: string): void {
    if (!this.#missed.delete(channel)) return;
    // What came before in this turn is no part of what was missed.
    this.#arrivals.flush();
    this.#deps.fanOut.lose(channel);
  }
}
