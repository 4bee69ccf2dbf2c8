import type { Connection, Gap, Position, Subscription } from '../../../client/src/index.ts';
import { compareIds } from '../../../client/src/position.ts';
import type { Random } from '../../support/random.ts';
import type { TestServer } from './server.ts';

/** What one subscription of a channel has heard, from when it joined to when it was given up. */
export class Ear {
  readonly subscription: Subscription;
  readonly ids: string[] = [];
  readonly gaps: Gap[] = [];
  #from: string | undefined;
  #until: string | undefined;

  constructor(subscription: Subscription, at?: Position) {
    this.subscription = subscription;
    this.#from = at?.lastId;
    subscription.onState((state) => {
      if (state === 'live') this.#from ??= subscription.position?.lastId;
    });
    subscription.on('*', (_, { id }) => this.ids.push(id));
    subscription.on('gap', (gap) => this.gaps.push(gap));
  }

  /** In the middle of whatever comes. Answers where one may go on. */
  giveUp(): Position | undefined {
    const { position } = this.subscription;
    this.subscription.unsubscribe();
    this.#until = position?.lastId;
    return position;
  }

  /** What is wrong with it: nothing may be lost, doubled, or out of order. */
  faults(server: TestServer): readonly string[] {
    const { channel, state, error } = this.subscription;
    const wanted = this.#wanted(server);
    return [
      ...(wanted.join() === this.ids.join() ? [] : [`${channel}: heard ${this.ids}, not ${wanted}`]),
      ...this.gaps.map((gap) => `${channel}: told of ${JSON.stringify(gap)}`),
      ...(error === undefined ? [] : [`${channel}: ended with ${error}`]),
      ...(state === 'live' || state === 'closed' ? [] : [`${channel}: ${state}`]),
    ];
  }

  #wanted(server: TestServer): string[] {
    const [from, until] = [this.#from, this.#until];
    const { channel, state } = this.subscription;
    if (from === undefined || (state === 'closed' && until === undefined)) return [];
    return server.log
      .filter((event) => event.channel === channel && compareIds(event.id, from) > 0)
      .filter(({ id }) => until === undefined || compareIds(id, until) <= 0)
      .map(({ id }) => id);
  }
}

/** The subscriptions of one connection, and what it said that has no answer, not even a bad one. */
export class Listener {
  readonly connection: Connection;
  readonly ears: Ear[] = [];
  pending = 0;
  readonly #aborts: AbortController[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Subscribes a channel, or gives it up; perhaps to go on from there at once, as another subscription. */
  change(channel: string, goesOn: boolean): void {
    const open = this.ears.find(
      ({ subscription }) => subscription.channel === channel && subscription.state !== 'closed',
    );
    const position = open?.giveUp();
    if (open === undefined || goesOn)
      this.ears.push(new Ear(this.connection.subscribe(channel, position), position));
  }

  /** Asks, with one of several time limits; `giveUpOne` may end it before. */
  ask(random: Random): void {
    const abort = new AbortController();
    this.#aborts.push(abort);
    const timeoutMs = random.pick([0, 100, 5_000]);
    this.track(this.connection.ask('echo', 1, { timeoutMs, signal: abort.signal }));
  }

  giveUpOne(random: Random): void {
    if (this.#aborts.length > 0) random.pick(this.#aborts).abort('enough');
  }

  /** Tells something, and publishes to a channel. */
  say(channel: string): void {
    this.track(this.connection.tell('x'));
    this.track(this.connection.publish(channel, 't', 0));
  }

  /** Says some of everything, which is not waited for. */
  begin(): void {
    for (const name of ['x', 'y', 'z']) this.connection.subscribe(name);
    this.track(this.connection.ask('echo'));
    this.track(this.connection.publish('a', 'b', 1));
  }

  track(said: Promise<unknown>): void {
    this.pending += 1;
    const done = () => {
      this.pending -= 1;
    };
    said.then(done, done);
  }
}
