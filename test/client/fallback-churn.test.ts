import { describe, expect, test } from '@jest/globals';
import { connect } from '../../client/src/sse.ts';
import { settled } from '../support/heap-clock.ts';
import type { Random } from '../support/random.ts';
import { CountingClock } from './support/counting-clock.ts';
import { Ear, Listener } from './support/ear.ts';
import { TestHttp } from './support/http.ts';
import { TestServer } from './support/server.ts';

const CHANNELS = ['a', 'b', 'c'];
const OWN = 'user:ann';
const SEEDS = Array.from({ length: 80 }, (_, at) => at + 1);
const STEPS = 80;

/** One client that finds now the one way open, now the other, both or none. */
class Churn {
  readonly server: TestServer;
  readonly over: TestHttp;
  readonly clock: CountingClock;
  readonly listener: Listener;
  readonly #random: Random;

  constructor(seed: number) {
    this.server = new TestServer({ seed, user: 'ann', pingInterval: 5_000 });
    this.over = new TestHttp(this.server);
    this.#random = this.server.random;
    this.clock = new CountingClock(this.server.clock);
    this.server.wire.isUp = this.#random.chance(0.3);
    const { options } = this.server;
    this.listener = new Listener(
      connect('wss://server/path', {
        ...options,
        clock: this.clock,
        fetch: this.over.fetch,
        webSocketRetryMs: 10_000,
        backoffMs: 200,
        maxBackoffMs: 1_000,
      }),
    );
    this.listener.ears.push(new Ear(this.listener.connection.user));
  }

  async step(): Promise<void> {
    const { server, over, listener } = this;
    const random = this.#random;
    const channel = random.pick(CHANNELS);
    switch (random.below(14)) {
      case 0:
      case 1:
      case 2:
        return void server.append(random.pick([...CHANNELS, OWN]), 0);
      case 3:
        return server.clock.advance(random.below(50));
      case 4:
        return server.clock.advance(random.below(4_000));
      case 5:
        return server.wire.cut(random.chance(0.6));
      case 6:
        return over.cut(random.chance(0.6));
      case 7:
        if (random.chance(0.3)) server.wire.isUp = !server.wire.isUp;
        return;
      case 8:
        if (random.chance(0.3)) over.isUp = !over.isUp;
        return;
      case 9:
      case 10:
        return listener.change(channel, random.chance(0.7));
      case 11:
        return listener.ask(random);
      case 12:
        return listener.say(channel);
      default:
        listener.giveUpOne(random);
    }
  }
}

describe('a connection to which one way is open, then the other, while subscriptions come and go', () => {
  test.each(SEEDS)(
    'hears what is its own once and in order, and leaves nothing behind (seed %d)',
    async (seed) => {
      const churn = new Churn(seed);
      const { server, over, listener } = churn;
      const { connection, ears } = listener;
      for (let at = 0; at < STEPS; at++) await churn.step();
      over.isUp = true;
      await server.clock.advance(300_000);
      expect(ears.flatMap((ear) => ear.faults(server))).toEqual([]);
      expect([connection.state, listener.pending]).toEqual(['live', 0]);
      expect(server.faults).toEqual([]);

      // And once more, closed in the middle of it.
      listener.begin();
      await server.clock.advance(server.random.below(300));
      if (server.random.chance(0.5)) over.cut(server.random.chance(0.5));
      await server.clock.advance(server.random.below(100));
      connection.close();
      await settled();
      expect(listener.pending).toBe(0);
      const asked = over.requests.length;
      await server.clock.advance(60_000);
      // What was said before is still sent.
      const streams = over.requests.slice(asked).filter((request) => !request.startsWith('POST'));
      expect([streams, churn.clock.running, server.wire.ends.length]).toEqual([[], 0, 0]);
    },
  );
});
