import type { Clock } from '../clock.ts';
import type { Overview } from '../inspect/api.ts';

export interface OverviewTickerDeps {
  overview(): Promise<Overview>;
  readonly clock: Clock;
}

const INTERVAL_MS = 1_000;

/** Asks for the overview once a second as long as somebody looks at it: once for all who do. */
export class OverviewTicker {
  readonly #deps: OverviewTickerDeps;
  readonly #readers = new Set<(overview: Overview) => void>();
  #isAsking = false;

  constructor(deps: OverviewTickerDeps) {
    this.#deps = deps;
  }

  /** What it returns leaves. */
  add(reader: (overview: Overview) => void): () => void {
    this.#readers.add(reader);
    if (!this.#isAsking) void this.#ask();
    return () => void this.#readers.delete(reader);
  }

  async #ask(): Promise<void> {
    const { overview, clock } = this.#deps;
    this.#isAsking = true;
    const startMs = clock.now();
    const now = await overview();
    for (const reader of this.#readers) reader(now);
    this.#isAsking = this.#readers.size > 0;
    if (!this.#isAsking) return;
    // Those that answer late must not be asked twice at once.
    clock.setTimeout(() => void this.#ask(), Math.max(0, INTERVAL_MS - (clock.now() - startMs)));
  }
}
