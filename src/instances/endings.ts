import type { Clock } from '../clock.ts';

/** What became of an end that all instances were asked for. */
export interface Ended {
  /** Sockets, of those instances that answered. */
  readonly closed: number;
  /** The living instances that did not answer in time, sorted. They do it when they hear of it. */
  readonly unconfirmed: readonly string[];
}

interface Ending {
  closed: number;
  readonly waitingFor: Set<string>;
  readonly finish: () => void;
}

/** How long an instance has to answer: an asker waits for it, and one that lives takes some milliseconds. */
export const ANSWER_TIMEOUT_MS = 2_000;

/** The ends that were asked for here and that not everybody has answered yet. */
export class Endings {
  readonly #clock: Clock;
  readonly #endings = new Map<string, Ending>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves once all of them have answered, or the time for that is over. */
  begin(id: string, instances: Iterable<string>): Promise<Ended> {
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#clock.clearTimeout(timer);
        this.#endings.delete(id);
        resolve({ closed: ending.closed, unconfirmed: [...ending.waitingFor].toSorted() });
      };
      const ending: Ending = { closed: 0, waitingFor: new Set(instances), finish };
      const timer = this.#clock.setTimeout(finish, ANSWER_TIMEOUT_MS);
      this.#endings.set(id, ending);
    });
  }

  /** An instance that was not expected, because it has only just come, counts too. */
  answered(id: string, instance: string, closed: number): void {
    const ending = this.#endings.get(id);
    if (ending === undefined) return;
    ending.closed += closed;
    ending.waitingFor.delete(instance);
    if (ending.waitingFor.size === 0) ending.finish();
  }

  /** Waits no longer. */
  giveUp(id: string): void {
    this.#endings.get(id)?.finish();
  }

  close(): void {
    for (const { finish } of this.#endings.values()) finish();
  }
}
