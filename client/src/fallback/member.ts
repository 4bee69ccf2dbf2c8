import type { EventFrame, GapFrame, SnapshotFrame } from '../frames.ts';
import { compareIds } from '../position.ts';

type Held = { readonly frame: EventFrame | GapFrame | SnapshotFrame; readonly text: string };

interface MemberOptions {
  readonly id?: string | undefined;
  readonly epoch?: string | undefined;
  readonly ref?: number;
  readonly query?: unknown;
}

/**
 * A channel of a line over HTTP, and up to where it was heard. `waiting` for a stream of its own, which it has while it
 * is `alone`; then `merged` with others in one.
 */
export class Member {
  readonly channel: string;
  /** For the application. */
  readonly query: unknown;
  readonly isOwn: boolean;
  /** Of a `subscribe` without an answer. */
  ref: number | undefined;
  phase: 'waiting' | 'alone' | 'merged' = 'waiting';
  id: string | undefined;
  epoch: string | undefined;
  /** Some of what was before is missing, and a gap is to say so. */
  isGapDue = false;
  /** After a gap: a snapshot from before would bring back what is lost, and nothing else is taken until it is looked for. */
  floor: string | undefined;
  readonly #say: (text: string) => void;
  /** Publishes that are not to be echoed, without an answer. */
  #holds = 0;
  readonly #held: Held[] = [];
  readonly #unwanted = new Set<string>();

  constructor(
    channel: string,
    isOwn: boolean,
    say: (text: string) => void,
    { id, epoch, ref, query }: MemberOptions,
  ) {
    this.channel = channel;
    this.query = query;
    this.isOwn = isOwn;
    this.#say = say;
    this.id = id;
    this.epoch = epoch;
    this.ref = ref;
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  event(frame: EventFrame, text: string): void {
    if (this.floor !== undefined || this.#isKnown(frame.id)) return;
    this.id = frame.id;
    this.#deliver({ frame, text });
  }

  snapshot(frame: SnapshotFrame, text: string): void {
    const least = this.floor ?? this.id;
    if (least !== undefined && compareIds(frame.id, least) < 0) return;
    this.floor = undefined;
    this.id = frame.id;
    this.#deliver({ frame, text });
  }

  /** False: nothing was lost, for it had what is missing. */
  gap(frame: GapFrame): boolean {
    if (this.floor !== undefined) return false;
    const isOfNow = frame.epoch === undefined || frame.epoch === this.epoch;
    const isKnown = isOfNow && this.#isKnown(frame.id);
    if (isKnown && !this.isGapDue) return false;
    this.isGapDue = false;
    // Whoever was told that one is to come is told in any case, and knows that it had it.
    const told = { ...frame, after: this.id ?? frame.after };
    if (!isKnown) {
      this.id = frame.id;
      this.epoch = frame.epoch ?? this.epoch;
    }
    this.#deliver({ frame: told, text: JSON.stringify(told) });
    return !isKnown;
  }

  reached(id: string): void {
    if (this.floor === undefined && !this.isGapDue && !this.#isKnown(id)) this.id = id;
  }

  hold(): void {
    this.#holds += 1;
  }

  /** `unwanted`: an event that is not to be heard. */
  release(unwanted: string | undefined): void {
    this.#holds -= 1;
    if (unwanted !== undefined) this.#unwanted.add(unwanted);
    if (this.#holds === 0) for (const held of this.#held.splice(0)) this.#deliver(held);
  }

  #isKnown(id: string): boolean {
    return this.id !== undefined && compareIds(id, this.id) <= 0;
  }

  #deliver(held: Held): void {
    if (this.#holds > 0) this.#held.push(held);
    else if (!this.#unwanted.delete(held.frame.id) || held.frame.type !== 'event') this.#say(held.text);
  }
}
