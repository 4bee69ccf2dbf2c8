import { setMaxListeners } from 'node:events';
import { type Clock, fullJitterMs } from '../clock.ts';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Peer } from './decider.ts';
import { type Hook, MAX_IN_FLIGHT } from './hook.ts';
import { readNotice } from './hook-answer.ts';
import type { HookSubject } from './hook-request.ts';
import { Turns } from './hook-turns.ts';

export interface NoticesDeps {
  readonly hook: Pick<Hook, 'ask' | 'newId'>;
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly limit: LogLimit;
  readonly metrics: Metrics;
}

interface Notice {
  readonly id: string;
  readonly saidMs: number;
  readonly peer: Peer;
  readonly subject: HookSubject;
}

/** What waits to be told, those that are told again included. */
const MAX_HELD = 10_000;
/** Then it is of no use to anybody any more. */
const MAX_AGE_MS = 300_000;
const RETRY = { baseMs: 1_000, capMs: 30_000 };
/** At the end of the process. */
const CLOSE_GRACE_MS = 2_000;

/** What a hook is told without anybody waiting: until it has heard it, or it is too late. */
export class Notices {
  readonly #deps: NoticesDeps;
  readonly #turns = new Turns({ max: MAX_IN_FLIGHT, maxWaiting: MAX_HELD });
  readonly #underWay = new Set<Promise<void>>();
  /** Ends the pauses of those that wait to be told again. */
  readonly #wakes = new Set<() => void>();
  readonly #over = new AbortController();
  #isClosing = false;

  constructor(deps: NoticesDeps) {
    this.#deps = deps;
    // Everything that waits for its turn listens.
    setMaxListeners(0, this.#over.signal);
  }

  /** Returns at once, and never throws. */
  tell(peer: Peer, subject: HookSubject): void {
    const { hook, clock } = this.#deps;
    if (this.#underWay.size >= MAX_HELD || this.#over.signal.aborted) return this.#drop();
    const told = this.#run({ id: hook.newId(), saidMs: clock.now(), peer, subject });
    this.#underWay.add(told);
    void told.then(() => this.#underWay.delete(told));
  }

  /** Everything is tried once more, for a moment. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const wake of this.#wakes) wake();
    const { clock } = this.#deps;
    const timer = clock.setTimeout(() => this.#over.abort(), CLOSE_GRACE_MS);
    await Promise.all(this.#underWay);
    clock.clearTimeout(timer);
    this.#over.abort();
  }

  async #run(notice: Notice): Promise<void> {
    const { clock, random } = this.#deps;
    for (let attempt = 0; ; attempt++) {
      if (await this.#hasArrived(notice)) return;
      const isLate = clock.now() - notice.saidMs >= MAX_AGE_MS;
      if (isLate || this.#isClosing) return this.#drop();
      await this.#pause(fullJitterMs(attempt, { ...RETRY, random }));
    }
  }

  async #hasArrived({ id, peer, subject }: Notice): Promise<boolean> {
    const { signal } = this.#over;
    const release = await this.#turns.take(signal);
    if (typeof release === 'string') return false;
    const answer = await this.#deps.hook.ask(peer, subject, readNotice, { signal, id });
    release();
    return answer === 'arrived';
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const wake = (): void => {
        clock.clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = clock.setTimeout(wake, ms);
      this.#wakes.add(wake);
    });
  }

  #drop(): void {
    const { name, logger, limit, metrics } = this.#deps;
    metrics.count('signalbox.hook_notices_dropped', 1, { hook: name });
    limit.log(`hook ${name} dropped`, (suppressed) =>
      logger.warn({ hook: name, suppressed }, 'A hook was not told what it should have been'),
    );
  }
}
