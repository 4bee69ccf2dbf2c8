import type { Clock } from '../../clock.ts';
import type { Revocation, Revocations } from '../ports.ts';

/** Revocations within the process. */
export class MemoryRevocations implements Revocations {
  readonly #clock: Clock;
  readonly #assertUp: () => void;
  readonly #held = new Map<string, Revocation>();

  constructor(clock: Clock, assertUp: () => void) {
    this.#clock = clock;
    this.#assertUp = assertUp;
  }

  async add(revocations: readonly Revocation[], ttlMs: number): Promise<void> {
    this.#assertUp();
    for (const revocation of revocations) {
      const key = `${revocation.of}:${revocation.id}`;
      if ((this.#held.get(key)?.atMs ?? -1) >= revocation.atMs) continue;
      this.#held.delete(key);
      this.#held.set(key, revocation);
    }
    const oldestMs = this.#clock.now() - ttlMs;
    // About in the order of their times: not all of them are looked at each time.
    for (const [key, { atMs }] of this.#held) {
      if (atMs > oldestMs) break;
      this.#held.delete(key);
    }
  }

  async all(): Promise<readonly Revocation[]> {
    this.#assertUp();
    return [...this.#held.values()];
  }

  async close(): Promise<void> {}

  loseData(): void {
    this.#held.clear();
  }
}
