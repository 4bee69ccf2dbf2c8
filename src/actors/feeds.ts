import type { Broker } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { sseFramesProtocol, sseProtocol } from '../protocol/native/sse-rules.ts';
import { nativeProtocol } from '../protocol/native/socket-rules.ts';
import { supersetRealtimeProtocol, supersetStreamsProtocol } from '../protocol/superset/socket-protocol.ts';
import type { Framing } from '../routing/frames.ts';
import { BufferBudget } from '../routing/buffer-budget.ts';
import { type Actors, type ActorsDeps, createActors, type Report } from './actors.ts';
import { drain } from './drain.ts';
import { actorSettings } from './settings.ts';

export interface FeedsDeps
  extends Pick<
    ActorsDeps,
    'registry' | 'framing' | 'metrics' | 'random' | 'newId' | 'later' | 'onChannelOpen' | 'onChannelClose'
  > {
  readonly config: Config;
  readonly clock: Clock;
  readonly broker: Pick<Broker, 'log' | 'native'>;
  /** What an operator hears of one feed. */
  report(feed: 'superset' | 'native'): Report;
}

/** The feeds of this process: what they have in common is bounded, started and ended together. */
export interface Feeds {
  /** Undefined: none of Superset's protocols is served. */
  readonly superset: Actors | undefined;
  readonly native: Actors;
  readonly all: readonly Actors[];
  socketCount(): number;
  /** All of them are read; beside Superset's, ours counts from the first time that it was. */
  isReady(): boolean;
  start(): void;
  /** Closes the sockets of all, spread over `drainMs`; resolves when the last one has gone. */
  drain(drainMs: number): Promise<void>;
  /** Ends at once what is still open, and everything else. */
  stop(): void;
}

/** A stream has nothing around its blocks. */
const sseFraming: Framing = { headroom: 0, frame: (text) => text };

/** Makes the actors of each log that is read: ours, and Superset's where it is served. */
export function createFeeds(deps: FeedsDeps): Feeds {
  // Programs know native channels only.
  const { config, broker, report, onChannelOpen, onChannelClose, ...shared } = deps;
  const { metrics, clock } = shared;
  const settings = actorSettings(config);
  const budget = new BufferBudget(settings.limits);
  const options = { onRepaired: () => metrics.count('signalbox.events_repaired') };
  const { protocol } = config.superset;
  const superset =
    protocol === 'off'
      ? undefined
      : createActors({
          ...settings,
          ...shared,
          budget,
          log: broker.log,
          protocol:
            protocol === 'realtime' ? supersetRealtimeProtocol(options) : supersetStreamsProtocol(options),
          report: report('superset'),
        });
  // They are encoded once it reads, and so is.
  const epoch = (): string => native.routing.fanOut.epoch;
  const native: Actors = createActors({
    ...settings,
    ...shared,
    budget,
    prefix: 'native/',
    feed: { kind: 'firehose' },
    log: broker.native,
    protocol: nativeProtocol(options),
    formats: [
      { name: 'sse', protocol: sseProtocol({ ...options, epoch }), framing: sseFraming },
      { name: 'frames', protocol: sseFramesProtocol({ ...options, epoch }), framing: sseFraming },
    ],
    report: report('native'),
    onChannelOpen,
    onChannelClose,
  });
  const all = superset === undefined ? [native] : [superset, native];
  const everySocket = all.flatMap(({ sockets, streams }) => [sockets, ...streams]);

  return {
    superset,
    native,
    all,
    socketCount: () => everySocket.reduce((sum, sockets) => sum + sockets.size, 0),
    isReady() {
      // A user whose rights are those that Superset's old sidecar needed may not read our keys: it is no reason to take
      // Superset's clients off this server. What was read once is missed when it is not.
      const isNativeMissed = superset === undefined || native.isAccepting();
      return (superset?.isReady() ?? true) && (native.isReady() || !isNativeMissed);
    },
    start() {
      for (const actors of all) actors.start();
    },
    async drain(drainMs) {
      await Promise.all(everySocket.map((sockets) => drain(sockets, clock, drainMs)));
    },
    stop() {
      for (const sockets of everySocket) sockets.terminate();
      for (const actors of all) actors.stop();
    },
  };
}
