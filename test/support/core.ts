import { type Actors, type ActorsDeps, createActors } from '../../src/actors/actors.ts';
import type { Report } from '../../src/actors/report.ts';
import type { NewSocket } from '../../src/actors/sockets.ts';
import { createMemoryBroker, type MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import { Registry } from '../../src/routing/registry.ts';
import { actorsDeps } from './actors-deps.ts';
import { CountingMetrics } from './counting-metrics.ts';
import { gapProtocol } from './gap-protocol.ts';
import { HeapClock, settled } from './heap-clock.ts';
import { SimulatedTransport } from './simulated-transport.ts';
import { PEER } from './peer.ts';

/** A frame as its client reads it. */
export interface Received {
  readonly id: StreamId;
  readonly data?: unknown;
  readonly gap?: unknown;
}

/** One connection, seen from its client. */
export interface Client {
  /** Its socket's id. */
  readonly id: string;
  readonly transport: SimulatedTransport;
  readonly received: Received[];
}

/** Everything between a broker and the transports, with nothing in between replaced. */
export interface Core {
  readonly clock: HeapClock;
  readonly broker: MemoryBroker;
  readonly registry: Registry;
  readonly metrics: CountingMetrics;
  readonly actors: Actors;
  /** The names of what was reported, in order, each with what it was about. */
  readonly reported: readonly (readonly [keyof Report, ...unknown[]])[];
  /** Lets it read from its broker. */
  start(): Promise<void>;
  open(options?: Partial<Omit<NewSocket, 'connect'>>): Client;
  /** Publishes `data` to a channel; resolves when it has been routed. */
  publish(channel: string, data?: unknown): Promise<StreamId>;
}

export interface CoreOptions {
  readonly limits?: Partial<ActorsDeps['limits']>;
  readonly times?: Partial<ActorsDeps['times']>;
  readonly deps?: Partial<ActorsDeps>;
  readonly registry?: (clock: HeapClock) => Registry;
}

/** The core of a server on the embedded broker under a simulated clock; nothing reads before `start`. */
export function createCore({ limits, times, deps, registry: createRegistry }: CoreOptions = {}): Core {
  const clock = new HeapClock();
  const metrics = new CountingMetrics();
  const history = { maxLength: 1_000, maxAgeSeconds: 86_400, firehoseMaxLength: 10_000 };
  const broker = createMemoryBroker({ clock, history });
  const registry = createRegistry?.(clock) ?? new Registry({ clock });
  const reported: [keyof Report, ...unknown[]][] = [];
  const note =
    (name: keyof Report) =>
    (...about: unknown[]) =>
      void reported.push([name, ...about]);
  const base = actorsDeps({
    clock,
    metrics,
    log: broker.log,
    protocol: gapProtocol,
    report: {
      malformed: note('malformed'),
      routeFailed: note('routeFailed'),
      socketFailed: note('socketFailed'),
      channelFailed: note('channelFailed'),
      channelRefused: note('channelRefused'),
      replayFailed: note('replayFailed'),
      readerLive: note('readerLive'),
      readerStale: note('readerStale'),
      readerDeaf: note('readerDeaf'),
      readerHearing: note('readerHearing'),
      canaryRefused: note('canaryRefused'),
      epochChanged: note('epochChanged'),
      crashed: note('crashed'),
    },
  });
  const actors = createActors({
    ...base,
    registry,
    limits: { ...base.limits, ...limits },
    times: { ...base.times, ...times },
    ...deps,
  });

  return {
    clock,
    broker,
    registry,
    metrics,
    actors,
    reported,
    async start() {
      actors.start();
      await settled();
    },
    open(options) {
      const received: Received[] = [];
      let transport: SimulatedTransport | undefined;
      const id = actors.sockets.open({
        channels: ['c'],
        peer: PEER,
        lastId: undefined,
        credentialLifetimeMs: undefined,
        ...options,
        connect(_, listener) {
          transport = new SimulatedTransport(actors.routing.budget, listener, (frame) => {
            received.push(JSON.parse(frame.toString()) as Received);
          });
          return transport;
        },
      });
      return { id, received, transport: transport as SimulatedTransport };
    },
    async publish(channel, data = null) {
      const payload = Buffer.from(JSON.stringify({ channel_id: channel, data }));
      const id = await broker.log.append(channel, payload);
      await settled();
      return id;
    },
  };
}
