import { createActors, type Actors } from '../src/actors/actors.ts';
import type { ConnectionListener } from '../src/actors/open-socket.ts';
import { createMemoryBroker } from '../src/broker/memory/memory-broker.ts';
import { systemClock } from '../src/clock.ts';
import { streamId } from '../src/event/stream-id.ts';
import { Journal } from '../src/journal/journal.ts';
import { RoutedBatch } from '../src/routing/fan-out.ts';
import { supersetStreamsProtocol } from '../src/protocol/superset/socket-protocol.ts';
import { noMetrics } from '../src/telemetry/metrics.ts';
import type { Transport } from '../src/routing/transport.ts';
import { actorsDeps } from '../test/support/actors-deps.ts';
import { entryOf } from '../test/support/events.ts';

/**
 * What the journal costs, in one process and without a network: rounds with it and without take turns, so that whatever
 * else the machine does meets both. The processor's time is what counts. `node --import ./test/source-loader.mjs
 * bench/journal.ts`
 */
const SOCKETS = 2_000;
const BATCHES = 40;
const EVENTS = 10;
const ROUNDS = 61;

/** Takes whatever it is given, as a kernel does that is not full. */
class Taking implements Transport {
  readonly isCompressed = false;
  readonly bufferedBytes = 0;
  readonly unflushedEvents = 0;
  readonly #listener: ConnectionListener;

  constructor(listener: ConnectionListener) {
    this.#listener = listener;
  }

  write(): void {}
  ping(): void {
    this.#listener.answered();
  }
  pauseInput(): void {}
  close(): void {
    this.#listener.closed();
  }
  terminate(): void {
    this.#listener.closed();
  }
}

interface Stand {
  readonly actors: Actors;
  sequence: number;
}

function stand(journal: Journal | undefined): Stand {
  const broker = createMemoryBroker({
    clock: systemClock,
    history: { maxLength: 1_000, maxAgeSeconds: 3_600, firehoseMaxLength: 1_000 },
  });
  const nothing = (): void => {};
  const deps = actorsDeps({
    clock: systemClock,
    metrics: noMetrics,
    log: broker.log,
    protocol: supersetStreamsProtocol({ onRepaired: nothing }),
    report: {
      malformed: nothing,
      routeFailed: nothing,
      replayFailed: nothing,
      socketFailed: nothing,
      channelFailed: nothing,
      channelRefused: nothing,
      readerLive: nothing,
      readerStale: nothing,
      epochChanged: nothing,
      crashed: nothing,
      readerDeaf: nothing,
      readerHearing: nothing,
      canaryRefused: nothing,
    },
  });
  return { actors: createActors({ ...deps, journal }), sequence: 0 };
}

function open({ actors }: Stand, count: number): void {
  for (let at = 0; at < count; at += 1) {
    actors.sockets.open({
      channels: ['c'],
      peer: { transport: 'websocket', protocol: 'superset', user: `u${at}`, address: '192.0.2.1' },
      lastId: undefined,
      credentialLifetimeMs: 3_600_000,
      connect: (_, listener) => new Taking(listener),
    });
  }
}

function broadcast(to: Stand): void {
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const entries = Array.from({ length: EVENTS }, () => entryOf(streamId(1_700_000_000_000, to.sequence++)));
    to.actors.routing.fanOut.route(new RoutedBatch(entries, false));
  }
}

function ping({ actors }: Stand): void {
  for (const id of actors.sockets.ids()) actors.sockets.actorOf(id)?.send({ type: 'ping.due', silentMs: 0 });
}

const leave = ({ actors }: Stand): void => actors.sockets.terminate();

function cpuMsOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** The median of each, and of how much more it is with the journal in rounds next to each other. */
function compare(
  name: string,
  pairs: readonly [Stand, Stand],
  count: number,
  run: (on: Stand) => void,
  /** Not counted. */
  after: (on: Stand) => void = () => {},
): void {
  const withIt: number[] = [];
  const without: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    for (const which of order) {
      (which === 0 ? withIt : without).push(cpuMsOf(() => run(pairs[which])));
      after(pairs[which]);
    }
  }
  const differences = withIt.map((ms, at) => ms - (without[at] as number));
  const us = (ms: number): string => ((ms * 1000) / count).toFixed(3);
  process.stdout.write(
    `${name}: ${us(median(without))} µs each, ${us(median(withIt))} with the journal, by pairs ${us(median(differences))} more\n`,
  );
}

const journal = new Journal({
  now: Date.now,
  instance: () => 'bench',
  keepMs: 600_000,
  maxSockets: 10_000,
});
const both = [stand(journal), stand(undefined)] as const;
const connect = (on: Stand): void => open(on, SOCKETS);
compare('connect', both, SOCKETS, connect, leave);
for (const on of both) connect(on);
compare('delivery', both, SOCKETS * BATCHES * EVENTS, broadcast);
compare('ping and answer', both, SOCKETS, ping);
process.exit(0);
