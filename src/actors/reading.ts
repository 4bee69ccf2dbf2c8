import type { ActorRefFrom, AnyActorRef, StateValue } from 'xstate';
import { createRouterLogic, type RouterState } from '../../machines/router.ts';
import type { EventLog } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { Feed } from '../feed/feed.ts';
import { FirehoseFeed } from '../feed/firehose-feed.ts';
import { PubSubFeed } from '../feed/pubsub-feed.ts';
import { RealtimeFeed } from '../feed/realtime-feed.ts';
import type { FeedJournal } from '../journal/feed-journal.ts';
import type { FanOut, RoutedBatch } from '../routing/fan-out.ts';
import type { Registry } from '../routing/registry.ts';
import type { RoutingDeps } from '../routing/routing.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Canary, type CanaryDeps, type CanarySettings } from './canary.ts';
import { createReaderLogic, type ReaderActor } from './reader.ts';
import type { Report } from './report.ts';

/**
 * `realtime`: one Pub/Sub channel, of this name, carries all; `pubsub`: each channel is a Pub/Sub channel, of the log or
 * of what is given here, and nothing else is asked of the log.
 */
export type FeedKind =
  | { readonly kind: 'firehose' }
  | { readonly kind: 'realtime'; readonly channel: string }
  | { readonly kind: 'pubsub'; readonly from?: Pick<EventLog, 'subscribe'> };

/** Told that an event took an actor from one state to another. */
export type OnStep = (actor: string, event: string, from: StateValue, to: StateValue) => void;

export interface ReadingDeps {
  readonly registry: Registry;
  /** Before the ids of its actors. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly feed: FeedKind;
  readonly fanOut: FanOut;
  readonly limits: Pick<RoutingDeps['limits'], 'window'>;
  readonly reads: { readonly count: number; readonly blockMs: number; readonly pauseMs: number };
  readonly metrics: Metrics;
  readonly record: Pick<FeedJournal, 'live' | 'stale'> | undefined;
  readonly random: () => number;
  /** Left out: nothing watches whether what is published arrives. */
  readonly canary?: CanarySettings;
  readonly report: Report;
  /** Whether anybody is there to hear what is read. */
  readonly isHeard: () => boolean;
  /** The feed of Pub/Sub channels is lost, and with it what each of them is subscribed to. */
  readonly onLost: () => void;
  readonly onStep?: OnStep | undefined;
}

/** Live for this long, and the next failure starts with the shortest backoff again. */
const SETTLE_MS = 5_000;
const READING = ['replaying', 'live'];
const LOSSY_READING = ['live'];

