import type { Clock } from '../clock.ts';
import type { Gathered, LogLine } from './api.ts';
import { PerSecond } from './per-second.ts';
import type { Question, Subject } from './questions.ts';

/** A `LogLine`; of facts, one of Stately's. */
export type OnLine = (line: unknown) => void;

export interface WatchesDeps {
  /** Watches in this process; what it returns ends it. */
  watchHere(subject: Subject, onLine: OnLine): () => void;
  /** Has the other processes send their lines, for some seconds. */
  askOthers(question: Question): Promise<Gathered<unknown>>;
  sendLine(to: string, watch: string, line: unknown): void;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** How long a process goes on sending lines without being asked again: whoever watched may be gone. */
const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
/** More than this in a second nobody reads, and it would cost what is watched. */
const MAX_LINES_PER_SECOND = 200;

/** A watch that another process asked for. */
interface Lent {
  end(): void;
  timer: unknown;
}

/** Live lines of what happens to a socket, a user's sockets or a channel's, wherever they are. */
export class Watches {
  readonly #deps: WatchesDeps;
  /** Those that were begun here, by what the others call them. */
  readonly #own = new Map<string, OnLine>();
  readonly #lent = new Map<string, Lent>();

  constructor(deps: WatchesDeps) {
    this.#deps = deps;
  }

  /** What it returns ends it. */
  begin(subject: Subject, onLine: OnLine): () => void {
    const { watchHere, askOthers, clock, newId } = this.#deps;
    const id = newId();
    const limited = limitLines(subject, onLine, () => clock.now());
    const endHere = watchHere(subject, limited);
    this.#own.set(id, limited);
    let timer: unknown;
    const renew = (): void => {
      void askOthers({ kind: 'watch', id, subject });
      timer = clock.setTimeout(renew, RENEW_MS);
    };
    renew();
    return () => {
      clock.clearTimeout(timer);
      this.#own.delete(id);
      endHere();
    };
  }

  /** A process sends a line of a watch of ours. */
  heard(id: string, line: unknown): void {
    this.#own.get(id)?.(line);
  }

  /** A process asks for our lines, for the first time or again. */
  lend(to: string, id: string, subject: Subject): void {
    if (this.#own.has(id)) return;
    const { watchHere, sendLine, clock } = this.#deps;
    const known = this.#lent.get(id);
    const lent: Lent = known ?? {
      end: watchHere(
        subject,
        limitLines(
          subject,
          (line) => sendLine(to, id, line),
          () => clock.now(),
        ),
      ),
      timer: undefined,
    };
    this.#lent.set(id, lent);
    clock.clearTimeout(lent.timer);
    lent.timer = clock.setTimeout(() => {
      this.#lent.delete(id);
      lent.end();
    }, LEASE_MS);
  }

  close(): void {
    for (const { end, timer } of this.#lent.values()) {
      this.#deps.clock.clearTimeout(timer);
      end();
    }
    this.#lent.clear();
  }
}

/** Leaves lines out beyond what can be read, and says with the next one how many. */
function limitLines(subject: Subject, onLine: OnLine, now: () => number): OnLine {
  // These are bounded where they come from.
  if ('facts' in subject) return onLine;
  const rate = new PerSecond(MAX_LINES_PER_SECOND, now);
  let dropped = 0;
  return (line) => {
    if (!rate.take()) {
      dropped += 1 + ((line as LogLine).dropped ?? 0);
      return;
    }
    const before = (line as LogLine).dropped ?? 0;
    onLine(dropped === 0 ? line : { ...(line as LogLine), dropped: dropped + before });
    dropped = 0;
  };
}
