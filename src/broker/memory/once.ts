import type { Once } from '../ports.ts';
import type { Clock } from '../../clock.ts';
import { ExpiringKeys } from './expiring-keys.ts';

/** Claims within the process. */
export class MemoryOnce implements Once {
  readonly #claims: ExpiringKeys;
  readonly #assertUp: () => void;

  constructor(clock: Clock, assertUp: () => void) {
    this.#claims = new ExpiringKeys(clock);
    this.#assertUp = assertUp;
  }

  async claim(key: string, ttlMs: number): Promise<boolean> {
    this.#assertUp();
    if (this.#claims.has(key)) return false;
    this.#claims.set(key, ttlMs, true);
    return true;
  }

  async close(): Promise<void> {}

  loseData(): void {
    this.#claims.clear();
  }
}
