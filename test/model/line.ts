import type { Broker, Control, Revocations } from '../../src/broker/ports.ts';
import type { Clock } from '../../src/clock.ts';
import type { Random } from '../support/random.ts';
import { pause, SLOWEST_MS } from './slow-log.ts';

/**
 * One instance's line to what all of them say to each other: slow, and cut when the instance is killed. After an outage
 * what was said meanwhile is lost, and the instance is told that it was away; that is less than Redis does.
 */
export class Line {
  readonly control: Control;
  readonly revocations: Revocations;
  readonly #clock: Clock;
  readonly #random: Random;
  #isCut = false;
  #isDeaf = false;
  /** What is on its way arrives in this connection only. */
  #connection = 0;
  #arrivedAtMs = 0;
  #onResumed: (() => void) | undefined;

  constructor(
    { control, revocations }: Pick<Broker, 'control' | 'revocations'>,
    clock: Clock,
    random: Random,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.control = {
      send: (message) => this.#ask(() => control.send(message)),
      heartbeat: (instance, ttlMs) => this.#ask(() => control.heartbeat(instance, ttlMs)),
      instances: () => this.#ask(() => control.instances()),
      listen: (handler, onResumed) => {
        this.#onResumed = onResumed;
        return this.#ask(() => control.listen((message) => this.#arrive(() => handler(message))));
      },
      close: async () => {},
    };
    this.revocations = {
      add: (added, ttlMs) => this.#ask(() => revocations.add(added, ttlMs)),
      all: () => this.#ask(() => revocations.all()),
      close: async () => {},
    };
  }

  cut(): void {
    this.#isCut = true;
  }

  lose(): void {
    this.#isDeaf = true;
    this.#connection += 1;
  }

  /** The broker is back: the instance hears of it a little later. */
  resume(): void {
    const connection = this.#connection;
    this.#clock.setTimeout(() => {
      if (this.#isCut || connection !== this.#connection) return;
      this.#isDeaf = false;
      this.#onResumed?.();
    }, this.#random.below(SLOWEST_MS));
  }

  async #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    await pause(this.#clock, this.#random, SLOWEST_MS);
    if (this.#isCut) throw new Error('the line is cut');
    const answer = await ask();
    await pause(this.#clock, this.#random, SLOWEST_MS);
    if (this.#isCut) throw new Error('the line is cut');
    return answer;
  }

  /** In the order in which it was said. */
  #arrive(hear: () => void): void {
    if (this.#isDeaf) return;
    const connection = this.#connection;
    const nowMs = this.#clock.now();
    this.#arrivedAtMs = Math.max(this.#arrivedAtMs, nowMs + this.#random.below(SLOWEST_MS));
    this.#clock.setTimeout(() => {
      if (!this.#isCut && connection === this.#connection) hear();
    }, this.#arrivedAtMs - nowMs);
  }
}
