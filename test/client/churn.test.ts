import { describe, expect, test } from '@jest/globals';
import { type Connection, connect, type Gap, type Subscription } from '../../client/src/index.ts';
import { compareIds, type Position } from '../../client/src/position.ts';
import { settled } from '../support/heap-clock.ts';
import type { Random } from '../support/random.ts';
import { CountingClock } from './support/counting-clock.ts';
import { TestServer } from './support/server.ts';

const CHANNELS = ['a', 'b', 'c'];
const SEEDS = Array.from({ length: 100 }, (_, at) => at + 1);
const STEPS = 80;
const TEMPORARY = ['unavailable', 'timeout', 'rate_limited', 'unauthorized', 'too_many'] as const;
const COMES_BACK = [1001, 1011, 1012, 1013, 4401, 4408, 4413];

/** One subscription of a channel, from when it joined to when it was given up. */
interface Ear {
  readonly subscription: Subscription;
  readonly ids: string[];
  readonly gaps: Gap[];
  from: string | undefined;
  until: string | undefined;
}

function listen(connection: Connection, name: string, at?: Position): Ear {
  const subscription = connection.subscribe(name, at);
  const ear: Ear = { subscription, ids: [], gaps: [], from: at?.lastId, until: undefined };
  subscription.onState((state) => {
    if (state === 'live') ear.from ??= subscription.position?.lastId;
  });
  subscription.on('*', (_, { id }) => ear.ids.push(id));
  subscription.on('gap', (gap) => ear.gaps.push(gap));
  return ear;
}

/** Ids that it should have heard. */
function wantedBy(server: TestServer, { subscription, from, until }: Ear): string[] {
  const isOver = subscription.state === 'closed';
  if (from === undefined || (isOver && until === undefined)) return [];
  return server.log
    .filter(({ channel, id }) => channel === subscription.channel && compareIds(id, from) > 0)
    .filter(({ id }) => until === undefined || compareIds(id, until) <= 0)
    .map(({ id }) => id);
}

/** Functions that fail now and then, after a time. */
function credentials({ clock, random }: TestServer) {
  const later = (value: string, within: number) => async () => {
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, random.below(within)));
    if (random.chance(0.1)) throw new Error(`no ${value}`);
    return value;
  };
  return { token: later('token', 500), ticket: later('ticket', 200) };
}

class Churn {
  readonly server: TestServer;
  readonly clock: CountingClock;
  readonly connection: Connection;
  readonly ears: Ear[] = [];
  /** Of what was asked, told and published: without an answer, even a bad one. */
  pending = 0;
  isRefusing = false;
  readonly #random: Random;
  readonly #aborts: AbortController[] = [];

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
    this.connection = connect('ws://server/', {
      ...this.server.options,
      ...credentials(this.server),
      clock: this.clock,
    });
  }

  async step(): Promise<void> {
    const { server, connection } = this;
    const random = this.#random;
    const name = random.pick(CHANNELS);
    const open = this.ears.find(
      ({ subscription }) => subscription.channel === name && subscription.state !== 'closed',
    );
    switch (random.below(13)) {
      case 0:
      case 1:
      case 2:
        return void server.append(name, 0);
      case 3:
        return server.clock.advance(random.below(50));
      case 4:
        return server.clock.advance(random.below(4_000));
      case 5:
        return server.wire.cut(random.chance(0.6));
      case 6:
        return server.end(random.pick(COMES_BACK));
      case 7:
        if (random.chance(0.7)) return;
        server.wire.isUp = false;
        server.wire.cut(true);
        await server.clock.advance(random.below(20_000));
        server.wire.isUp = true;
        return;
      case 8:
      case 9:
        if (open === undefined) this.ears.push(listen(connection, name));
        else this.#giveUp(open);
        return;
      case 10: {
        const abort = new AbortController();
        this.#aborts.push(abort);
        const options = { timeoutMs: random.pick([0, 100, 5_000]), signal: abort.signal };
        return this.track(connection.ask('echo', 1, options));
      }
      case 11:
        this.track(connection.tell('x'));
        this.track(connection.publish(name, 't', 0));
        return;
      default:
        this.isRefusing = random.chance(0.3);
        if (this.#aborts.length > 0) random.pick(this.#aborts).abort('enough');
    }
  }

  track(said: Promise<unknown>): void {
    this.pending += 1;
    const done = () => {
      this.pending -= 1;
    };
    said.then(done, done);
  }

  /** In the middle of whatever it is doing; perhaps to go on from there at once, as another subscription. */
  #giveUp(ear: Ear): void {
    const { channel, position } = ear.subscription;
    ear.subscription.unsubscribe();
    ear.until = position?.lastId;
    if (this.#random.chance(0.7)) this.ears.push(listen(this.connection, channel, position));
  }
}

describe('subscriptions that come and go while lines are cut, frames refused and tokens late', () => {
  test.each(SEEDS)(
    'hear what is theirs once and in order, and leave nothing behind (seed %d)',
    async (seed) => {
      const churn = new Churn(seed);
      const { server, connection, ears } = churn;
      for (let at = 0; at < STEPS; at++) await churn.step();
      churn.isRefusing = false;
      await server.clock.advance(200_000);
      for (const ear of ears) {
        const { subscription, ids, gaps } = ear;
        expect(ids).toEqual(wantedBy(server, ear));
        expect([gaps, subscription.error]).toEqual([[], undefined]);
        expect(subscription.state).toMatch(/live|closed/);
      }
      expect([connection.state, churn.pending]).toEqual(['live', 0]);
      expect(server.faults).toEqual([]);

      // And once more, closed in the middle of it.
      churn.isRefusing = true;
      for (const name of ['x', 'y', 'z']) connection.subscribe(name);
      churn.track(connection.ask('echo'));
      churn.track(connection.publish('a', 'b', 1));
      await server.clock.advance(server.random.below(300));
      if (server.random.chance(0.5)) server.wire.cut(server.random.chance(0.5));
      await server.clock.advance(server.random.below(100));
      connection.close();
      await settled();
      expect([churn.pending, churn.clock.running]).toEqual([0, 0]);
    },
  );
});
