import type { ActorRefFrom } from 'xstate';
import { heartbeatMachine } from '../../machines/heartbeat.machine.ts';

export type HeartbeatActor = ActorRefFrom<typeof heartbeatMachine>;

/** An interval has at most so many beats, at least so far apart. */
const MOST_BEATS = 100;
const LEAST_BEAT_MS = 50;

/** Whose turn it is: everybody has one beat of the interval as his own, and is pinged once in each interval. */
export class Turns<Member> {
  readonly #beats: Set<Member>[];
  #next = 0;

  constructor(intervalMs: number) {
    const beats = Math.max(1, Math.min(MOST_BEATS, Math.floor(intervalMs / LEAST_BEAT_MS)));
    this.#beats = Array.from({ length: beats }, () => new Set());
  }

  get beats(): number {
    return this.#beats.length;
  }

  /** Gives a member the beat that is the part `at` of an interval (from 0 to below 1) away; returns which it is. */
  join(member: Member, at: number): number {
    const beat = (this.#next + Math.floor(at * this.beats)) % this.beats;
    this.#beats[beat]?.add(member);
    return beat;
  }

  leave(member: Member, beat: number): void {
    this.#beats[beat]?.delete(member);
  }

  /** Those whose turn it is now. */
  take(): ReadonlySet<Member> {
    const members = this.#beats[this.#next] as ReadonlySet<Member>;
    this.#next = (this.#next + 1) % this.beats;
    return members;
  }
}

/** Provides the heartbeat's machine. `pingNext` must not throw. */
export function createHeartbeatLogic(pingNext: () => void) {
  return heartbeatMachine.provide({ actions: { pingNext } });
}
