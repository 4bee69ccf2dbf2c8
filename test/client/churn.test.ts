import { describe, expect, test } from '@jest/globals';
import { connect } from '../../client/src/index.ts';
import { settled } from '../support/heap-clock.ts';
import type { Random } from '../support/random.ts';
import { CountingClock } from './support/counting-clock.ts';
import { Listener } from './support/ear.ts';
import { TestServer } from './support/server.ts';

const CHANNELS = ['a', 'b', 'c'];
const SEEDS = Array.from({ length: 100 }, (_, at) => at + 1);
const STEPS = 80;
const TEMPORARY = ['unavailable', 'timeout', 'rate_limited', 'unauthorized', 'too_many'] as const;
const COMES_BACK = [1001, 1011, 1012, 1013, 4401, 4408, 4413];

/** Functions that fail now and then, after a time. */
function credentials({ clock, random }: TestServer) {
  const later = (value: string, within: number) => async () => {
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, random.below(within)));
    if (random.chance(0.1)) throw new Error(`no ${value}`);
    return value;
  };
  return { token: later('token', 500), ticket: later('ticket', 200) };
}

/** One client, to which everything happens at any moment. */
class Churn {
  readonly server: TestServer;
  readonly clock: CountingClock;
  readonly listener: Listener;
  isRefusing = false;
  readonly #random: Random;

  constructor(seed: number) {
    this.server = new TestServer({
      seed,
      user: 'u',
      pingInterval: 5_000,
      expiresInMs: 40_000,
      refuse: ({ type }) =>
        this.isRefusing && /^(?:subscribe|ask|refresh)$/.test(type) && this.#random.chance(0.5)
          ? this.#random.pick(TEMPORARY)
          : undefined,
    });
    this.#random = this.server.random;
    this.clock = new CountingClock(this.server.clock);
    const { options } = this.server;
    this.listener = new Listener(
      connect('ws://server/', { ...options, ...credentials(this.server), clock: this.clock }),
    );
  }

  async step(): Promise<void> {
    const { server, listener } = this;
    const random = this.#random;
    const channel = random.pick(CHANNELS);
    switch (random.below(13)) {
      case 0:
      case 1:
      case 2:
        return void server.append(channel, 0);
      case 3:
        return server.clock.advance(random.below(50));
      case 4:
        return server.clock.advance(random.below(4_000));
      case 5:
        return server.wire.cut(random.chance(0.6));
      case 6:
        return server.end(random.pick(COMES_BACK));
      case 7:
        return random.chance(0.3) ? server.outage(random.below(20_000)) : undefined;
      case 8:
      case 9:
        return listener.change(channel, random.chance(0.7));
      case 10:
        return listener.ask(random);
      case 11:
        return listener.say(channel);
      default:
        this.isRefusing = random.chance(0.3);
        listener.giveUpOne(random);
    }
  }
}

describe('subscriptions that come and go while lines are cut, frames refused and tokens late', () => {
  test.each(SEEDS)(
    'hear what is theirs once and in order, and leave nothing behind (seed %d)',
    async (seed) => {
      const churn = new Churn(seed);
      const { server, listener } = churn;
      const { connection, ears } = listener;
      for (let at = 0; at < STEPS; at++) await churn.step();
      churn.isRefusing = false;
      await server.clock.advance(200_000);
      expect(ears.flatMap((ear) => ear.faults(server))).toEqual([]);
      expect([connection.state, listener.pending]).toEqual(['live', 0]);
      expect(server.faults).toEqual([]);

      // And once more, closed in the middle of it.
      churn.isRefusing = true;
      listener.begin();
      await server.clock.advance(server.random.below(300));
      if (server.random.chance(0.5)) server.wire.cut(server.random.chance(0.5));
      await server.clock.advance(server.random.below(100));
      connection.close();
      await settled();
      expect([listener.pending, churn.clock.running]).toEqual([0, 0]);
    },
  );
});
