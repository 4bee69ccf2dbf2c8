import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import type { StartReport } from '../supervision.ts';
import { type Figures, NO_FIGURES } from '../telemetry/figures.ts';
import type { MeasuringCompany, Share } from '../telemetry/telemetry.ts';
import {
  type FromWorker,
  GATHER_TIMEOUT_MS,
  REPORT_INTERVAL_MS,
  SILENT_INTERVALS,
  type ToWorker,
} from './messages.ts';

/** The way to the primary. */
export interface Channel {
  /** Sends, or does nothing when the primary has gone. */
  send(message: FromWorker): void;
  onMessage(take: (message: ToWorker) => void): void;
  onDisconnect(run: () => void): void;
}

/** What a worker is to serve. */
export interface Task {
  readonly worker: number;
  readonly loaded: LoadedConfig;
}

export interface PrimaryLinkDeps {
  readonly channel: Channel;
  readonly process: Pick<EventEmitter, 'on'>;
  readonly clock: Clock;
}

/** How often a worker looks whether it is still ready, for each time that it says so unasked. */
const LOOKS_PER_INTERVAL = 5;

/** The primary waits for workers, and this one for the primary: a little longer. */
const PRIMARY_TIMEOUT_MS = GATHER_TIMEOUT_MS + 500;

/** Somebody who waits for the figures of all. */
interface Waiting {
  readonly timer: unknown;
  readonly resolve: (shares: readonly Share[]) => void;
}

/**
 * A worker's side of the conversation with its primary.
 *
 * The worker drains when it is told to, when a SIGTERM is for it alone, and when the primary is gone. It does so
 * once, however often it is told: a process group gets one signal in all its members, and the primary passes it on.
 * A SIGINT is the terminal's, which the primary gets too. Only the primary knows a second signal, and kills.
 */
export class PrimaryLink implements StartReport, MeasuringCompany {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #orders = new EventEmitter();
  #own: Parameters<MeasuringCompany['measureBy']>[0] | undefined;
  #worker = 0;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #order: string | undefined;
  #areAllReady = false;
  #silentLooks = 0;
  #accept: (task: Task | undefined) => void = () => {};

  /** What to serve; undefined: nothing, it is to end. */
  readonly task: Promise<Task | undefined>;
  /** What the worker's supervisor takes for the process: signals are the primary's orders, bugs are its own. */
  readonly process: Pick<EventEmitter, 'on'>;

  constructor({ channel, process, clock }: PrimaryLinkDeps) {
    this.#channel = channel;
    this.#clock = clock;
    this.task = new Promise((resolve) => {
      this.#accept = resolve;
    });
    this.process = {
      on: (name: string, listener) => {
        if (!name.startsWith('SIG')) return process.on(name, listener);
        if (name === 'SIGTERM' && this.#order !== undefined) listener(this.#order);
        return this.#orders.on(name, listener);
      },
    };
    process.on('SIGTERM', () => this.#drain('SIGTERM'));
    process.on('SIGINT', () => {});
    channel.onDisconnect(() => this.#drain('the primary is gone'));
    channel.onMessage((message) => this.#take(message));
    channel.send({ type: 'worker.booted' });
  }

  started({ host, port }: { readonly host: string; readonly port: number }): void {
    this.#channel.send({ type: 'port.bound', host, port });
  }

  failed({ message, code }: NodeJS.ErrnoException): void {
    this.#channel.send({ type: 'start.failed', message, code });
  }

  /** From 1; 0: it was not told yet. */
  get worker(): number {
    return this.#worker;
  }

  measureBy(own: Parameters<MeasuringCompany['measureBy']>[0]): void {
    this.#own = own;
  }

  gather(): Promise<readonly Share[]> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error('the primary did not answer'));
      }, PRIMARY_TIMEOUT_MS);
      this.#waiting.set(id, { timer, resolve });
      this.#channel.send({ type: 'figures.asked', id });
    });
  }

  readonly areOthersReady = (): boolean =>
    this.#areAllReady && this.#silentLooks < SILENT_INTERVALS * LOOKS_PER_INTERVAL;

  /** Reports from now on: at once when it becomes ready or stops to be, and regularly. */
  reportOn(isReady: () => boolean): void {
    let wasReady: boolean | undefined;
    let looks = 0;
    const look = (): void => {
      const isReadyNow = isReady();
      this.#silentLooks += 1;
      if (isReadyNow !== wasReady || looks % LOOKS_PER_INTERVAL === 0) {
        this.#channel.send({ type: 'state.reported', isReady: isReadyNow, figures: this.#figures });
      }
      wasReady = isReadyNow;
      looks += 1;
      this.#clock.setTimeout(look, REPORT_INTERVAL_MS / LOOKS_PER_INTERVAL);
    };
    look();
  }

  #take(message: ToWorker): void {
    switch (message.type) {
      case 'server.start':
        this.#worker = message.worker;
        this.#accept({ worker: message.worker, loaded: message.loaded });
        break;
      case 'server.drain':
        this.#drain('drain');
        break;
      case 'readiness.decided':
        this.#silentLooks = 0;
        this.#areAllReady = message.areAllReady;
        break;
      case 'figures.wanted':
        void this.#give(message.id);
        break;
      case 'figures.gathered':
        this.#gathered(message.id, message.shares);
        break;
    }
  }

  get #figures(): Figures {
    return this.#own?.figures() ?? NO_FIGURES;
  }

  async #give(id: number): Promise<void> {
    // What cannot be had of the process must not keep its figures back.
    const share = await this.#own?.share().catch(() => undefined);
    this.#channel.send({ type: 'figures.given', id, share: share ?? { figures: this.#figures } });
  }

  #gathered(id: number, shares: readonly Share[]): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.#clock.clearTimeout(waiting.timer);
    waiting.resolve(shares);
  }

  #drain(order: string): void {
    if (this.#order !== undefined) return;
    this.#order = order;
    this.#accept(undefined);
    this.#orders.emit('SIGTERM', order);
  }
}
