import type { Clock } from '../../src/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCleared: boolean;
}

/**
 * A simulated clock on a binary heap: XState's own scans all its timers at each step, which is quadratic with
 * thousands of actors.
 */
export class HeapClock implements Clock {
  readonly #heap: Timer[] = [];
  #nowMs: number;
  #order = 0;

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  now = (): number => this.#nowMs;

  setTimeout = (run: () => void, delayMs: number): unknown => {
    const timer: Timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      run,
      isCleared: false,
    };
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return timer;
  };

  clearTimeout = (timer: unknown): void => {
    if (timer !== undefined && timer !== null) (timer as Timer).isCleared = true;
  };

  /** Runs everything that is due until `ms` from now, in order of time; synchronous. */
  increment(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#due(untilMs); next !== undefined; next = this.#due(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }

  /** As `increment`, letting promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#due(untilMs); next !== undefined; next = this.#due(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #due(untilMs: number): Timer | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || (!first.isCleared && first.atMs > untilMs)) return undefined;
      this.#pop();
      if (!first.isCleared) return first;
    }
  }

  #pop(): void {
    const last = this.#heap.pop() as Timer;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = at * 2 + 1;
      if (left >= this.#heap.length) return;
      const child = left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#heap[a] as Timer;
    const second = this.#heap[b] as Timer;
    return first.atMs < second.atMs || (first.atMs === second.atMs && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a] as Timer;
    this.#heap[a] = this.#heap[b] as Timer;
    this.#heap[b] = first;
  }
}

/** Resolves when every promise that can settle without a timer has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
