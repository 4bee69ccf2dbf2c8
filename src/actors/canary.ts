import { type ActorRefFrom, fromPromise } from 'xstate';
import { canaryMachine, type Look } from '../../machines/canary.machine.ts';
import type { EventLog } from '../broker/ports.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { FirehoseFeed } from '../feed/firehose-feed.ts';
import type { RealtimeFeed } from '../feed/realtime-feed.ts';
import type { Registry } from '../routing/registry.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createEchoLook, createLogLook, type LookDeps } from './canary-look.ts';

/** How a reader is watched. */
export interface CanarySettings {
  /** Of the feed, in figures. */
  readonly name: 'native' | 'superset';
  readonly intervalMs: number;
  readonly toleranceMs: number;
  /** Publishes to the log what nobody hears; left out: nothing is published there. */
  readonly publish?: () => Promise<StreamId>;
  /** A Pub/Sub channel of this process alone; left out: a lossy feed is not watched. */
  readonly echoChannel?: string;
}

export interface CanaryDeps extends Pick<LookDeps, 'fanOut' | 'clock' | 'isReading'> {
  readonly settings: CanarySettings;
  readonly registry: Registry;
  /** Before the id of its actor. */
  readonly prefix: string;
  readonly log: Pick<EventLog, 'lastIdAfresh' | 'publish'>;
  readonly metrics: Metrics;
  readonly random: () => number;
  readonly report: {
    readerDeaf(look: Look): void;
    readerHearing(): void;
    canaryRefused(error: unknown): void;
  };
  /** Whether there is somebody here who would miss something. */
  isHeard(): boolean;
  /** Has the reader connect anew. */
  reconnect(error: string): void;
  onCrash(error: unknown): void;
}

type Looking = () => Promise<Look>;

/** Watches one reader: whether what is published arrives here. */
export class Canary {
  readonly #deps: CanaryDeps;
  readonly #look: Looking | undefined;
  readonly #blockMs: number;
  #actor: ActorRefFrom<typeof canaryMachine> | undefined;
  #isDeaf = false;

  private constructor(deps: CanaryDeps, look: Looking | undefined, blockMs: number) {
    this.#deps = deps;
    this.#look = look;
    this.#blockMs = blockMs;
  }

  /** Of the reader of a log, whose reads may wait for `blockMs`. */
  static ofLog(deps: CanaryDeps, feed: Pick<FirehoseFeed, 'answers'>, blockMs: number): Canary {
    const { publish } = deps.settings;
    const look = createLogLook({ ...deps, ...lookDepsOf(deps), feed, blockMs, publish });
    return new Canary(deps, look, blockMs);
  }

  /** Of the reader of one Pub/Sub channel. */
  static ofRealtime(deps: CanaryDeps, feed: Pick<RealtimeFeed, 'echo' | 'arrived'>): Canary {
    const { echoChannel: channel } = deps.settings;
    const look =
      channel === undefined ? undefined : createEchoLook({ ...deps, ...lookDepsOf(deps), feed, channel });
    return new Canary(deps, look, 0);
  }

  get isDeaf(): boolean {
    return this.#isDeaf;
  }

  start(): void {
    if (this.#look === undefined) return;
    const { settings, registry, prefix, onCrash } = this.#deps;
    const { name: id, toleranceMs } = settings;
    this.#setDeaf(false);
    this.#actor = registry.start(this.#logic(this.#look), {
      id: `${prefix}canary`,
      input: { id, toleranceMs, blockMs: this.#blockMs },
      onEnd: (error) => error !== undefined && onCrash(error),
    });
  }

  stop(): void {
    this.#actor?.send({ type: 'canary.stop' });
  }

  readerLive(): void {
    this.#actor?.send({ type: 'reader.live' });
  }

  /** Provides the machine. */
  #logic(look: Looking) {
    const { settings, metrics, random, report, reconnect } = this.#deps;
    return canaryMachine.provide({
      actors: { look: fromPromise(look) },
      // Instances that were started together do not look together: one that has just published serves all of them.
      delays: { interval: () => settings.intervalMs * (0.75 + random() / 2) },
      actions: {
        reportDeaf: ({ context }) => {
          this.#setDeaf(true);
          metrics.count('signalbox.readers_deaf', 1, { feed: settings.name });
          report.readerDeaf(context.doubt as Look);
        },
        reportHearing: () => {
          this.#setDeaf(false);
          report.readerHearing();
        },
        reconnectReader: () => reconnect(DEAF),
      },
    });
  }

  #setDeaf(isDeaf: boolean): void {
    const { metrics, settings } = this.#deps;
    this.#isDeaf = isDeaf;
    metrics.gauge('signalbox.deaf', isDeaf ? 1 : 0, { feed: settings.name });
  }
}

const DEAF = 'connected, and deaf: what is published does not arrive';

function lookDepsOf({ settings, metrics, report }: CanaryDeps) {
  return {
    toleranceMs: settings.toleranceMs,
    onRoundTrip: (ms: number) => metrics.gauge('signalbox.canary_ms', ms, { feed: settings.name }),
    onRefused: report.canaryRefused,
  };
}
