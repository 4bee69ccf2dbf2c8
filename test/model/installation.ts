import { createMemoryBroker, type MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { HistoryLimits } from '../../src/broker/memory/history.ts';
import { HeapClock } from '../support/heap-clock.ts';
import { NOW_MS } from '../support/native-auth.ts';
import type { Random } from '../support/random.ts';
import { Instance, type InstanceOptions } from './instance.ts';

export interface InstallationOptions {
  readonly random: Random;
  readonly size: number;
  readonly history: HistoryLimits;
  /** Of each instance. */
  instance(): Pick<InstanceOptions, 'rules' | 'deps'>;
}

/** In which an instance is ready, if it is at all. */
const START_MS = 2_000;
/** Of whom a read of the firehose may be on its way so long; 0: it does not lag. */
const LAGS_MS = [0, 300, 1_500];

/** Instances that share one broker and one clock; they come and go. */
export class Installation {
  readonly clock = new HeapClock(NOW_MS);
  readonly broker: MemoryBroker;
  readonly #options: InstallationOptions;
  #instances: Instance[] = [];
  #born = 0;
  isAway = false;

  constructor(options: InstallationOptions) {
    this.#options = options;
    this.broker = createMemoryBroker({ clock: this.clock, history: options.history });
  }

  /** Those that were not killed. */
  get living(): readonly Instance[] {
    return this.#instances;
  }

  /** Whether all know in which life the broker is. */
  get isOfOneLife(): boolean {
    const { epoch } = this.broker.native.head();
    return this.#instances.every(({ core }) => core.actors.routing.fanOut.epoch === epoch);
  }

  async start(): Promise<void> {
    for (let at = 0; at < this.#options.size; at += 1) await this.#add();
    await this.clock.advance(START_MS);
    for (const { isReady, id } of this.#instances) if (!isReady) throw new Error(`${id} is not ready`);
  }

  /** One that would take a socket. */
  any(): Instance | undefined {
    const serving = this.#instances.filter(({ isServing }) => isServing);
    return serving[this.#options.random.below(serving.length)];
  }

  /** One is gone in the middle of what it does, or takes its leave; another one begins. */
  async replaceOne(): Promise<void> {
    const { random } = this.#options;
    const [instance] = this.#instances.splice(random.below(this.#instances.length), 1);
    if (random.chance(0.7)) instance?.kill();
    else instance?.stop();
    await this.#add();
  }

  setAway(isAway: boolean): void {
    if (isAway === this.isAway) return;
    this.isAway = isAway;
    this.broker.outage(isAway);
    for (const instance of this.#instances) instance.setAway(isAway);
  }

  stop(): void {
    for (const instance of this.#instances) instance.stop();
  }

  async #add(): Promise<void> {
    const { random, size } = this.#options;
    const instance = new Instance({
      ...this.#options.instance(),
      id: `i${this.#born++}`,
      clock: this.clock,
      broker: this.broker,
      random,
      slowestReadMs: size === 1 ? 0 : random.pick(LAGS_MS),
    });
    this.#instances.push(instance);
    await instance.start();
  }
}
