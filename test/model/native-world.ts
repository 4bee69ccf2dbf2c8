import type { NativeLog } from '../../src/broker/ports.ts';
import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import {
  createNativeCore,
  type Heard,
  type NativeConnection,
  type NativeCore,
} from '../support/native-core.ts';
import { principal } from '../support/native-auth.ts';
import type { HeapClock } from '../support/heap-clock.ts';
import { settled } from '../support/heap-clock.ts';
import { Random } from '../support/random.ts';
import { Application } from './application.ts';
import { Journal, Observer } from './journal.ts';

const OWN = 'user:5';
const NAMED = ['north', 'south', 'west'];
const CHANNELS = [OWN, ...NAMED];
const HISTORY = { maxLength: 40, maxAgeSeconds: 3_600, firehoseMaxLength: 120 };
const MAX_SOCKET_BUFFER_BYTES = 1_000;
const WINDOW = { maxEvents: 12, maxBytes: 100_000, maxAgeMs: 20_000 };
const MOST_CLIENTS = 5;
/** How long an answer of the broker may take. */
const SLOWEST_MS = 100;

/** What a client knows of a channel: where it is, and in which life of the broker. */
interface Place {
  readonly position: StreamId;
  readonly epoch: string;
  readonly life: number;
}

/** A subscription that was asked for, and is not answered yet. */
interface Asked {
  readonly from: Place | undefined;
  readonly atMs: number;
}

interface Heeding {
  readonly observer: Observer;
  epoch: string;
  /** `recovered` was false, so that a gap has to say why. */
  owesGap: boolean;
}

interface Client {
  readonly connection: NativeConnection;
  readonly asked: Map<string, Asked>;
  readonly heeding: Map<string, Heeding>;
  /** What was asked for under which ref. */
  readonly refs: Map<number, string>;
  received: number;
  isWelcomed: boolean;
}

/** The native protocol on the embedded broker under a simulated clock, and everything that can happen to it. */
export class NativeWorld {
  readonly random: Random;
  readonly journal = new Journal();
  readonly core: NativeCore;
  readonly history: string[] = [];
  readonly #lives = new Map<string, number>();
  #clients: Client[] = [];
  #gone: Client[] = [];
  #remembered: Map<string, Place>[] = [];
  #isAway = false;
  #trimmedAtMs = 0;
  /** A promise that was not true. */
  #broken: string | undefined;
  /** Left out: the token decides. */
  readonly #application: Application | undefined;
  #refs = 1;

  constructor(seed: number, { hasApplication = false } = {}) {
    this.random = new Random(seed);
    this.#application = hasApplication ? new Application(this.random, () => this.core.clock) : undefined;
    this.core = createNativeCore({
      history: HISTORY,
      rules: {
        maxSubscriptions: 4,
        framesPerSecond: 1_000_000,
        decider: this.#application?.decider ?? {},
      },
      log: (log, clock) => this.#slow(log, clock),
      deps: {
        random: this.random.next,
        limits: {
          window: WINDOW,
          maxSocketBufferBytes: MAX_SOCKET_BUFFER_BYTES,
          maxTotalBufferBytes: 5_000,
          replays: 2,
          replaySlackMs: 0,
        },
        reads: { count: 4, blockMs: 5_000, pauseMs: this.random.pick([0, 2]) },
        times: {
          handshakeTimeoutMs: 1_000,
          pingIntervalMs: 2_000,
          responseTimeoutMs: 7_000,
          slowConsumerTimeoutMs: 9_000,
          closeTimeoutMs: 1_000,
        },
        gcIntervalMs: 3_000,
      },
    });
    this.#lives.set(this.core.broker.native.head().epoch, 0);
  }

