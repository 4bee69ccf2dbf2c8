import type { EventLog, Subscriber } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { FanOut, RoutedBatch } from '../routing/fan-out.ts';
import { Arrivals } from './arrivals.ts';
import type { Feed } from './feed.ts';

export interface RealtimeFeedDeps {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly fanOut: FanOut;
  readonly emit: (batch: RoutedBatch) => void;
  readonly clock: Clock;
  /** The one Pub/Sub channel that carries every message. */
  readonly channel: string;
}

const DATA = Buffer.from('data');

/**
 * Superset's newer single Pub/Sub channel. Its messages have no ids; they get ids of this process, so that a
 * slow socket catches up from the window. What is published while it is away is lost, and its sockets are told.
 */
export class RealtimeFeed implements Feed {
  readonly id = 'realtime';
  readonly isLossy = true;
  readonly #deps: RealtimeFeedDeps;
  #subscription: Subscriber | undefined;
  #onEcho: ((channel: string) => void) | undefined;
  #lost: Promise<Error> | undefined;
  #arrived = 0;
  readonly #arrivals: Arrivals;

  constructor(deps: RealtimeFeedDeps) {
    this.#deps = deps;
    this.#arrivals = new Arrivals(deps.clock, deps.emit);
  }

  async connect(signal: AbortSignal): Promise<void> {
    const { log, channel } = this.#deps;
    let lose: (reason: Error) => void = () => {};
    this.#lost = new Promise((resolve) => {
      lose = resolve;
    });
    this.#subscription = await log.subscribe([channel], {
      message: (from, payload) => {
        if (from !== channel) {
          this.#onEcho?.(from);
          return;
        }
        this.#arrived += 1;
        this.#arrivals.add([DATA, payload]);
      },
      lost: (reason) => lose(reason),
    });
    if (signal.aborted) this.disconnect();
  }

  async catchUp(): Promise<void> {}

  async follow(signal: AbortSignal): Promise<never> {
    const stopped = new Promise<Error>((resolve) => {
      signal.addEventListener('abort', () => resolve(new Error('the reader was stopped')), { once: true });
    });
    const reason = await Promise.race([this.#lost, stopped]);
    if (!signal.aborted) this.giveUp();
    throw reason;
  }

  disconnect(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  giveUp(): void {
    this.#deps.fanOut.reset(this.#arrivals.nextId(), 'lossy');
  }

  /** How many messages have come. */
  get arrived(): number {
    return this.#arrived;
  }

  /**
   * Resolves once a message that `publish` sends to `channel`, which must be nobody else's, has come over the
   * connection that all others come over. Rejects when the channel is refused, or the connection is lost.
   */
  async echo(channel: string, publish: (channel: string) => Promise<unknown>): Promise<void> {
    if (this.#subscription === undefined) throw new Error('the feed is not connected');
    await this.#subscription.add(channel);
    const heard = new Promise<void>((resolve) => {
      this.#onEcho = (from) => from === channel && resolve();
    });
    await publish(channel);
    await heard;
  }
}
