import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { redisUrl } from '../support/redis.ts';

const BATCH = 1_000;

/** A producer beside the servers, that numbers the events of each channel from 0 on. */
export class Numbers {
  readonly #broker: ReturnType<typeof createRedisBroker>;
  readonly #text: string;
  readonly #next = new Map<string, number>();
  readonly #firstIds = new Map<string, string>();
  #flow: { readonly timer: NodeJS.Timeout; under: Promise<unknown> } | undefined;

  /** `textBytes`: of filler in each event; `url`: of another Redis than the shared one. */
  constructor(nativePrefix: string, { maxLength = 1_000_000, textBytes = 0, url = redisUrl() } = {}) {
    this.#broker = createRedisBroker({
      address: { url },
      streamPrefix: 'unused-',
      nativePrefix,
      history: { maxLength, firehoseMaxLength: maxLength },
    });
    this.#text = 'x'.repeat(textBytes);
  }

  /** The number of the last event of a channel. */
  last(channel: string): number {
    return (this.#next.get(channel) ?? 0) - 1;
  }

  /** The id of a channel's event 0. */
  firstId(channel: string): string {
    return this.#firstIds.get(channel) as string;
  }

  /** Publishes the next `count` events of each of these channels, one after the other. */
  async publish(channels: readonly string[], count = 1): Promise<void> {
    for (let done = 0; done < count; done += BATCH) {
      const publications = Array.from({ length: Math.min(BATCH, count - done) }, () =>
        channels.map((channel) => {
          const n = this.last(channel) + 1;
          this.#next.set(channel, n + 1);
          return { channel, topic: 't', data: Buffer.from(JSON.stringify({ n, text: this.#text })) };
        }),
      ).flat();
      const outcomes = await this.#broker.native.publishEvents(publications);
      for (const [at, outcome] of outcomes.entries()) {
        if ('error' in outcome) throw outcome.error;
        const { channel } = publications[at] as { channel: string };
        if (!this.#firstIds.has(channel)) this.#firstIds.set(channel, outcome.id);
      }
    }
  }

  /** Publishes `count` events of each channel every `everyMs`, until `still`. */
  flow(channels: readonly string[], count: number, everyMs: number): void {
    const flow = {
      under: Promise.resolve() as Promise<unknown>,
      timer: setInterval(() => {
        flow.under = flow.under.then(() => this.publish(channels, count));
        // Whoever calls `still` hears of it.
        flow.under.catch(() => {});
      }, everyMs),
    };
    this.#flow = flow;
  }

  /** Ends the flow; resolves when the last of it is published. */
  async still(): Promise<void> {
    clearInterval(this.#flow?.timer);
    await this.#flow?.under;
  }

  async close(): Promise<void> {
    await this.still();
    await this.#broker.close();
  }
}
