import type { Clock } from '../clock.ts';
import { type Figures, mergeFigures, NO_FIGURES, totalsOf } from '../telemetry/figures.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Share } from '../telemetry/telemetry.ts';
import { GATHER_TIMEOUT_MS, type ToWorker } from './messages.ts';

/** A worker, as it is asked. */
export interface Asked {
  /** What it last said; undefined: it has not said anything yet, and has nothing to give. */
  readonly figures: Figures | undefined;
  send(message: ToWorker): void;
}

export interface GatheringDeps {
  readonly workers: readonly Asked[];
  readonly clock: Clock;
  readonly metrics: Metrics & { readonly figures: Figures };
}

/** One time that somebody asked for the figures of all. */
interface Round {
  readonly shares: Map<Asked, Share>;
  readonly waiting: Set<Asked>;
  readonly timer: unknown;
  readonly end: () => void;
}

/**
 * The primary's account of what all workers have measured, those that have ended included: what is counted never goes
 * down because a process did.
 */
export class Gathering {
  readonly #deps: GatheringDeps;
  #ended: Figures = NO_FIGURES;
  readonly #rounds = new Map<number, Round>();
  #nextId = 1;

  constructor(deps: GatheringDeps) {
    this.#deps = deps;
  }

  /** A worker asks for the figures of all, which it is sent under its own `id`. */
  asked(worker: Asked, id: number): void {
    const { workers, clock } = this.#deps;
    const roundId = this.#nextId;
    this.#nextId += 1;
    const round: Round = {
      shares: new Map(),
      waiting: new Set(workers.filter(({ figures }) => figures !== undefined)),
      timer: clock.setTimeout(() => round.end(), GATHER_TIMEOUT_MS),
      end: () => {
        clock.clearTimeout(round.timer);
        this.#rounds.delete(roundId);
        worker.send({ type: 'figures.gathered', id, shares: this.#sharesOf(round) });
      },
    };
    this.#rounds.set(roundId, round);
    for (const other of round.waiting) other.send({ type: 'figures.wanted', id: roundId });
  }

  given(worker: Asked, id: number, share: Share): void {
    const round = this.#rounds.get(id);
    if (round === undefined || !round.waiting.delete(worker)) return;
    round.shares.set(worker, share);
    if (round.waiting.size === 0) round.end();
  }

  /** A worker has ended, having measured this. Nobody waits for it any more. */
  ended(worker: Asked, figures: Figures | undefined): void {
    if (figures !== undefined) this.#ended = totalsOf(mergeFigures([this.#ended, figures]));
    for (const round of this.#rounds.values()) {
      round.shares.delete(worker);
      if (round.waiting.delete(worker) && round.waiting.size === 0) round.end();
    }
  }

  /** Nobody is asked any more. */
  close(): void {
    for (const { timer } of this.#rounds.values()) this.#deps.clock.clearTimeout(timer);
    this.#rounds.clear();
  }

  #sharesOf({ shares, waiting }: Round): Share[] {
    const { metrics } = this.#deps;
    const missing = [...waiting];
    if (missing.length > 0) metrics.count('signalbox.workers_unanswered', missing.length);
    return [
      ...shares.values(),
      ...missing.flatMap(({ figures }) => (figures === undefined ? [] : [{ figures: totalsOf(figures) }])),
      { figures: this.#ended },
      // Its gauges are those of all workers, for StatsD: they are in the shares already.
      { figures: totalsOf(metrics.figures) },
    ];
  }
}
