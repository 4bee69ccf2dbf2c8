import type { Clock } from '../../clock.ts';

/** Below this many keys nothing is swept. */
const SWEEP_FROM = 1024;

interface Held<Value> {
  readonly value: Value;
  readonly expiresAt: number;
}

/** Keys that run out, swept once per doubling so that they cost memory only while they are valid. */
export class ExpiringKeys<Value = true> {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held<Value>>();
  #sweepAt = SWEEP_FROM;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): Value | undefined {
    const held = this.#held.get(key);
    return held !== undefined && held.expiresAt > this.#clock.now() ? held.value : undefined;
  }

  set(key: string, ttlMs: number, value: Value): void {
    this.#held.set(key, { value, expiresAt: this.#clock.now() + ttlMs });
    if (this.#held.size < this.#sweepAt) return;
    this.valid();
    this.#sweepAt = Math.max(SWEEP_FROM, this.#held.size * 2);
  }

  /** The keys that have not run out; forgets the others. */
  valid(): string[] {
    const nowMs = this.#clock.now();
    for (const [key, { expiresAt }] of this.#held) if (expiresAt <= nowMs) this.#held.delete(key);
    return [...this.#held.keys()];
  }

  clear(): void {
    this.#held.clear();
  }
}
