import type { StateValue } from 'xstate';
import { eventName, leavesOf } from '../actors/machine-words.ts';
import type { Transition } from './api.ts';

/** Of all channels and readers together: they change rarely, and what a page shows is the last of them. */
const MAX_LINES = 4_000;
/** Of one actor. */
const SHOWN = 50;

interface Line {
  readonly actor: string;
  readonly atMs: number;
  readonly event: string;
  readonly from: StateValue;
  readonly to: StateValue;
}

/** The last steps of actors that are few or quiet, in one ring for all of them: one at rest costs nothing. */
export class TransitionLog {
  readonly #now: () => number;
  readonly #lines: Line[] = [];
  #next = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** One that goes nowhere is no step. */
  note(actor: string, event: string, from: StateValue, to: StateValue): void {
    if (from === to || JSON.stringify(from) === JSON.stringify(to)) return;
    this.#lines[this.#next] = { actor, atMs: this.#now(), event, from, to };
    this.#next = (this.#next + 1) % MAX_LINES;
  }

  /** Oldest first. */
  of(actor: string): Transition[] {
    const found: Transition[] = [];
    for (let back = 1; back <= this.#lines.length && found.length < SHOWN; back += 1) {
      const line = this.#lines[(this.#next - back + MAX_LINES) % MAX_LINES];
      if (line?.actor !== actor) continue;
      const { atMs, event, from, to } = line;
      found.push({ atMs, event: eventName(event), from: leavesOf(from), to: leavesOf(to) });
    }
    return found.reverse();
  }
}
