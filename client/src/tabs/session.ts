import { compareIds, type Position } from '../position.ts';
import type { Hello } from './tab-frame.ts';

/** Pings without an answer, after which a tab is gone: it does not say so. */
const MAX_PINGS = 2;

/** One connection of a tab to the one that leads. */
export class Session {
  readonly id: string;
  /** Its hello, as long as the server has not said welcome. */
  hello: Hello | undefined;
  isWelcome = false;
  #pings = 0;
  /** Ids of what it published and does not want to hear. */
  readonly #muted = new Set<string>();

  constructor(id: string) {
    this.id = id;
  }

  /** False: it is gone. */
  ping(): boolean {
    this.#pings += 1;
    return this.#pings <= MAX_PINGS;
  }

  pong(): void {
    this.#pings = 0;
  }

  /** Where its channel is by now, if it has that: what is not to come any more need not be kept out. */
  mute(id: string, at: Position | undefined): void {
    if (at !== undefined && compareIds(id, at.lastId) > 0) this.#muted.add(id);
  }

  /** Whether it is to hear this, which comes once. */
  wants(id: string): boolean {
    return !this.#muted.delete(id);
  }
}
