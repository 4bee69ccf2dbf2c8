import type { Control } from '../ports.ts';
import { ExpiringKeys } from './expiring-keys.ts';
import type { Clock } from '../../clock.ts';

/** Messages between the instances that share one embedded broker, which is all that can hear each other. */
export class MemoryControl implements Control {
  readonly #handlers = new Set<(message: unknown) => void>();
  readonly #heartbeats: ExpiringKeys;
  readonly #assertUp: () => void;

  constructor(clock: Clock, assertUp: () => void) {
    this.#heartbeats = new ExpiringKeys(clock);
    this.#assertUp = assertUp;
  }

  async send(message: unknown): Promise<void> {
    this.#assertUp();
    // Through text, as over Redis: a receiver never shares an object with the sender.
    const text = JSON.stringify(message);
    for (const handler of this.#handlers) {
      // A microtask each: a handler that throws is a bug of its own and stops neither sender nor neighbours.
      queueMicrotask(() => {
        if (this.#handlers.has(handler)) handler(JSON.parse(text));
      });
    }
  }

  async listen(handler: (message: unknown) => void): Promise<{ close(): void }> {
    this.#assertUp();
    const own = (message: unknown) => handler(message);
    this.#handlers.add(own);
    return { close: () => void this.#handlers.delete(own) };
  }

  async heartbeat(instance: string, ttlMs: number): Promise<void> {
    this.#assertUp();
    this.#heartbeats.set(instance, ttlMs, true);
  }

  async instances(): Promise<readonly string[]> {
    this.#assertUp();
    return this.#heartbeats.valid().toSorted();
  }

  async close(): Promise<void> {
    this.#handlers.clear();
  }

  loseData(): void {
    this.#heartbeats.clear();
  }
}
