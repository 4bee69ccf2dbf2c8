import { createActors, type Actors, type ActorsDeps } from '../../src/actors/actors.ts';
import { createMemoryBroker, type MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { EventLog } from '../../src/broker/ports.ts';
import { type StreamId, streamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { actorsDeps } from '../support/actors-deps.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';
import { gapProtocol } from '../support/gap-protocol.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';
import { Random } from '../support/random.ts';
import { SimulatedTransport } from '../support/simulated-transport.ts';
import { Journal, Observer } from './journal.ts';
import { TIMES, WINDOW } from './tightness.ts';
import { PEER } from '../support/peer.ts';

const CHANNELS = ['north', 'south', '__proto__'];
const HISTORY = { maxLength: 60, maxAgeSeconds: 3_600, firehoseMaxLength: 150 };
const MAX_SOCKET_BUFFER_BYTES = 600;

interface Client {
  readonly observer: Observer;
  readonly transport: SimulatedTransport;
  readonly channel: string;
}

/** What a client keeps between two connections. */
interface Remembered {
  readonly channel: string;
  readonly position: StreamId;
  readonly epoch: number;
}

/** A whole Signalbox on the embedded broker under a simulated clock, and everything that can happen to it. */
export class World {
  readonly clock = new HeapClock();
  readonly random: Random;
  readonly journal = new Journal();
  readonly metrics = new CountingMetrics();
  readonly broker: MemoryBroker;
  readonly actors: Actors;
  readonly history: string[] = [];
  #clients: Client[] = [];
  #gone: Client[] = [];
  #remembered: Remembered[] = [];
  #isAway = false;
  #crash: unknown;

  constructor(seed: number, deps: Partial<ActorsDeps> = {}) {
    this.random = new Random(seed);
    this.broker = createMemoryBroker({
      clock: this.clock,
      history: HISTORY,
    });
    const fail = (error: unknown): void => {
      this.#crash ??= error;
    };
    this.actors = createActors({
      ...actorsDeps({
        clock: this.clock,
        metrics: this.metrics,
        log: this.#slowLog(),
        protocol: gapProtocol,
        report: {
          malformed: (malformed) => fail(new Error(`malformed: ${malformed.malformed}`)),
          routeFailed: fail,
          socketFailed: fail,
          channelFailed: fail,
          channelRefused: fail,
          crashed: fail,
          replayFailed() {},
          readerLive() {},
          readerStale() {},
          readerDeaf: fail,
          readerHearing() {},
          canaryRefused: fail,
          epochChanged() {},
        },
      }),
      random: this.random.next,
      limits: {
        window: WINDOW,
        maxSocketBufferBytes: MAX_SOCKET_BUFFER_BYTES,
        maxTotalBufferBytes: 4_000,
        replays: 2,
        replaySlackMs: 0,
      },
      reads: { count: 4, blockMs: 5_000, pauseMs: this.random.pick([0, 2]) },
      times: TIMES,
      gcIntervalMs: 3_000,
      // Whatever the broker does to it, it reads, and must never be taken for deaf.
      canary: { name: 'superset', intervalMs: 1_000, toleranceMs: 6_000 },
      ...deps,
    });
  }

  async start(): Promise<void> {
    this.actors.start();
    await settled();
    if (!this.actors.isReady()) throw new Error('the reader is not ready');
  }

  /** One thing that happens, by chance. */
  async step(): Promise<void> {
    const action = this.random.pick(ACTIONS);
    this.history.push(action);
    await this[action]();
    if (this.random.chance(0.7)) await settled();
    this.#reap();
    this.#checkBounds();
  }

  /** Everything heals; then everybody must have everything, and every event be accounted for. */
  async finish(): Promise<void> {
    this.setAway(false);
    for (const { transport } of this.#clients) {
      transport.isReading = true;
      transport.isAnswering = true;
      transport.answer();
      transport.flush();
    }
    // First without another event to wake anybody, then with one.
    const last = this.journal.events.at(-1)?.id ?? ZERO_ID;
    await this.#settle(last, { rounds: 150, stepMs: 200 });
    for (const { observer } of this.#clients) observer.checkComplete(last);
    let end = ZERO_ID;
    for (const channel of CHANNELS) end = await this.append(channel);
    await this.#settle(end, { rounds: 150, stepMs: 200 });
    this.#reap();
    if (!this.actors.isReady()) throw new Error('I7: the reader is not reading');
    for (const { observer } of this.#clients) observer.checkComplete(end);
    this.#checkAccounts();
    for (const client of this.#clients) client.transport.cut();
    this.#reap();
    if (this.actors.routing.subscriptions.size > 0) throw new Error('subscriptions were left behind');
    if (this.actors.routing.budget.total !== 0)
      throw new Error(`budget: ${this.actors.routing.budget.total}`);
    await this.clock.advance(10_000);
    if (this.actors.channels.size > 0) throw new Error('channels were never collected');
  }

  /** Lets time pass and peers read until everybody has everything up to `end`, or the rounds are over. */
  async #settle(end: StreamId, { rounds, stepMs }: { rounds: number; stepMs: number }): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await this.clock.advance(stepMs);
      await settled();
      for (const { transport } of this.#clients) {
        transport.answer();
        transport.flush();
      }
      this.#reap();
      if (this.actors.isReady() && this.#clients.every(({ observer }) => observer.isComplete(end))) return;
    }
  }

  async publish(): Promise<void> {
    if (this.#isAway) return;
    const count = this.random.pick([1, 1, 2, 5, 20]);
    for (let at = 0; at < count; at += 1) {
      if (this.random.chance(0.3)) this.clock.increment(this.random.below(3));
      await this.append(this.random.pick(CHANNELS));
    }
  }

  async append(channel: string): Promise<StreamId> {
    const data = 'x'.repeat(this.random.pick([0, 10, 100, 700]));
    const appended = this.broker.log.append(
      channel,
      Buffer.from(JSON.stringify({ channel_id: channel, order: this.journal.events.length, data })),
    );
    // The journal has to know of it before any socket can be sent it.
    const id = await this.broker.log.lastId();
    this.journal.add(id, channel);
    if (this.journal.countOf(channel) > HISTORY.maxLength) this.journal.wasTrimmed = true;
    await appended;
    return id;
  }

  connect(): void {
    if (this.#clients.length >= 8) return;
    if (this.random.chance(0.4)) return this.#open(this.random.pick(CHANNELS), undefined);
    const at = this.random.below(this.#remembered.length);
    const remembered = this.#remembered[at];
    if (remembered === undefined) return;
    this.#remembered.splice(at, 1);
    // The position of another life means nothing, and this protocol cannot say which life it is of.
    const isUsable = remembered.epoch === this.journal.epoch && remembered.position !== ZERO_ID;
    this.#open(remembered.channel, isUsable ? remembered.position : undefined);
  }

  claimTheFuture(): void {
    if (this.#clients.length >= 8 || this.journal.epoch === 0) return;
    this.#open(this.random.pick(CHANNELS), streamId(this.clock.now() + 60_000, 0), true);
  }

  /** A client of another instance, which was ahead of this one. */
  comeFromElsewhere(): void {
    const last = this.journal.events.at(-1);
    if (this.#clients.length >= 8 || last === undefined || last.epoch !== this.journal.epoch) return;
    this.#open(this.random.pick(CHANNELS), last.id);
  }

  drop(): void {
    this.#any()?.transport.cut();
  }

  stall(): void {
    const client = this.#any();
    if (client !== undefined) client.transport.isReading = false;
  }

  read(): void {
    const client = this.#any();
    if (client === undefined) return;
    client.transport.isReading = true;
    client.transport.flush(this.random.pick([1, 2, 100]));
  }

  flush(): void {
    for (const { transport } of this.#clients) transport.flush();
  }

  fallSilent(): void {
    const client = this.#any();
    if (client !== undefined) client.transport.isAnswering = false;
  }

  answer(): void {
    for (const { transport } of this.#clients) {
      if (this.random.chance(0.8)) transport.isAnswering = true;
      transport.answer();
    }
  }

  trim(): void {
    if (this.random.chance(0.5)) return;
    this.journal.wasTrimmed = true;
    this.broker.trim(this.random.chance(0.5) ? undefined : this.random.pick(CHANNELS), this.random.below(4));
  }

  outage(): void {
    this.setAway(!this.#isAway && this.random.chance(0.5));
  }

  loseData(): void {
    if (this.random.chance(0.8)) return;
    this.broker.loseData();
    this.journal.epoch += 1;
    // No server comes back within the millisecond; ids of two lives never meet.
    this.clock.increment(10);
  }

  async wait(): Promise<void> {
    await this.clock.advance(this.random.pick([1, 5, 50, 500, 2_000, 6_000]));
  }

  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    this.broker.outage(isAway);
  }

  /** The broker's log, whose answers to replays may take their time. */
  #slowLog(): EventLog {
    const { log } = this.broker;
    const pause = async (): Promise<void> => {
      if (this.random.chance(0.5)) return;
      await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.random.below(100)));
    };
    return {
      ids: log.ids,
      openFirehose: (signal) => log.openFirehose(signal),
      append: (channel, payload) => log.append(channel, payload),
      subscribe: (channels, listener) => log.subscribe(channels, listener),
      publish: (channel, payload) => log.publish(channel, payload),
      close: () => log.close(),
      range: async (channel, after, end, count) => {
        const page = await log.range(channel, after, end, count);
        await pause();
        return page;
      },
      lastId: async () => {
        const id = await log.lastId();
        await pause();
        return id;
      },
      lastIdAfresh: async () => {
        const id = await log.lastIdAfresh();
        await pause();
        return id;
      },
    };
  }

  #any(): Client | undefined {
    return this.#clients[this.random.below(this.#clients.length)];
  }

  #open(channel: string, lastId: StreamId | undefined, isClaim = false): void {
    const { routing, sockets } = this.actors;
    const start = lastId === undefined || isClaim ? routing.fanOut.position : lastId;
    const observer = new Observer(this.journal, channel, start, this.journal.epoch);
    let transport: SimulatedTransport | undefined;
    const id = sockets.open({
      peer: PEER,
      channels: [channel],
      lastId,
      credentialLifetimeMs: this.random.chance(0.1) ? 4_000 : undefined,
      connect: (_, listener) => {
        transport = new SimulatedTransport(routing.budget, listener, (frame) => observer.onFrame(frame));
        return transport;
      },
    });
    this.#clients.push({ observer, channel, transport: transport as SimulatedTransport });
    this.onOpened(id, channel, transport as SimulatedTransport);
  }

  /** A socket was opened. */
  onOpened(_id: string, _channel: string, _transport: SimulatedTransport): void {}

  #reap(): void {
    if (this.#crash !== undefined) throw this.#crash;
    for (const client of this.#clients.filter(({ transport }) => transport.isClosed)) {
      this.#gone.push(client);
      const { channel, observer } = client;
      this.#remembered.push({ channel, position: observer.position, epoch: observer.epoch });
    }
    this.#clients = this.#clients.filter(({ transport }) => !transport.isClosed);
  }

  #checkBounds(): void {
    const { window, budget } = this.actors.routing;
    if (window.length > WINDOW.maxEvents) throw new Error(`I5: ${window.length} events in the window`);
    if (window.bytes > WINDOW.maxBytes) throw new Error(`I5: ${window.bytes} bytes in the window`);
    for (const { transport } of this.#clients) {
      if (transport.peakBufferedBytes > MAX_SOCKET_BUFFER_BYTES + 1_000) {
        throw new Error(`I5: ${transport.peakBufferedBytes} bytes buffered for one socket`);
      }
    }
    if (budget.total < 0) throw new Error(`the budget is ${budget.total}`);
  }

  /** I6: what was accepted was received, or never flushed and counted again as lost. */
  #checkAccounts(): void {
    const all = [...this.#clients, ...this.#gone];
    const accepted = all.reduce((sum, { transport }) => sum + transport.acceptedEvents, 0);
    const received = all.reduce((sum, { observer }) => sum + observer.received, 0);
    const delivered = this.metrics.of('signalbox.events_delivered');
    const unflushed = this.metrics.of('signalbox.events_not_delivered unflushed');
    if (delivered !== accepted)
      throw new Error(`I6: ${delivered} counted as delivered, ${accepted} accepted`);
    if (received !== accepted - unflushed) {
      throw new Error(`I6: ${received} received of ${accepted} accepted, ${unflushed} counted as unflushed`);
    }
  }
}

const ACTIONS = [
  'publish',
  'publish',
  'publish',
  'publish',
  'connect',
  'connect',
  'connect',
  'claimTheFuture',
  'comeFromElsewhere',
  'drop',
  'stall',
  'read',
  'read',
  'flush',
  'flush',
  'fallSilent',
  'answer',
  'trim',
  'outage',
  'loseData',
  'wait',
  'wait',
  'wait',
] as const satisfies readonly (keyof World)[];
