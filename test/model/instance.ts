import type { ActorsDeps } from '../../src/actors/actors.ts';
import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import type { MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import { Instances } from '../../src/instances/instances.ts';
import type { SessionRules } from '../../src/protocol/native/session.ts';
import type { HeapClock } from '../support/heap-clock.ts';
import { createNativeCore, type NativeCore } from '../support/native-core.ts';
import type { Random } from '../support/random.ts';
import type { Client } from './client.ts';
import { Line } from './line.ts';
import { type Lag, slowLog } from './slow-log.ts';

export interface InstanceOptions {
  readonly id: string;
  readonly clock: HeapClock;
  readonly broker: MemoryBroker;
  readonly random: Random;
  readonly rules: Partial<SessionRules>;
  readonly deps: Partial<ActorsDeps> & Pick<ActorsDeps, 'limits'>;
  readonly slowestReadMs: number;
}

/** One instance of an installation: what serves its sockets, and what it says to the others. */
export class Instance {
  readonly id: string;
  readonly core: NativeCore;
  readonly instances: Instances;
  readonly lag: Lag;
  /** Those that were ever connected to it. */
  readonly clients: Client[] = [];
  isKilled = false;
  readonly #line: Line;
  readonly #limits: ActorsDeps['limits'];
  #sockets = 0;

  constructor({ id, clock, broker, random, rules, deps, slowestReadMs }: InstanceOptions) {
    this.id = id;
    this.#limits = deps.limits;
    this.lag = { slowestReadMs };
    this.#line = new Line(broker, clock, random);
    this.core = createNativeCore({
      shared: { clock, broker },
      rules,
      deps: { ...deps, newId: () => `${id}:${this.#sockets++}` },
      log: (log) => slowLog(log, clock, random, this.lag),
      isRevoked: (principal) => this.refuses(principal),
      onEpochChanged: () => this.instances.brokerChanged(),
    });
    let ends = 0;
    this.instances = new Instances({
      id,
      broker: this.#line,
      sessions: this.core.sessions,
      clock,
      metrics: this.core.metrics,
      maxTokenLifeMs: 86_400_000,
      random: random.next,
      newId: () => `${id}/end${ends++}`,
      report: {
        present() {},
        absent() {},
        answerFailed() {},
        malformed: () => void this.core.bugs.push(new Error('a malformed message')),
      },
    });
  }

  /** As both that it accepts sockets, and that it knows whose tokens are revoked. */
  get isServing(): boolean {
    return !this.isKilled && this.core.actors.isAccepting() && this.instances.isReady();
  }

  get isReady(): boolean {
    return this.isServing && this.core.actors.isReady();
  }

  async start(): Promise<void> {
    this.instances.start();
    await this.core.start();
  }

  refuses(principal: NativePrincipal): boolean {
    return this.instances.isRevoked(principal) !== false;
  }

  /** The broker went away, or is back. */
  setAway(isAway: boolean): void {
    if (isAway) this.#line.lose();
    else this.#line.resume();
  }

  /** All at once: its sockets are cut, and it says nothing more to anybody. */
  kill(): void {
    this.#line.cut();
    this.stop();
  }

  /** As `kill`, but it takes its leave of the others. */
  stop(): void {
    this.isKilled = true;
    for (const { transport } of this.clients) transport.cut();
    this.core.actors.stop();
    void this.instances.close();
    this.checkAccounts();
    const { subscriptions, budget } = this.core.actors.routing;
    if (subscriptions.size > 0) throw new Error(`${this.id}: subscriptions were left behind`);
    if (budget.total !== 0) throw new Error(`${this.id}: a budget of ${budget.total}`);
    if (this.core.sessions.size > 0) throw new Error(`${this.id}: sessions were left behind`);
  }

  checkBounds(): void {
    if (this.core.bugs.length > 0) throw this.core.bugs[0];
    const { window, budget } = this.core.actors.routing;
    if (window.length > this.#limits.window.maxEvents)
      throw new Error(`I5: ${window.length} events in the window`);
    // Beyond the limit: one frame of any size, and a few that are no events.
    const most = this.#limits.maxSocketBufferBytes + 4_000;
    for (const { transport } of this.clients) {
      if (transport.peakBufferedBytes <= most) continue;
      throw new Error(`I5: ${transport.peakBufferedBytes} bytes buffered for one socket`);
    }
    if (budget.total < 0) throw new Error(`the budget is ${budget.total}`);
  }

  /** I6: what was accepted was received, or never flushed and counted again as lost. */
  checkAccounts(): void {
    const { clients } = this;
    const accepted = clients.reduce((sum, { transport }) => sum + transport.acceptedEvents, 0);
    const received = clients.reduce((sum, client) => sum + client.received, 0);
    const delivered = this.core.metrics.of('signalbox.events_delivered');
    const unflushed = this.core.metrics.of('signalbox.events_not_delivered unflushed');
    const waiting = clients.reduce(
      (sum, { transport }) => sum + (transport.isClosed ? 0 : transport.unflushedEvents),
      0,
    );
    if (delivered !== accepted) throw new Error(`I6: ${delivered} delivered, ${accepted} accepted`);
    if (received !== accepted - unflushed - waiting) {
      throw new Error(`I6: ${received} received of ${accepted} accepted, ${unflushed} unflushed`);
    }
  }
}
