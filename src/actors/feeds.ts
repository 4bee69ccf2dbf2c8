import type { Broker } from '../broker/ports.ts';
import type { PubSubServers } from '../broker/pubsub-servers.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { sseFramesProtocol, sseProtocol } from '../protocol/native/sse-rules.ts';
import { messagesProtocol } from '../protocol/native/message-rules.ts';
import { CANARY_CHANNEL } from '../protocol/native/names.ts';
import { nativeProtocol } from '../protocol/native/socket-rules.ts';
import type { PubSubFormat } from '../protocol/pubsub/event-codec.ts';
import { pubSubProtocol } from '../protocol/pubsub/socket-rules.ts';
import { supersetRealtimeProtocol, supersetStreamsProtocol } from '../protocol/superset/socket-protocol.ts';
import { BufferBudget } from '../routing/buffer-budget.ts';
import { bareFraming, type Framing } from '../routing/frames.ts';
import { type Actors, type ActorsDeps, createActors } from './actors.ts';
import type { CanarySettings } from './canary.ts';
import { drain } from './drain.ts';
import { PubSubFeeds } from './pubsub-feeds.ts';
import type { Report } from './report.ts';
import type { Sockets } from './sockets.ts';
import { actorSettings } from './settings.ts';

export interface FeedsDeps
  extends Pick<
    ActorsDeps,
    | 'registry'
    | 'framing'
    | 'metrics'
    | 'journal'
    | 'traces'
    | 'random'
    | 'newId'
    | 'later'
    | 'onChannelOpen'
    | 'onChannelClose'
    | 'onStep'
  > {
  readonly config: Config;
  readonly clock: Clock;
  readonly broker: Pick<Broker, 'name' | 'log' | 'native'>;
  /** Where plain Pub/Sub channels are. */
  readonly servers: Pick<PubSubServers, 'at'>;
  /** For messages that are sent as they are, over WebSocket. */
  readonly messageFraming: Framing;
  /** What an operator hears of one feed; `server`: where it is, when that is not the broker. */
  report(feed: 'superset' | 'native' | 'pubsub', server?: string): Report;
}

/** The feeds of this process: what they have in common is bounded, started and ended together. */
export interface Feeds {
  /** Undefined: none of Superset's protocols is served. */
  readonly superset: Actors | undefined;
  readonly native: Actors;
  /** Those of Pub/Sub channels are added when they are first asked for. */
  readonly all: readonly Actors[];
  /** The actors of the plain Pub/Sub channels of a server; `redis` empty: the broker's own. */
  pubSub(redis: string, format: PubSubFormat): Actors;
  socketCount(): number;
  /** Superset's and ours are read; beside Superset's, ours counts from the first time that it was. */
  isReady(): boolean;
  start(): void;
  /** Closes the sockets of all, spread over `drainMs`; resolves when the last one has gone. */
  drain(drainMs: number): Promise<void>;
  /** Ends at once what is still open, and everything else. */
  stop(): void;
}

/** What the canary says, as JSON. */
const CANARY = Buffer.from('null');

/** Makes the actors of each log that is read: ours, and Superset's where it is served. */
export function createFeeds(deps: FeedsDeps): Feeds {
  // Programs know native channels only, and no other entries carry traces.
  const {
    config,
    broker,
    servers,
    report,
    messageFraming,
    onChannelOpen,
    onChannelClose,
    traces,
    ...shared
  } = deps;
  const { metrics, clock } = shared;
  const settings = actorSettings(config);
  const budget = new BufferBudget(settings.limits);
  const options = { onRepaired: () => metrics.count('signalbox.events_repaired') };
  const { protocol } = config.superset;
  const { intervalSeconds, toleranceSeconds } = config.canary;
  const canary = { intervalMs: intervalSeconds * 1000, toleranceMs: toleranceSeconds * 1000 };
  // Between this process and its own memory nothing can be lost on the way.
  const mayPublish = config.canary.publish && broker.name === 'redis';
  const watched = (feed: Omit<CanarySettings, keyof typeof canary>) =>
    intervalSeconds > 0 && { canary: { ...canary, ...feed } };
  const superset =
    protocol === 'off'
      ? undefined
      : createActors({
          ...settings,
          ...shared,
          budget,
          log: broker.log,
          ...watched({
            name: 'superset',
            ...(mayPublish && { echoChannel: `${config.native.prefix}$canary:${shared.newId()}` }),
          }),
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
    ...watched({
      name: 'native',
      ...(mayPublish && { publish: () => broker.native.append(CANARY_CHANNEL, CANARY) }),
    }),
    protocol: nativeProtocol(options),
    formats: [
      { name: 'sse', protocol: sseProtocol({ ...options, epoch }), framing: bareFraming },
      { name: 'frames', protocol: sseFramesProtocol({ ...options, epoch }), framing: bareFraming },
      { name: 'messages', protocol: messagesProtocol(options), framing: messageFraming },
    ],
    report: report('native'),
    ...(traces !== undefined && { traces }),
    onChannelOpen,
    onChannelClose,
  });
  const all = superset === undefined ? [native] : [superset, native];
  const everySocket = (): Sockets[] => all.flatMap(({ sockets, streams }) => [sockets, ...streams]);
  const pubSub = new PubSubFeeds({
    at: (url) => servers.at(url),
    all,
    create: ({ from, format, server, prefix }) =>
      createActors({
        ...settings,
        ...shared,
        budget,
        prefix,
        feed: { kind: 'pubsub', from },
        log: broker.log,
        framing: format === 'messages' ? messageFraming : bareFraming,
        protocol: pubSubProtocol(format),
        report: server === '' ? report('pubsub') : report('pubsub', server),
      }),
  });

  return {
    superset,
    native,
    all,
    pubSub: (redis, format) => pubSub.of(redis, format),
    socketCount: () => everySocket().reduce((sum, sockets) => sum + sockets.size, 0),
    isReady() {
      // A user whose rights are those that Superset's old sidecar needed may not read our keys: it is no reason to take
      // Superset's clients off this server. What was read once is missed when it is not.
      const isNativeMissed = superset === undefined || native.isAccepting();
      return (superset?.isReady() ?? true) && (native.isReady() || !isNativeMissed);
    },
    start() {
      pubSub.start();
      for (const actors of all) actors.start();
    },
    async drain(drainMs) {
      await Promise.all(everySocket().map((sockets) => drain(sockets, clock, drainMs)));
    },
    stop() {
      for (const sockets of everySocket()) sockets.terminate();
      pubSub.stop();
      for (const actors of all) actors.stop();
    },
  };
}
