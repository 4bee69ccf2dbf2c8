import { BrokerError } from '../broker-error.ts';
import type { Listener } from '../ports.ts';

interface Subscriber {
  readonly channels: ReadonlySet<string>;
  readonly listener: Listener;
  open: boolean;
}

/** Plain publish and subscribe within the process. Listeners run in a microtask, never in the publisher's stack. */
export class PubSub {
  readonly #subscribers = new Set<Subscriber>();

  subscribe(channels: readonly string[], listener: Listener): { close(): void } {
    const subscriber: Subscriber = { channels: new Set(channels), listener, open: true };
    this.#subscribers.add(subscriber);
    return {
      close: () => {
        subscriber.open = false;
        this.#subscribers.delete(subscriber);
      },
    };
  }

  publish(channel: string, payload: Buffer): number {
    const copy = Buffer.from(payload);
    let count = 0;
    for (const subscriber of this.#subscribers) {
      if (!subscriber.channels.has(channel)) continue;
      count += 1;
      queueMicrotask(() => {
        if (subscriber.open) subscriber.listener.message(channel, copy);
      });
    }
    return count;
  }

  /** Every subscriber loses its connection. */
  lose(): void {
    for (const subscriber of this.#subscribers) {
      this.#subscribers.delete(subscriber);
      queueMicrotask(() => {
        if (!subscriber.open) return;
        subscriber.open = false;
        subscriber.listener.lost(new BrokerError('lost', 'the memory broker is in an outage'));
      });
    }
  }

  close(): void {
    for (const subscriber of this.#subscribers) subscriber.open = false;
    this.#subscribers.clear();
  }
}
