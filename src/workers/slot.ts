import { type Clock, fullJitterMs } from '../clock.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import type { Figures } from '../telemetry/figures.ts';
import type { Share } from '../telemetry/telemetry.ts';
import { type FromWorker, SILENT_INTERVALS, type ToWorker } from './messages.ts';

/** How a process ended: one of both is given. */
export interface End {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process that was forked. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Sends, or does nothing when it has ended. */
  send(message: ToWorker): void;
  /** Ends it at once. */
  kill(): void;
}

export interface WorkerListener {
  told(message: FromWorker): void;
  /** Called once, after everything that it told. */
  ended(end: End): void;
}

/** Starts a worker. What it calls back comes later, never before it returns. */
export type Fork = (listener: WorkerListener) => WorkerProcess;

/** Who hears what becomes of the worker in a slot. */
export interface SlotOwner {
  bound(slot: Slot, address: { readonly host: string; readonly port: number }): void;
  startFailed(slot: Slot, error: NodeJS.ErrnoException): void;
  reported(slot: Slot): void;
  /** It asks for the figures of all, under an id of its own. */
  asked(slot: Slot, id: number): void;
  /** What it was asked for by the primary. */
  given(slot: Slot, id: number, share: Share): void;
  /** `figures`: what it last said that it had measured. */
  ended(
    slot: Slot,
    end: End & { readonly pid: number | undefined; readonly figures: Figures | undefined },
  ): void;
}

export interface SlotDeps {
  /** From 1. */
  readonly worker: number;
  readonly loaded: LoadedConfig;
  readonly fork: Fork;
  readonly clock: Clock;
  readonly random: () => number;
  readonly owner: SlotOwner;
}

const BACKOFF = { baseMs: 200, capMs: 10_000 };
/** Lived for this long, and the next end is followed by the shortest pause again. */
const SETTLED_MS = 10_000;
/** Stuck for this long it is killed: it would keep its sockets from going elsewhere for ever. */
const WEDGED_INTERVALS = 30;

/**
 * The place of one worker: the process that is in it, and those that follow when it ends.
 *
 * Silence is counted in the primary's own intervals and not in time, so that a machine that slept does not take all
 * its workers for stuck when it wakes.
 */
export class Slot {
  readonly #deps: SlotDeps;
  #process: WorkerProcess | undefined;
  #startedAtMs = 0;
  #attempt = 0;
  #timer: unknown;
  #silentIntervals = 0;
  #isReady = false;
  #figures: Figures | undefined;
  #isDraining = false;

  constructor(deps: SlotDeps) {
    this.#deps = deps;
  }

  get worker(): number {
    return this.#deps.worker;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isEmpty(): boolean {
    return this.#process === undefined;
  }

  get isReady(): boolean {
    return this.#isReady && this.#silentIntervals < SILENT_INTERVALS;
  }

  /** What the process that is in it measured, as it last said; undefined: it has not said anything yet. */
  get figures(): Figures | undefined {
    return this.#figures;
  }

  start(): void {
    const { clock, fork } = this.#deps;
    this.#timer = undefined;
    this.#startedAtMs = clock.now();
    this.#silentIntervals = 0;
    this.#process = fork({ told: (message) => this.#told(message), ended: (end) => this.#ended(end) });
  }

  /** Starts another after a pause, which it answers in milliseconds. */
  restart(): number {
    const { clock, random } = this.#deps;
    if (clock.now() - this.#startedAtMs >= SETTLED_MS) this.#attempt = 0;
    const delayMs = fullJitterMs(this.#attempt, { ...BACKOFF, random });
    this.#attempt += 1;
    this.#timer = clock.setTimeout(() => this.start(), delayMs);
    return delayMs;
  }

  send(message: ToWorker): void {
    this.#process?.send(message);
  }

  /** For good: nobody follows. */
  drain(): void {
    this.#isDraining = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.send({ type: 'server.drain' });
  }

  kill(): void {
    this.#process?.kill();
  }

  /** Called once an interval; answers whether the worker has now been stuck for too long. */
  isWedged(): boolean {
    this.#silentIntervals += 1;
    return this.#process !== undefined && this.#silentIntervals === WEDGED_INTERVALS;
  }

  #told(message: FromWorker): void {
    const { worker, loaded, owner } = this.#deps;
    this.#silentIntervals = 0;
    switch (message.type) {
      case 'worker.booted':
        this.send(this.#isDraining ? { type: 'server.drain' } : { type: 'server.start', worker, loaded });
        break;
      case 'port.bound':
        owner.bound(this, { host: message.host, port: message.port });
        break;
      case 'start.failed':
        owner.startFailed(this, Object.assign(new Error(message.message), { code: message.code }));
        break;
      case 'state.reported':
        this.#isReady = message.isReady;
        this.#figures = message.figures;
        owner.reported(this);
        break;
      case 'figures.asked':
        owner.asked(this, message.id);
        break;
      case 'figures.given':
        // Whoever was shown them must never be shown less, should this be the last that is heard of it.
        this.#figures = message.share.figures;
        owner.given(this, message.id, message.share);
        break;
    }
  }

  #ended(end: End): void {
    const pid = this.#process?.pid;
    const figures = this.#figures;
    this.#process = undefined;
    this.#isReady = false;
    this.#figures = undefined;
    this.#deps.owner.ended(this, { ...end, pid, figures });
  }
}
