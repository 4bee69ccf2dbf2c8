import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import type { StartReport } from '../supervision.ts';
import type { GaugeName, Metrics } from '../telemetry/metrics.ts';
import { type FromWorker, REPORT_INTERVAL_MS, SILENT_INTERVALS, type ToWorker } from './messages.ts';

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

/**
 * A worker's side of the conversation with its primary.
 *
 * The worker drains when it is told to, when a SIGTERM is for it alone, and when the primary is gone. It does so
 * once, however often it is told: a process group gets one signal in all its members, and the primary passes it on.
 * A SIGINT is the terminal's, which the primary gets too. Only the primary knows a second signal, and kills.
 */
export class PrimaryLink implements StartReport {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #orders = new EventEmitter();
  readonly #gauges: Partial<Record<GaugeName, number>> = {};
  /** Of gauges with labels, each label's own level: the primary is told the greatest. */
  readonly #levels: Partial<Record<GaugeName, Record<string, number>>> = {};
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

  readonly gauge: Metrics['gauge'] = (name, value, labels = {}) => {
    const levels = (this.#levels[name] ??= {});
    levels[Object.values(labels).join(' ')] = value;
    this.#gauges[name] = Math.max(...Object.values(levels));
  };

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
        this.#channel.send({ type: 'state.reported', isReady: isReadyNow, gauges: this.#gauges });
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
        this.#accept({ worker: message.worker, loaded: message.loaded });
        break;
      case 'server.drain':
        this.#drain('drain');
        break;
      case 'readiness.decided':
        this.#silentLooks = 0;
        this.#areAllReady = message.areAllReady;
        break;
    }
  }

  #drain(order: string): void {
    if (this.#order !== undefined) return;
    this.#order = order;
    this.#accept(undefined);
    this.#orders.emit('SIGTERM', order);
  }
}
