import type { ActorRefFrom } from 'xstate';
import { createRouterLogic } from '../../machines/router.ts';
import type { EventLog, LogHead } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { Feed } from '../feed/feed.ts';
import { FirehoseFeed } from '../feed/firehose-feed.ts';
import { PubSubFeed } from '../feed/pubsub-feed.ts';
import { RealtimeFeed } from '../feed/realtime-feed.ts';
import type { ReaderState } from '../inspect/api.ts';
import type { Malformed } from '../protocol/event-codec.ts';
import type { RoutedBatch } from '../routing/fan-out.ts';
import type { Framing } from '../routing/frames.ts';
import type { SocketProtocol } from '../routing/protocol.ts';
import type { Registry } from '../routing/registry.ts';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import { createRouting, type Format, type Routing, type RoutingDeps } from '../routing/routing.ts';
import type { Metrics } from '../telemetry/metrics.ts';
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
  readonly random: () => number;
  readonly newId: () => string;
  readonly later: (run: () => void) => void;
  readonly limits: RoutingDeps['limits'];
  readonly reads: { readonly count: number; readonly blockMs: number; readonly pauseMs: number };
  readonly times: SocketsTimes;
  readonly gcIntervalMs: number;
  readonly report: Report;
  readonly onChannelOpen?: ((channel: string) => void) | undefined;
  readonly onChannelClose?: ((channel: string) => void) | undefined;
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
  epochChanged(head: LogHead, position: StreamId): void;
  /** The reader or the router failed: nothing can be delivered any more, and the process is to end. */
  crashed(error: unknown): void;
}

export interface Actors {
  readonly routing: Routing;
  readonly sockets: Sockets;
  /** Of each other form, in the order of `formats`. */
  readonly streams: readonly Sockets[];
  readonly channels: Channels;
  /** How many sockets, in whatever form, are on a channel as their own. */
  countOn(channel: string): number;
  /** Lets it read, and ping its sockets. */
  start(): void;
  /** Ends all actors but those of sockets, which have been drained. */
  stop(): void;
  /** Undefined: it was not started yet. */
  readerState(): ReaderState | undefined;
  /** Reading, and the router follows. */
  isReady(): boolean;
  /** Whether a socket may be opened: it is told everything, or will be once the broker is back. */
  isAccepting(): boolean;
}

/** Puts one feed, its router, the channels and the sockets together. */
export function createActors(deps: ActorsDeps): Actors {
  const { registry, clock, log, protocol, metrics, random, report, prefix = '' } = deps;
  const isLossy = deps.feed.kind !== 'firehose';
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
  });
  const routing = createRouting({
    log,
    isLossy,
    protocol,
    metrics,
    channels,
    framing: deps.framing,
    ...(deps.formats !== undefined && { formats: deps.formats }),
    limits: deps.limits,
    ...(deps.budget !== undefined && { budget: deps.budget }),
    now: () => clock.now(),
    later: deps.later,
    onMalformed: report.malformed,
    onError: report.routeFailed,
    onReplayFailed: report.replayFailed,
  });
  const shared = {
    registry,
    metrics,
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
    report.crashed(error);
  };
  const emit = (batch: RoutedBatch): void => router?.send({ type: 'batch.read', batch });
  const feed = createFeed();

  return {
    routing,
    sockets,
    streams,
    channels,
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
          report.readerLive();
        },
        onStale: (error) => {
          isStale = true;
          metrics.count('signalbox.reader_stale');
          report.readerStale(error);
        },
      });
      reader = registry.start(readerLogic, {
        id: `${prefix}reader:${feed.id}`,
        input: { id: feed.id, settleMs: SETTLE_MS },
        onEnd: (error) => error !== undefined && crash(error),
      });
    },
    stop() {
      reader?.send({ type: 'reader.stop' });
      for (const some of all) some.stopHeartbeat();
      channels.close();
    },
    readerState: () => reader?.getSnapshot().value,
    isReady: () => wasLive && isReading(isLossy ? LOSSY_READING : READING),
    isAccepting() {
      // Made for somebody who is here already: its first connection is under way, and he hears what comes then.
      if (deps.feed.kind === 'pubsub') return reader !== undefined && !isStale && !hasCrashed;
      return wasLive && !hasCrashed && (!isLossy || isReading(LOSSY_READING));
    },
  };

  function isReading(states: readonly string[]): boolean {
    return !hasCrashed && reader !== undefined && states.includes(reader.getSnapshot().value);
  }

  function createFeed(): Feed {
    if (deps.feed.kind === 'realtime') {
      return new RealtimeFeed({ log, fanOut, emit, clock, channel: deps.feed.channel });
    }
    if (deps.feed.kind === 'pubsub') {
      const onLost = () => channels.feedLost();
      const { from = log } = deps.feed;
      pubSub = new PubSubFeed({ log: from, fanOut, emit, clock, onLost, onRefused: report.channelRefused });
      return pubSub;
    }
    return new FirehoseFeed({
      log,
      fanOut,
      emit,
      clock,
      window: deps.limits.window,
      readCount: deps.reads.count,
      blockMs: deps.reads.blockMs,
      pauseMs: deps.reads.pauseMs,
      onEpochChanged: report.epochChanged,
    });
  }
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
