import type { EventLog } from '../broker/ports.ts';
import type { StateValue } from 'xstate';
import type { Clock } from '../clock.ts';
import type { Journal } from '../journal/journal.ts';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import type { Framing } from '../routing/frames.ts';
import type { SocketProtocol } from '../routing/protocol.ts';
import type { Registry } from '../routing/registry.ts';
import { createRouting, type Format, type Routing, type RoutingDeps } from '../routing/routing.ts';
import type { Traces } from '../routing/traces.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Channels } from './channel.ts';
import { Reading, type ReadingDeps } from './reading.ts';
import type { Report } from './report.ts';
import { Sockets, type SocketsTimes } from './sockets.ts';

export interface ActorsDeps extends Pick<ReadingDeps, 'feed' | 'reads' | 'canary' | 'onStep'> {
  readonly registry: Registry;
  /** Before the ids of actors, where there are those of another feed; left out: nothing. */
  readonly prefix?: string;
  /** Shared with another feed; left out: its own. */
  readonly budget?: BufferBudget;
  readonly clock: Clock;
  readonly log: EventLog & RoutingDeps['log'];
  readonly protocol: SocketProtocol;
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

export interface Actors {
  /** What its feed is called among those of this process. */
  readonly name: string;
  readonly routing: Routing;
  readonly sockets: Sockets;
  /** Of each other form, in the order of `formats`. */
  readonly streams: readonly Sockets[];
  readonly channels: Channels;
  readonly reading: Reading;
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
  const channels = new Channels({
    registry,
    prefix,
    random,
    gcIntervalMs: deps.gcIntervalMs,
    ...(deps.feed.kind === 'pubsub' && {
      attachment: {
        attach: (channel: string) => reading.attach(channel),
        detach: (channel: string) => reading.detach(channel),
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
  const reading = new Reading({
    ...deps,
    prefix,
    record,
    fanOut: routing.fanOut,
    isHeard: () => all.some(({ size }) => size > 0),
    onLost: () => channels.feedLost(),
  });

  return {
    name: prefix === '' ? 'superset' : prefix.replace(/\/$/, ''),
    routing,
    sockets,
    streams,
    channels,
    reading,
    countOn: (channel) => all.reduce((sum, some) => sum + some.countOn(channel), 0),
    start() {
      for (const some of all) some.startHeartbeat((error) => reading.crash(error));
      reading.start();
    },
    stop() {
      reading.stop();
      for (const some of all) some.stopHeartbeat();
      channels.close();
    },
    isReady: () => reading.isReady,
    isAccepting: () => reading.isAccepting,
  };
}

/** Proxies end a response that says nothing for a minute, some for half of one. */
const MAX_STREAM_PING_MS = 15_000;

/** How often a stream says something although nothing comes. */
export const streamPingMs = (pingIntervalMs: number): number =>
  pingIntervalMs === 0 ? MAX_STREAM_PING_MS : Math.min(pingIntervalMs, MAX_STREAM_PING_MS);
