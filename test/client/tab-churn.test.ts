import { describe, expect, test } from '@jest/globals';
import { settled } from '../support/heap-clock.ts';
import type { Random } from '../support/random.ts';
import { Browser, type OpenedTab } from './support/browser.ts';
import { CountingClock } from './support/counting-clock.ts';
import { Ear, Listener } from './support/ear.ts';
import { TestServer } from './support/server.ts';

const CHANNELS = ['a', 'b', 'c'];
const OWN = 'user:u';
const TABS = 6;
const SEEDS = Array.from({ length: 80 }, (_, at) => at + 1);
const STEPS = 100;
const COMES_BACK = [1001, 1011, 1012, 1013, 4408, 4413];

interface Tab extends OpenedTab {
  readonly listener: Listener;
  readonly clock: CountingClock;
  isOpen: boolean;
  isFrozen: boolean;
}

/** Tabs of one origin, each of which may be opened, closed, crash, or not run for a time, whoever leads. */
class Churn {
  readonly server: TestServer;
  readonly #random: Random;
  readonly #browser: Browser;
  readonly #tabs: Tab[] = [];

  constructor(seed: number) {
    this.server = new TestServer({ seed, user: 'u', pingInterval: 5_000 });
    this.#random = this.server.random;
    this.#browser = new Browser(this.server);
    for (let at = 0; at < TABS; at++) this.#open(at);
  }

  get open(): readonly Tab[] {
    return this.#tabs.filter(({ isOpen }) => isOpen);
  }

  async step(): Promise<void> {
    const { server } = this;
    const random = this.#random;
    switch (random.below(13)) {
      case 0:
      case 1:
      case 2:
        return void server.append(random.pick([...CHANNELS, OWN]), 0);
      case 3:
        return server.clock.advance(random.below(50));
      case 4:
        return server.clock.advance(random.below(3_000));
      case 5:
        return random.chance(0.4) ? server.wire.cut(random.chance(0.6)) : undefined;
      case 6:
        return random.chance(0.4) ? server.end(random.pick(COMES_BACK)) : undefined;
      case 7:
        return random.chance(0.3) ? server.outage(random.below(20_000)) : undefined;
      case 8:
        return this.#open(random.below(TABS));
      default:
        return this.#change(this.#tabs[random.below(TABS)] as Tab);
    }
  }

  async thaw(): Promise<void> {
    for (const tab of this.open) await this.#thaw(tab);
  }

  #open(at: number): void {
    if (this.#tabs[at]?.isOpen) return;
    const clock = new CountingClock(this.server.clock);
    const opened = this.#browser.open({ clock });
    const listener = new Listener(opened.connection);
    listener.ears.push(new Ear(opened.connection.user));
    this.#tabs[at] = { ...opened, listener, clock, isOpen: true, isFrozen: false };
  }

  async #change(tab: Tab): Promise<void> {
    const random = this.#random;
    const { listener, connection } = tab;
    if (!tab.isOpen) return;
    if (random.chance(0.1)) {
      tab.isOpen = false;
      return tab.crash();
    }
    // What does not run does nothing.
    if (tab.isFrozen) return random.chance(0.5) ? this.#thaw(tab) : undefined;
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2:
        return listener.change(random.pick(CHANNELS), random.chance(0.7));
      case 3:
      case 4:
        listener.track(connection.ask('echo', 1, { timeoutMs: random.pick([0, 100, 5_000]) }));
        listener.track(connection.publish(random.pick(CHANNELS), 't', 0));
        return;
      case 5:
      case 6:
        tab.isFrozen = true;
        tab.freeze();
        return random.chance(0.5) ? this.server.clock.advance(random.below(60_000)) : undefined;
      default:
        tab.isOpen = false;
        return connection.close();
    }
  }

  #thaw(tab: Tab): Promise<void> {
    tab.isFrozen = false;
    return tab.thaw();
  }
}

describe('tabs that are opened, closed, crash and do not run, while lines are cut', () => {
  test.each(SEEDS)('hear what is theirs once and in order, over one connection (seed %d)', async (seed) => {
    const churn = new Churn(seed);
    const { server } = churn;
    for (let at = 0; at < STEPS; at++) await churn.step();
    await churn.thaw();
    await server.clock.advance(200_000);
    const tabs = churn.open;
    expect(tabs.flatMap(({ listener }) => listener.ears.flatMap((ear) => ear.faults(server)))).toEqual([]);
    expect(tabs.map(({ connection, listener }) => [connection.state, listener.pending])).toEqual(
      tabs.map(() => ['live', 0]),
    );
    expect(server.wire.ends).toHaveLength(tabs.length > 0 ? 1 : 0);
    expect(server.faults).toEqual([]);

    for (const { connection, listener } of tabs) {
      listener.track(connection.ask('echo'));
      connection.close();
    }
    await settled();
    expect(tabs.map(({ listener, clock }) => [listener.pending, clock.running])).toEqual(
      tabs.map(() => [0, 0]),
    );
    await server.clock.advance(1_000);
    expect(server.wire.ends).toEqual([]);
  });
});
