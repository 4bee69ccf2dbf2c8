import type { Page } from '../../src/broker/ports.ts';
import type { Entry } from '../../src/event/entry.ts';
import { compareIds, type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { RoutedBatch } from '../../src/routing/fan-out.ts';
import type { Delivery, DeliveryFact } from '../../src/routing/delivery.ts';
import type { SocketProtocol } from '../../src/routing/protocol.ts';
import { createRouting, type Routing, type RoutingDeps } from '../../src/routing/routing.ts';
import { CountingMetrics } from './counting-metrics.ts';
import { entryOf } from './events.ts';
import { gapProtocol } from './gap-protocol.ts';
import { SimulatedTransport } from './simulated-transport.ts';

/** What a socket's machine was told, and what ended it. */
type Told = DeliveryFact | 'end failed' | 'end lossy' | 'end too_slow';

/** One socket's write side, without a machine: the test decides what is done about what it tells. */
export interface Outlet {
  readonly delivery: Delivery;
  readonly transport: SimulatedTransport;
  readonly told: Told[];
  /** What it was ended for, where that was a bug. */
  readonly bugs: unknown[];
  /** The text of each frame that arrived. */
  readonly texts: string[];
  /** The ids of the events among them. */
  ids(): StreamId[];
}

/** The fast lane on a log that is a list. */
export interface Lane extends Routing {
  readonly metrics: CountingMetrics;
  /** What the log holds of every channel. */
  readonly entries: Entry[];
  readonly log: { ranges: number; isAway: boolean; trimmedUpTo: StreamId };
  readonly malformed: string[];
  readonly errors: { error: unknown; id: StreamId }[];
  /** What was put off to a later turn; `runLater` runs it. */
  runLater(): void;
  /** Publishes an event of channel `c` for each id, and routes them as one batch. */
  route(...ids: readonly StreamId[]): void;
  routeEntries(entries: readonly Entry[], trimmed?: boolean): void;
  /** A new socket. */
  outlet(): Outlet;
}

export interface LaneOptions {
  readonly protocol?: Partial<SocketProtocol>;
  readonly limits?: Partial<RoutingDeps['limits']>;
  readonly isLossy?: boolean;
  readonly now?: () => number;
  readonly framing?: RoutingDeps['framing'];
}

export function createLane(options: LaneOptions = {}): Lane {
  const { protocol, limits, isLossy = false, now = () => 0 } = options;
  const { framing = { headroom: 0, frame: (text) => text } } = options;
  const metrics = new CountingMetrics();
  const entries: Entry[] = [];
  const log = { ranges: 0, isAway: false, trimmedUpTo: ZERO_ID };
  const malformed: string[] = [];
  const errors: { error: unknown; id: StreamId }[] = [];
  let later: (() => void)[] = [];
  const assertThere = (): void => {
    if (log.isAway) throw new Error('the broker is away');
  };
  const routing = createRouting({
    log: {
      ids: 'shared',
      async range(channel, after, end, count): Promise<Page> {
        log.ranges += 1;
        assertThere();
        const found = entries.filter(
          ({ id, fields }) =>
            compareIds(id, after) > 0 &&
            compareIds(id, log.trimmedUpTo) > 0 &&
            (end === undefined || compareIds(id, end) <= 0) &&
            fields[1]?.includes(`"channel_id":"${channel}"`),
        );
        return { entries: found.slice(0, count), trimmed: compareIds(log.trimmedUpTo, after) > 0 };
      },
      async lastId() {
        assertThere();
        return entries.at(-1)?.id ?? ZERO_ID;
      },
    },
    isLossy,
    protocol: { ...gapProtocol, ...protocol },
    framing,
    metrics,
    channels: { joined() {}, left() {}, pageRequested() {}, pageSettled() {} },
    now,
    later: (run) => void later.push(run),
    onMalformed: ({ malformed: reason }) => void malformed.push(reason),
    onError: (error, id) => void errors.push({ error, id }),
    onReplayFailed() {},
    limits: {
      window: { maxEvents: 100, maxBytes: 1_000_000, maxAgeMs: 1_000_000 },
      maxSocketBufferBytes: 1_000,
      maxTotalBufferBytes: 100_000,
      replays: 4,
      replaySlackMs: 0,
      ...limits,
    },
  });

  return {
    ...routing,
    metrics,
    entries,
    log,
    malformed,
    errors,
    runLater() {
      const due = later;
      later = [];
      for (const run of due) run();
    },
    route(...ids) {
      const batch = ids.map((id) => entryOf(id));
      entries.push(...batch);
      routing.fanOut.route(new RoutedBatch(batch, false));
    },
    routeEntries(batch, trimmed = false) {
      entries.push(...batch);
      routing.fanOut.route(new RoutedBatch(batch, trimmed));
    },
    outlet() {
      const told: Told[] = [];
      const bugs: unknown[] = [];
      const texts: string[] = [];
      const transport = new SimulatedTransport(
        routing.budget,
        {
          flushed: () => delivery.flushed(),
          answered() {},
          closed: () => delivery.close(),
        },
        (frame) => void texts.push(frame.toString()),
        framing.compress !== undefined,
      );
      const delivery = routing.deliver(transport, {
        tell: (fact) => void told.push(fact),
        end(reason, error) {
          told.push(`end ${reason}`);
          if (error !== undefined) bugs.push(error);
        },
      });
      return {
        delivery,
        transport,
        told,
        bugs,
        texts,
        ids: () => texts.flatMap((text) => (JSON.parse(text) as { id?: StreamId }).id ?? []),
      };
    },
  };
}
