import type { ActorRefFrom, AnyActorRef, StateValue } from 'xstate';
import { createRouterLogic, type RouterState } from '../../machines/router.ts';
import type { EventLog, LogHead } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { Feed } from '../feed/feed.ts';
import { FirehoseFeed } from '../feed/firehose-feed.ts';
import { PubSubFeed } from '../feed/pubsub-feed.ts';
import { RealtimeFeed } from '../feed/realtime-feed.ts';
import type { Journal } from '../journal/journal.ts';
import type { Malformed } from '../protocol/event-codec.ts';
import type { RoutedBatch } from '../routing/fan-out.ts';
import type { Framing } from '../routing/frames.ts';
import type { SocketProtocol } from '../routing/protocol.ts';
import type { Registry } from '../routing/registry.ts';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import { createRouting, type Format, type Routing, type RoutingDeps } from '../routing/routing.ts';
import type { Traces } from '../routing/traces.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Look } from '../../machines/canary.machine.ts';
import { Canary, type CanaryDeps, type CanarySettings } from './canary.ts';
import { Channels } from './channel.ts';
import { createReaderLogic, type ReaderActor } from './reader.ts';
import { Sockets, type SocketsTimes } from './sockets.ts';

export interface ActorsDeps {
  readonly registry: Registry;
  /** Before the ids of actors, where there are those of another feed; left out: nothing. */
  readonly prefix?: string;
  /** Shared with another feed; left out: its own. */
  readonly budget?: BufferBudget;
  readonly clock: Clock;
  readonly log: EventLog & RoutingDeps['log'];
  readonly protocol: SocketProtocol;
  /**
   * `realtime`: one Pub/Sub channel, of this name, carries all; `pubsub`: each channel is a Pub/Sub channel, of the log or
   * of what is given here, and nothing else is asked of the log.
   */
  readonly feed:
    | { readonly kind: 'firehose' }
    | { readonly kind: 'realtime'; readonly channel: string }
    | { readonly kind: 'pubsub'; readonly from?: Pick<EventLog, 'subscribe'> };
  readonly framing: Framing;
  /** Other forms in which sockets may hear the same, with sockets of their own. */
  readonly formats?: readonly StreamFormat[];
  readonly metrics: Metrics;
  /** Where it is noted what they do; left out: nowhere. */
  readonly journal?: Journal | undefined;
  /** Left out: nobody follows events. */
  readonly traces?: Traces;
  readonly random: () => number;
  readonly newId: () => string;
  readonly later: (run: () => void) => void;
  readonly limits: RoutingDeps['limits'];
  readonly reads: { readonly count: number; readonly blockMs: number; readonly pauseMs: number };
  readonly times: SocketsTimes;
  readonly gcIntervalMs: number;
  /** Left out: nothing watches whether what is published arrives. */
  readonly canary?: CanarySettings;
  readonly report: Report;
  readonly onChannelOpen?: ((channel: string) => void) | undefined;
  readonly onChannelClose?: ((channel: string) => void) | undefined;
  /** An event took an actor from one state to another: a channel or the reader. Left out: nobody asks. */
  readonly onStep?: ((actor: string, event: string, from: StateValue, to: StateValue) => void) | undefined;
}

/** A form of the events for sockets that are streams. */
export interface StreamFormat extends Format {
  /** After the prefix, before the ids of their actors. */
  readonly name: string;
}

/** What an operator should hear of. */
export interface Report {
  malformed(malformed: Malformed): void;
  routeFailed(error: unknown, id: StreamId): void;
  replayFailed(error: unknown): void;
  socketFailed(error: unknown, id: string): void;
  channelFailed(error: unknown): void;
  /** The broker will not let this process hear a channel; it is asked again. */
  channelRefused(error: unknown): void;
  readerLive(): void;
  readerStale(error: string | undefined): void;
  /** It is connected, and does not hear what is published. */
  readerDeaf(look: Look): void;
  readerHearing(): void;
  /** The broker will not have the canary publish. */
  canaryRefused(error: unknown): void;
  epochChanged(head: LogHead, position: StreamId): void;
  /** The reader or the router failed: nothing can be delivered any more, and the process is to end. */
  crashed(error: unknown): void;
}

