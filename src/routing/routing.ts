import type { EventLog } from '../broker/ports.ts';
import { type StreamId, ZERO_ID } from '../event/stream-id.ts';
import type { Malformed } from '../protocol/event-codec.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { BufferBudget } from './buffer-budget.ts';
import { Delivery, type DeliveryDeps, type DeliveryOwner } from './delivery.ts';
import { createExactReplay } from './exact-replay.ts';
import { FanOut } from './fan-out.ts';
import { Frames, type Framing } from './frames.ts';
import { createLossyReplay } from './lossy-replay.ts';
import { Pages } from './pages.ts';
import type { FeedRecord } from './record.ts';
import type { ChannelSnapshot, SocketProtocol } from './protocol.ts';
import { createSeparateReplay } from './separate-replay.ts';
import { createSnapshots } from './snapshots.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Traces } from './traces.ts';
import type { Transport } from './transport.ts';
import { Window, type WindowLimits } from './window.ts';

/** Facts about channels, for their machines. */
export interface ChannelFacts {
  joined(channel: string): void;
  left(channel: string): void;
  pageRequested(channel: string): void;
  pageSettled(channel: string): void;
}

export interface RoutingDeps {
  readonly log: RoutableLog;
  /** The feed keeps nothing, so there is nothing to read when the window no longer has it. */
  readonly isLossy: boolean;
  /** Shared with other feeds of this process; left out: its own. */
  readonly budget?: BufferBudget;
  readonly protocol: SocketProtocol;
  readonly framing: Framing;
  /** Others, beside it. */
  readonly formats?: readonly Format[];
  readonly metrics: Metrics;
  /** Left out: nobody follows events. */
  readonly traces?: Traces;
  readonly channels: ChannelFacts;
  /** Where it is noted what is routed; left out: nowhere. */
  readonly record?: FeedRecord | undefined;
  readonly now: () => number;
  /** Runs in a later turn. */
  readonly later: (run: () => void) => void;
  readonly onMalformed: (malformed: Malformed) => void;
  readonly onError: FanOutErrorHandler;
  readonly onReplayFailed: (error: unknown) => void;
  readonly limits: {
    readonly window: WindowLimits;
    readonly maxSocketBufferBytes: number;
    readonly maxTotalBufferBytes: number;
    readonly replays: number;
    readonly replaySlackMs: number;
  };
}

/** A log, as routing reads it. */
export interface RoutableLog extends Pick<EventLog, 'ids' | 'range' | 'lastId'> {
  /** Where channels have any. */
  snapshot?(channel: string): Promise<ChannelSnapshot | undefined>;
}

type FanOutErrorHandler = ConstructorParameters<typeof FanOut>[0]['onError'];

const NONE = Promise.resolve(undefined);

type Deliver = (transport: Transport, owner: DeliveryOwner) => Delivery;

/** A form that events leave in. */
export interface Format {
  readonly protocol: SocketProtocol;
  readonly framing: Framing;
}

/** The fast lane of one feed, put together. */
export interface Routing {
  readonly window: Window;
  readonly subscriptions: Subscriptions;
  readonly budget: BufferBudget;
  readonly fanOut: FanOut;
  /** The delivery of a new socket. */
  readonly deliver: Deliver;
  /** Of sockets that hear the same in another form, their protocols' codecs reading what this one's keeps. */
  readonly deliverIn: readonly Deliver[];
}

export function createRouting(deps: RoutingDeps): Routing {
  const { log, limits, protocol, metrics, channels } = deps;
  const window = new Window(limits.window, ZERO_ID);
  const budget = deps.budget ?? new BufferBudget(limits);
  const { record } = deps;
  const onMalformed = (malformed: Malformed, id: StreamId): void => {
    record?.malformed(id, malformed.malformed);
    deps.onMalformed(malformed);
  };
  const frames = new Frames({ protocol, window, framing: deps.framing, onMalformed });
  const others = (deps.formats ?? []).map((format) => ({
    protocol: format.protocol,
    frames: new Frames({ ...format, window: undefined, onMalformed }),
  }));
  const subscriptions = new Subscriptions({
    onJoined: (channel) => channels.joined(channel),
    onLeft: (channel) => channels.left(channel),
  });
  const pages = new Pages({
    log,
    maxReads: limits.replays,
    onRequested: (channel) => channels.pageRequested(channel),
    onSettled: (channel) => channels.pageSettled(channel),
  });
  const fanOut = new FanOut(
    {
      window,
      subscriptions,
      formats: [frames, ...others.map((other) => other.frames)],
      metrics,
      traces: deps.traces,
      codec: protocol.codec,
      onGap: protocol.onGap,
      now: deps.now,
      onMalformed,
      record,
      onError(error, id) {
        record?.malformed(id, 'error');
        deps.onError(error, id);
      },
    },
    ZERO_ID,
  );
  const shared: Omit<DeliveryDeps, 'frames' | 'protocol' | 'snapshotOf'> = {
    window,
    subscriptions,
    budget,
    log,
    metrics,
    replay: replay(),
    position: () => fanOut.position,
    routed: (id) => fanOut.routed(id),
    epoch: () => fanOut.epoch,
    flushLater: (delivery) => fanOut.flushLater(delivery),
    now: deps.now,
    later: deps.later,
    onReplayFailed: deps.onReplayFailed,
  };
  return {
    window,
    subscriptions,
    budget,
    fanOut,
    deliver: deliverWith({ protocol, frames }),
    deliverIn: others.map(deliverWith),
  };

  function deliverWith(format: Pick<DeliveryDeps, 'protocol' | 'frames'>): Deliver {
    const snapshotOf =
      log.snapshot === undefined
        ? undefined
        : createSnapshots((channel) => log.snapshot?.(channel) ?? NONE, format.frames);
    const deliveryDeps = { ...shared, ...format, snapshotOf };
    return (transport, owner) => new Delivery(deliveryDeps, transport, owner);
  }

  function replay() {
    if (deps.isLossy) return createLossyReplay(() => window.floor);
    if (log.ids === 'shared') return createExactReplay(pages, () => fanOut.position);
    return createSeparateReplay({
      pages,
      log,
      window,
      metrics,
      position: () => fanOut.position,
      routed: (id) => fanOut.routed(id),
      slackMs: limits.replaySlackMs,
    });
  }
}