  async start(): Promise<void> {
    await this.core.start();
    if (!this.core.actors.isReady()) throw new Error('the reader is not ready');
  }

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
    if (this.#application !== undefined) this.#application.isHealed = true;
    for (const { connection } of this.#clients) {
      connection.transport.isReading = true;
      connection.transport.isAnswering = true;
      connection.transport.answer();
      connection.transport.flush();
    }
    const last = this.journal.events.at(-1)?.id ?? ZERO_ID;
    await this.#settle(last);
    for (const { observer } of this.#heeding()) observer.checkComplete(last);
    let end = ZERO_ID;
    for (const channel of CHANNELS) end = await this.append(channel);
    await this.#settle(end);
    if (!this.core.actors.isReady()) throw new Error('I7: the reader is not reading');
    for (const { observer, owesGap } of this.#heeding()) {
      observer.checkComplete(end);
      if (owesGap) throw new Error(`${observer.channel}: what could not be recovered was never said`);
    }
    if (this.#clients.some(({ asked }) => asked.size > 0))
      throw new Error('a subscription was never answered');
    this.#checkAccounts();
    for (const { connection } of this.#clients) connection.transport.cut();
    this.#reap();
    const { subscriptions, budget } = this.core.actors.routing;
    if (subscriptions.size > 0) throw new Error('subscriptions were left behind');
    if (this.#application !== undefined && this.#application.size > 0)
      throw new Error('the application was not told who went');
    if (budget.total !== 0) throw new Error(`budget: ${budget.total}`);
    if (this.core.bugs.length > 0) throw this.core.bugs[0];
  }

  async publish(): Promise<void> {
    if (this.#isAway) return;
    const count = this.random.pick([1, 1, 2, 5, 20]);
    for (let at = 0; at < count; at += 1) {
      if (this.random.chance(0.3)) this.core.clock.increment(this.random.below(3));
      await this.append(this.random.pick(CHANNELS));
    }
  }

  async append(channel: string): Promise<StreamId> {
    const { native } = this.core.broker;
    const text = 'x'.repeat(this.random.pick([0, 10, 100, 700]));
    const data = Buffer.from(JSON.stringify({ order: this.journal.events.length, text }));
    const published = native.publishEvents([{ channel, topic: 't', data }]);
    // The journal has to know of it before any socket can be sent it.
    const id = await native.lastId();
    this.journal.add(id, channel);
    if (this.journal.countOf(channel) > HISTORY.maxLength) {
      this.journal.wasTrimmed = true;
      this.#trimmedAtMs = this.core.clock.now();
    }
    await published;
    return id;
  }

  connect(): void {
    if (this.#clients.length >= MOST_CLIENTS) return;
    const places = this.#remembered.splice(this.random.below(this.#remembered.length), 1)[0] ?? new Map();
    const client: Client = {
      connection: this.core.connect({
        as: { user: '5', channels: ['*'], publish: [], issuedAtMs: 0, expiresAtMs: principal.expiresAtMs },
        onFrame: (frame) => this.#onFrame(client, frame),
      }),
      asked: new Map(),
      heeding: new Map(),
      refs: new Map(),
      received: 0,
      isWelcomed: false,
    };
    this.#clients.push(client);
    this.#overhear(client);
    const own: Place | undefined = places.get(OWN);
    client.asked.set(OWN, { from: own, atMs: this.core.clock.now() });
    client.connection.say({
      type: 'hello',
      ref: 0,
      ...(own !== undefined && { positions: { [OWN]: own.position }, epoch: own.epoch }),
    });
    for (const [channel, place] of places) if (channel !== OWN) this.#subscribe(client, channel, place);
  }

  subscribe(): void {
    const client = this.#any();
    const channel = this.random.pick(NAMED);
    if (client === undefined || client.heeding.has(channel) || client.asked.has(channel)) return;
    this.#subscribe(client, channel, undefined);
  }

  /** A client of another instance, which was ahead of this one. */
  comeFromElsewhere(): void {
    const client = this.#any();
    const last = this.journal.events.at(-1);
    const channel = this.random.pick(NAMED);
    if (client === undefined || client.heeding.has(channel) || client.asked.has(channel)) return;
    if (last === undefined || last.epoch !== this.journal.epoch) return;
    const { epoch } = this.core.broker.native.head();
    this.#subscribe(client, channel, { position: last.id, epoch, life: last.epoch });
  }

  unsubscribe(): void {
    const client = this.#any();
    const channel = this.random.pick(NAMED);
    // What is on its way still counts; the client heeds it until it is told.
    if (client?.heeding.has(channel))
      client.connection.say({ type: 'unsubscribe', ref: this.#refs++, channel });
  }

  /** Takes back what may not be decided yet. */
  cancel(): void {
    const client = this.#any();
    const channel = this.random.pick(NAMED);
    if (client?.asked.has(channel))
      client.connection.say({ type: 'unsubscribe', ref: this.#refs++, channel });
  }

  drop(): void {
    this.#any()?.connection.transport.cut();
  }

  stall(): void {
    const client = this.#any();
    if (client !== undefined) client.connection.transport.isReading = false;
  }

  read(): void {
    const client = this.#any();
    if (client === undefined) return;
    client.connection.transport.isReading = true;
    client.connection.transport.flush(this.random.pick([1, 2, 100]));
  }

  flush(): void {
    for (const { connection } of this.#clients) connection.transport.flush();
  }

  fallSilent(): void {
    const client = this.#any();
    if (client !== undefined) client.connection.transport.isAnswering = false;
  }

  answer(): void {
    for (const { connection } of this.#clients) {
      if (this.random.chance(0.8)) connection.transport.isAnswering = true;
      connection.transport.answer();
    }
  }

  trim(): void {
    if (this.random.chance(0.5)) return;
    this.journal.wasTrimmed = true;
    this.#trimmedAtMs = this.core.clock.now();
    const channel = this.random.chance(0.5) ? undefined : this.random.pick(CHANNELS);
    this.core.broker.native.trim(channel, this.random.below(4));
  }

  outage(): void {
    this.setAway(!this.#isAway && this.random.chance(0.5));
  }

  loseData(): void {
    if (this.random.chance(0.8)) return;
    this.core.broker.loseData();
    this.journal.epoch += 1;
    this.#lives.set(this.core.broker.native.head().epoch, this.journal.epoch);
    // No server comes back within the millisecond; ids of two lives never meet.
    this.core.clock.increment(10);
  }

  async wait(): Promise<void> {
    await this.core.clock.advance(this.random.pick([1, 5, 50, 500, 2_000, 6_000]));
  }

  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    this.core.broker.outage(isAway);
  }

  #subscribe(client: Client, channel: string, from: Place | undefined): void {
    client.asked.set(channel, { from, atMs: this.core.clock.now() });
    const ref = this.#refs++;
    client.refs.set(ref, channel);
    client.connection.say({
      type: 'subscribe',
      ref,
      channel,
      ...(from !== undefined && { lastId: from.position, epoch: from.epoch }),
    });
  }

  /** What is promised is true when it is said, which is when it is written: a client may read it much later. */
  #overhear(client: Client): void {
    const { transport } = client.connection;
    const write = transport.write.bind(transport);
    transport.write = (frames, events) => {
      for (const bytes of frames) {
        const frame = JSON.parse(bytes.toString()) as Heard;
        if (frame.type === 'subscribed') this.#checkPromise(client, frame);
        if (frame.type === 'welcome')
          for (const joined of frame.subscriptions) this.#checkPromise(client, joined);
      }
      write(frames, events);
    };
  }

  #checkPromise(client: Client, joined: { channel: string; recovered: boolean }): void {
    const asked = client.asked.get(joined.channel);
    const from = asked?.from;
    if (!joined.recovered || from === undefined || from.life !== this.journal.epoch) return;
    // A page that was read before something was trimmed can still be given, by whoever else it was asked for.
    if (asked === undefined || asked.atMs - this.#trimmedAtMs <= 2 * SLOWEST_MS) return;
    if (this.core.actors.routing.window.holds(from.position)) return;
    const { trimmed } = this.core.broker.native.history().range(joined.channel, from.position, undefined, 1);
    // Thrown here it would be taken for a broken transport.
    if (trimmed)
      this.#broken ??= `${joined.channel}: recovered from ${from.position}, which was trimmed before`;
  }

  #onFrame(client: Client, frame: Heard): void {
    if (!client.isWelcomed && !BEFORE_WELCOME.has(frame.type)) {
      throw new Error(`${frame.type} came before welcome`);
    }
    switch (frame.type) {
      case 'welcome':
        client.isWelcomed = true;
        for (const joined of frame.subscriptions) this.#onJoined(client, joined);
        return;
      case 'subscribed':
        return this.#onJoined(client, frame);
      case 'unsubscribed':
        client.heeding.delete(frame.channel);
        client.asked.delete(frame.channel);
        return;
      case 'snapshot':
        return this.#onSnapshot(client, frame);
      case 'event':
        return this.#onEvent(client, frame.channel, frame.id, frame.data as unknown as { order: number });
      case 'gap':
        return this.#onGap(client, frame);
      case 'ping':
        return this.#onPing(client, frame.id);
      case 'error':
        // It was asked to end a second time before the client heard that it had ended.
        if (frame.code === 'not_subscribed') return;
        if (this.#application !== undefined && client.refs.has(frame.ref as number)) {
          client.asked.delete(client.refs.get(frame.ref as number) as string);
          return;
        }
        throw new Error(`an unexpected ${JSON.stringify(frame)}`);
      default:
        throw new Error(`an unexpected ${JSON.stringify(frame)}`);
    }
  }

  #onJoined(
    client: Client,
    { channel, id, epoch, recovered }: { channel: string; id: StreamId; epoch: string; recovered: boolean },
  ): void {
    const asked = client.asked.get(channel);
    if (asked === undefined) throw new Error(`${channel} was not asked for`);
    client.asked.delete(channel);
    const { from } = asked;
    if (from !== undefined && recovered && id !== from.position) {
      throw new Error(`recovered ${channel} from ${from.position} begins at ${id}`);
    }
    const isFrom = from !== undefined && recovered;
    const life = isFrom ? from.life : (this.#lives.get(epoch) ?? -1);
    client.heeding.set(channel, {
      observer: new Observer(this.journal, channel, id, life),
      epoch,
      owesGap: !recovered,
    });
  }

  #onEvent(client: Client, channel: string, id: StreamId, { order }: { order: number }): void {
    client.received += 1;
    const heeding = client.heeding.get(channel);
    if (heeding === undefined) throw new Error(`I4: ${id} of ${channel}, which is not subscribed`);
    if (heeding.owesGap) throw new Error(`${channel}: ${id} came before it was said what is missing`);
    heeding.observer.onFrame(Buffer.from(JSON.stringify({ id, order })));
  }

  #onGap(client: Client, gap: Extract<Heard, { type: 'gap' }>): void {
    const heeding = client.heeding.get(gap.channel);
    if (heeding === undefined) throw new Error(`a gap of ${gap.channel}, which is not subscribed`);
    heeding.owesGap = false;
    if (gap.epoch !== undefined) heeding.epoch = gap.epoch;
    const { after, id: to, reason } = gap;
    heeding.observer.onFrame(Buffer.from(JSON.stringify({ id: to, gap: { after, to, reason } })));
  }

  #onSnapshot(client: Client, { channel, id }: Extract<Heard, { type: 'snapshot' }>): void {
    const heeding = client.heeding.get(channel);
    if (heeding === undefined) throw new Error(`a snapshot of ${channel}, which is not subscribed`);
    if (this.#application === undefined) throw new Error(`a snapshot of ${channel}, which has none`);
    heeding.observer.onSnapshot(id);
  }

  #onPing(client: Client, id: StreamId | undefined): void {
    if (id === undefined) return;
    for (const { observer } of client.heeding.values()) {
      if (observer.epoch !== this.journal.epoch) continue;
      const [missed] = this.journal.between(observer.channel, observer.epoch, observer.position, id);
      if (missed !== undefined) {
        throw new Error(
          `${observer.channel}: ping says ${id}, after ${observer.position} there was ${missed.id}`,
        );
      }
    }
  }

  #heeding(): Heeding[] {
    return this.#clients.flatMap(({ heeding }) => [...heeding.values()]);
  }

  async #settle(end: StreamId): Promise<void> {
    for (let round = 0; round < 150; round += 1) {
      await this.core.clock.advance(200);
      await settled();
      for (const { connection } of this.#clients) {
        connection.transport.answer();
        connection.transport.flush();
      }
      this.#reap();
      const isComplete = this.#heeding().every(({ observer }) => observer.isComplete(end));
      const isAnswered = this.#clients.every(({ asked }) => asked.size === 0);
      if (this.core.actors.isReady() && isComplete && isAnswered) return;
    }
  }

  #any(): Client | undefined {
    return this.#clients[this.random.below(this.#clients.length)];
  }

  #reap(): void {
    if (this.core.bugs.length > 0) throw this.core.bugs[0];
    const broken = this.#broken ?? this.#application?.fault;
    if (broken !== undefined) throw new Error(broken);
    for (const client of this.#clients.filter(({ connection }) => connection.transport.isClosed)) {
      this.#gone.push(client);
      const places = new Map<string, Place>();
      for (const [channel, { from }] of client.asked) if (from !== undefined) places.set(channel, from);
      for (const [channel, { observer, epoch }] of client.heeding) {
        places.set(channel, { position: observer.position, epoch, life: observer.epoch });
      }
      this.#remembered.push(places);
    }
    this.#clients = this.#clients.filter(({ connection }) => !connection.transport.isClosed);
  }

  #checkBounds(): void {
    const { window, budget } = this.core.actors.routing;
    if (window.length > WINDOW.maxEvents) throw new Error(`I5: ${window.length} events in the window`);
    for (const { connection } of this.#clients) {
      const { peakBufferedBytes } = connection.transport;
      // Beyond the limit: one frame of any size, and a few that are no events.
      if (peakBufferedBytes > MAX_SOCKET_BUFFER_BYTES + 4_000) {
        throw new Error(`I5: ${peakBufferedBytes} bytes buffered for one socket`);
      }
    }
    if (budget.total < 0) throw new Error(`the budget is ${budget.total}`);
  }