/** How one feed is read: by the reader's actor, which hands batches to the router's, and by the canary that watches it. */
export class Reading {
  readonly #deps: ReadingDeps;
  readonly #feed: Feed;
  readonly #pubSub: PubSubFeed | undefined;
  readonly #canary: Canary | undefined;
  #router: ActorRefFrom<ReturnType<typeof createRouterLogic<RoutedBatch>>> | undefined;
  #reader: ReaderActor | undefined;
  #wasLive = false;
  #isStale = false;
  #hasCrashed = false;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
    const { log, fanOut, clock, feed, reads, report } = deps;
    const emit = (batch: RoutedBatch): void => this.#router?.send({ type: 'batch.read', batch });
    const shared = { log, fanOut, emit, clock };
    switch (feed.kind) {
      case 'realtime': {
        const realtime = new RealtimeFeed({ ...shared, channel: feed.channel });
        this.#feed = realtime;
        this.#canary = this.#watch((about) => Canary.ofRealtime(about, realtime));
        break;
      }
      case 'pubsub': {
        const { from = log } = feed;
        const { onLost } = deps;
        this.#pubSub = new PubSubFeed({ ...shared, log: from, onLost, onRefused: report.channelRefused });
        this.#feed = this.#pubSub;
        break;
      }
      case 'firehose': {
        const firehose = new FirehoseFeed({
          ...shared,
          window: deps.limits.window,
          readCount: reads.count,
          blockMs: reads.blockMs,
          pauseMs: reads.pauseMs,
          onEpochChanged: report.epochChanged,
        });
        this.#feed = firehose;
        this.#canary = this.#watch((about) => Canary.ofLog(about, firehose, reads.blockMs));
      }
    }
  }

  /** Undefined before the start. */
  get reader(): ReaderActor | undefined {
    return this.#reader;
  }

  /** What the router has done; undefined before the start. */
  get router(): RouterState | undefined {
    return this.#router?.getSnapshot().context;
  }

  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  start(): void {
    const { registry, prefix, random, metrics, record, report, fanOut, onStep } = this.#deps;
    const onCrash = (error: unknown): void => this.crash(error);
    const routerLogic = createRouterLogic((batch: RoutedBatch) => fanOut.route(batch));
    this.#router = registry.start(routerLogic, { id: `${prefix}router`, input: undefined, onEnd: onCrash });
    const readerLogic = createReaderLogic({
      feed: this.#feed,
      random,
      onLive: () => {
        this.#wasLive = true;
        this.#isStale = false;
        record?.live();
        report.readerLive();
        this.#canary?.readerLive();
      },
      onStale: (error) => {
        this.#isStale = true;
        metrics.count('signalbox.reader_stale');
        record?.stale(error);
        report.readerStale(error);
      },
    });
    const { id } = this.#feed;
    this.#reader = registry.start(readerLogic, {
      id: `${prefix}reader:${id}`,
      input: { id, settleMs: SETTLE_MS },
      onEnd: (error) => error !== undefined && onCrash(error),
    });
    if (onStep !== undefined) noteSteps(this.#reader, onStep);
    this.#canary?.start();
  }

  stop(): void {
    this.#canary?.stop();
    this.#reader?.send({ type: 'reader.stop' });
  }

  /** What reads, routes or paces failed: nothing can be delivered any more. */
  crash(error: unknown): void {
    this.#hasCrashed = true;
    // Without a router nothing moves the position: the reader would read the same batch again and again.
    this.stop();
    this.#deps.report.crashed(error);
  }

  /** Reads, and the router follows. */
  get isReady(): boolean {
    return this.#isConnected && !this.#isDeaf;
  }

  /** Whether who comes now is told everything, or will be once the broker is back. */
  get isAccepting(): boolean {
    if (this.#hasCrashed) return false;
    // Made for somebody who is here already: its first connection is under way, and he hears what comes then.
    if (this.#pubSub !== undefined) return this.#reader !== undefined && !this.#isStale;
    return this.#wasLive && (!this.#isLossy || (this.#isIn(LOSSY_READING) && !this.#isDeaf));
  }

  /** Subscribes to a Pub/Sub channel. */
  attach(channel: string): Promise<void> {
    return (this.#pubSub as PubSubFeed).attach(channel);
  }

  detach(channel: string): void {
    this.#pubSub?.detach(channel);
  }

  get #isLossy(): boolean {
    return this.#deps.feed.kind !== 'firehose';
  }

  get #isConnected(): boolean {
    return this.#wasLive && this.#isIn(this.#isLossy ? LOSSY_READING : READING);
  }

  get #isDeaf(): boolean {
    return this.#canary?.isDeaf ?? false;
  }

  #isIn(states: readonly string[]): boolean {
    const reader = this.#reader;
    return !this.#hasCrashed && reader !== undefined && states.includes(reader.getSnapshot().value);
  }

  #watch(create: (about: CanaryDeps) => Canary): Canary | undefined {
    const { canary: settings, ...deps } = this.#deps;
    if (settings === undefined) return undefined;
    return create({
      ...deps,
      settings,
      isReading: () => this.#isConnected,
      reconnect: (error) => this.#reader?.send({ type: 'reader.reconnect', error }),
      onCrash: (error) => this.crash(error),
    });
  }
}

/** Its own system has it and the promises that it invokes, so every event of it is seen here, timers' too. */
function noteSteps(reader: ReaderActor, onStep: OnStep): void {
  let from: StateValue = reader.getSnapshot().value;
  reader.system.inspect((inspected) => {
    if (inspected.type !== '@xstate.snapshot' || inspected.actorRef !== (reader as AnyActorRef)) return;
    const { value } = reader.getSnapshot();
    onStep(reader.id, inspected.event.type, from, value);
    from = value;
  });
}