export interface Actors {
  /** What its feed is called among those of this process. */
  readonly name: string;
  readonly routing: Routing;
  readonly sockets: Sockets;
  /** Of each other form, in the order of `formats`. */
  readonly streams: readonly Sockets[];
  readonly channels: Channels;
  /** Undefined before the start. */
  readonly reader: ReaderActor | undefined;
  /** What its router has done; undefined before the start. */
  readonly router: RouterState | undefined;
  readonly hasCrashed: boolean;
  /** How many sockets, in whatever form, are on a channel as their own. */
  countOn(channel: string): number;
  /** Lets it read, and ping its sockets. */
  start(): void;
  /** Ends all actors but those of sockets, which have been drained. */
  stop(): void;
  /** Reading, and the router follows. */
  isReady(): boolean;
  /** Whether a socket may be opened: it is told everything, or will be once the broker is back. */
  isAccepting(): boolean;
}

/** Puts one feed, its router, the channels and the sockets together. */
export function createActors(deps: ActorsDeps): Actors {
  const { registry, clock, log, protocol, metrics, random, report, onStep, prefix = '' } = deps;
  const isLossy = deps.feed.kind !== 'firehose';
  const record = deps.journal?.feed(prefix === '' ? 'superset' : prefix.slice(0, -1));
  let pubSub: PubSubFeed | undefined;
  const channels = new Channels({
    registry,
    prefix,
    random,
    gcIntervalMs: deps.gcIntervalMs,
    ...(deps.feed.kind === 'pubsub' && {
      attachment: {
        attach: (channel: string) => (pubSub as PubSubFeed).attach(channel),
        detach: (channel: string) => pubSub?.detach(channel),
      },
    }),
    onError: report.channelFailed,
    onOpen: deps.onChannelOpen,
    onClose: deps.onChannelClose,
    ...(onStep !== undefined && {
      onStep: (channel: string, event: string, from: StateValue, to: StateValue) =>
        onStep(`${prefix}channel:${channel}`, event, from, to),
    }),
  });
  const routing = createRouting({
    log,
    isLossy,
    protocol,
    metrics,
    ...(deps.traces !== undefined && { traces: deps.traces }),
    channels,
    framing: deps.framing,
    ...(deps.formats !== undefined && { formats: deps.formats }),
    limits: deps.limits,
    ...(deps.budget !== undefined && { budget: deps.budget }),
    record,
    now: () => clock.now(),
    later: deps.later,
    onMalformed: report.malformed,
    onError: report.routeFailed,
    onReplayFailed: report.replayFailed,
  });
  record?.attach({
    position: () => routing.fanOut.position,
    window: routing.window,
    codec: protocol.codec,
    log: isLossy ? undefined : log,
    slackMs: deps.limits.replaySlackMs,
  });
  const { journal } = deps;
  const shared = {
    registry,
    metrics,
    journal: journal && record && { journal, feed: record },
    random,
    now: () => clock.now(),
    newId: deps.newId,
    onError: report.socketFailed,
  };
  const { times } = deps;
  const sockets = new Sockets({ ...shared, prefix, protocol, times, deliver: routing.deliver });
  const streams = (deps.formats ?? []).map(
    ({ name, protocol: form }, at) =>
      new Sockets({
        ...shared,
        prefix: `${prefix}${name}/`,
        protocol: form,
        times: { ...times, pingIntervalMs: streamPingMs(times.pingIntervalMs) },
        deliver: routing.deliverIn[at] as Routing['deliver'],
      }),
  );
  const all = [sockets, ...streams];
  const { fanOut } = routing;
  const routerLogic = createRouterLogic((batch: RoutedBatch) => fanOut.route(batch));
  let router: ActorRefFrom<typeof routerLogic> | undefined;
  let reader: ReaderActor | undefined;
  let wasLive = false;
  let isStale = false;
  let hasCrashed = false;

  const crash = (error: unknown): void => {
    hasCrashed = true;
    // Without a router nothing moves the position: the reader would read the same batch again and again.
    reader?.send({ type: 'reader.stop' });
    canary?.stop();
    report.crashed(error);
  };
  const emit = (batch: RoutedBatch): void => router?.send({ type: 'batch.read', batch });
  const { feed, canary } = createFeed();

  return {
    name: prefix === '' ? 'superset' : prefix.replace(/\/$/, ''),
    routing,
    sockets,
    streams,
    channels,
    get reader() {
      return reader;
    },
    get router() {
      return router?.getSnapshot().context;
    },
    get hasCrashed() {
      return hasCrashed;
    },
    countOn: (channel) => all.reduce((sum, some) => sum + some.countOn(channel), 0),
    start() {
      for (const some of all) some.startHeartbeat(crash);
      router = registry.start(routerLogic, { id: `${prefix}router`, input: undefined, onEnd: crash });
      const readerLogic = createReaderLogic({
        feed,
        random,
        onLive: () => {
          wasLive = true;
          isStale = false;
          record?.live();
          report.readerLive();
          canary?.readerLive();
        },
        onStale: (error) => {
          isStale = true;
          metrics.count('signalbox.reader_stale');
          record?.stale(error);
          report.readerStale(error);
        },
      });
      reader = registry.start(readerLogic, {
        id: `${prefix}reader:${feed.id}`,
        input: { id: feed.id, settleMs: SETTLE_MS },
        onEnd: (error) => error !== undefined && crash(error),
      });
      if (onStep !== undefined) noteSteps(reader, onStep);
      canary?.start();
    },
    stop() {
      canary?.stop();
      reader?.send({ type: 'reader.stop' });
      for (const some of all) some.stopHeartbeat();
      channels.close();
    },
    isReady: () => isConnected() && !isDeaf(),
    isAccepting() {
      // Made for somebody who is here already: its first connection is under way, and he hears what comes then.
      if (deps.feed.kind === 'pubsub') return reader !== undefined && !isStale && !hasCrashed;
      return wasLive && !hasCrashed && (!isLossy || (isReading(LOSSY_READING) && !isDeaf()));
    },
  };

  function isReading(states: readonly string[]): boolean {
    return !hasCrashed && reader !== undefined && states.includes(reader.getSnapshot().value);
  }

  function isConnected(): boolean {
    return wasLive && isReading(isLossy ? LOSSY_READING : READING);
  }

  function isDeaf(): boolean {
    return canary?.isDeaf ?? false;
  }

  function createFeed(): { readonly feed: Feed; readonly canary?: Canary | undefined } {
    if (deps.feed.kind === 'realtime') {
      const realtime = new RealtimeFeed({ log, fanOut, emit, clock, channel: deps.feed.channel });
      return { feed: realtime, canary: watched((about) => Canary.ofRealtime(about, realtime)) };
    }
    if (deps.feed.kind === 'pubsub') {
      const onLost = () => channels.feedLost();
      const { from = log } = deps.feed;
      pubSub = new PubSubFeed({ log: from, fanOut, emit, clock, onLost, onRefused: report.channelRefused });
      return { feed: pubSub };
    }
    const { blockMs } = deps.reads;
    const firehose = new FirehoseFeed({
      log,
      fanOut,
      emit,
      clock,
      window: deps.limits.window,
      readCount: deps.reads.count,
      blockMs,
      pauseMs: deps.reads.pauseMs,
      onEpochChanged: report.epochChanged,
    });
    return { feed: firehose, canary: watched((about) => Canary.ofLog(about, firehose, blockMs)) };
  }

  function watched(create: (about: CanaryDeps) => Canary): Canary | undefined {
    if (deps.canary === undefined) return undefined;
    return create({
      settings: deps.canary,
      registry,
      prefix,
      log,
      fanOut,
      clock,
      metrics,
      random,
      report,
      isReading: isConnected,
      isHeard: () => all.some(({ size }) => size > 0),
      reconnect: (error) => reader?.send({ type: 'reader.reconnect', error }),
      onCrash: crash,
    });
  }
}

/** Its own system has it and the promises that it invokes, so every event of it is seen here, timers' too. */
function noteSteps(reader: ReaderActor, onStep: NonNullable<ActorsDeps['onStep']>): void {
  let from: StateValue = reader.getSnapshot().value;
  reader.system.inspect((inspected) => {
    if (inspected.type !== '@xstate.snapshot' || inspected.actorRef !== (reader as AnyActorRef)) return;
    const { value } = reader.getSnapshot();
    onStep(reader.id, inspected.event.type, from, value);
    from = value;
  });
}

/** Proxies end a response that says nothing for a minute, some for half of one. */
const MAX_STREAM_PING_MS = 15_000;

/** How often a stream says something although nothing comes. */
export const streamPingMs = (pingIntervalMs: number): number =>
  pingIntervalMs === 0 ? MAX_STREAM_PING_MS : Math.min(pingIntervalMs, MAX_STREAM_PING_MS);

/** Live for this long, and the next failure starts with the shortest backoff again. */
const SETTLE_MS = 5_000;
const READING = ['replaying', 'live'];
const LOSSY_READING = ['live'];