  /** I6: what was accepted was received, or never flushed and counted again as lost. */
  #checkAccounts(): void {
    const all = [...this.#clients, ...this.#gone];
    const accepted = all.reduce((sum, { connection }) => sum + connection.transport.acceptedEvents, 0);
    const received = all.reduce((sum, client) => sum + client.received, 0);
    const delivered = this.core.metrics.of('signalbox.events_delivered');
    const unflushed = this.core.metrics.of('signalbox.events_not_delivered unflushed');
    if (delivered !== accepted) throw new Error(`I6: ${delivered} delivered, ${accepted} accepted`);
    if (received !== accepted - unflushed) {
      throw new Error(`I6: ${received} received of ${accepted} accepted, ${unflushed} unflushed`);
    }
  }

  /** The broker's log, whose answers to replays may take their time. */
  #slow(log: NativeLog, clock: HeapClock): NativeLog {
    const pause = async (): Promise<void> => {
      if (this.random.chance(0.5)) return;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, this.random.below(SLOWEST_MS)));
    };
    const slowed =
      <Args extends unknown[], Answer>(ask: (...args: Args) => Promise<Answer>) =>
      async (...args: Args): Promise<Answer> => {
        const answer = await ask(...args);
        await pause();
        return answer;
      };
    return {
      ids: log.ids,
      openFirehose: (signal) => log.openFirehose(signal),
      append: (channel, payload) => log.append(channel, payload),
      publishEvents: (publications) => log.publishEvents(publications),
      subscribe: (channels, listener) => log.subscribe(channels, listener),
      publish: (channel, payload) => log.publish(channel, payload),
      close: () => log.close(),
      range: slowed((...args: Parameters<NativeLog['range']>) => log.range(...args)),
      lastId: slowed(() => log.lastId()),
      snapshot: slowed((channel: string) => log.snapshot(channel)),
    };
  }
}

/** What answers no subscription that goes on. */
const BEFORE_WELCOME = new Set(['welcome', 'ping', 'error', 'unsubscribed']);

const ACTIONS = [
  'publish',
  'publish',
  'publish',
  'publish',
  'connect',
  'connect',
  'subscribe',
  'subscribe',
  'comeFromElsewhere',
  'unsubscribe',
  'cancel',
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
] as const satisfies readonly (keyof NativeWorld)[];
