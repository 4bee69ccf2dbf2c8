import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { sseFramesProtocol } from '../../src/protocol/native/sse-rules.ts';
import { parseSsePosition, type SsePosition } from '../../src/protocol/native/sse-position.ts';
import { StreamSession } from '../../src/protocol/native/stream-session.ts';
import { principal } from '../support/native-auth.ts';
import { createNativeCore, type Heard, type NativeCore } from '../support/native-core.ts';
import { settled } from '../support/heap-clock.ts';
import { Random } from '../support/random.ts';
import { SimulatedTransport } from '../support/simulated-transport.ts';
import { Journal, Observer } from './journal.ts';

const CHANNELS = ['north', 'south', 'west'];
const HISTORY = { maxLength: 260, maxAgeSeconds: 3_600, firehoseMaxLength: 900 };
const MAX_SOCKET_BUFFER_BYTES = 2_000;
const WINDOW = { maxEvents: 12, maxBytes: 100_000, maxAgeMs: 20_000 };
const MOST_CLIENTS = 4;

interface Client {
  readonly transport: SimulatedTransport;
  readonly channels: readonly string[];
  /** Undefined: it was not welcomed yet. */
  observer: Observer | undefined;
  /** As EventSource keeps it. */
  lastEventId: string | undefined;
  life: number;
  owesGap: boolean;
}

/** Where a client was that has gone. */
interface Left extends Pick<Client, 'channels' | 'lastEventId' | 'life'> {}

/** Streams of several channels with one cursor, on the embedded broker under a simulated clock, and what can happen. */
export class StreamWorld {
  readonly random: Random;
  readonly journal = new Journal();
  readonly core: NativeCore;
  readonly history: string[] = [];
  readonly #lives = new Map<string, number>();
  #clients: Client[] = [];
  #left: Left[] = [];
  #isAway = false;
  #ids = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    const protocol = sseFramesProtocol({
      epoch: () => this.core.actors.routing.fanOut.epoch,
      onRepaired() {},
    });
    this.core = createNativeCore({
      history: HISTORY,
      deps: {
        random: this.random.next,
        formats: [{ name: 'frames', protocol, framing: { headroom: 0, frame: (text) => text } }],
        limits: {
          window: WINDOW,
          maxSocketBufferBytes: MAX_SOCKET_BUFFER_BYTES,
          maxTotalBufferBytes: 10_000,
          replays: 2,
          replaySlackMs: 0,
        },
        reads: { count: 4, blockMs: 5_000, pauseMs: this.random.pick([0, 2]) },
        gcIntervalMs: 3_000,
      },
    });
    this.#lives.set(this.core.broker.native.head().epoch, 0);
  }

  async start(): Promise<void> {
    await this.core.start();
  }

  async step(): Promise<void> {
    const action = this.random.pick(ACTIONS);
    this.history.push(action);
    await this[action]();
    if (this.random.chance(0.7)) await settled();
    this.#reap();
  }

  /** Everything heals; then everybody must have everything. */
  async finish(): Promise<void> {
    this.setAway(false);
    for (const { transport } of this.#clients) transport.isReading = true;
    let end = ZERO_ID;
    for (const channel of CHANNELS) end = await this.append(channel);
    for (let round = 0; round < 150 && !this.#isComplete(end); round += 1) {
      await this.core.clock.advance(200);
      await settled();
      this.flush();
      this.#reap();
    }
    for (const { observer, owesGap } of this.#clients) {
      if (observer === undefined) throw new Error('a stream was never welcomed');
      observer.checkComplete(end);
      if (owesGap) throw new Error(`${observer.channel}: what could not be recovered was never said`);
    }
    for (const { transport } of this.#clients) transport.cut();
    this.#reap();
    const { subscriptions, budget } = this.core.actors.routing;
    if (subscriptions.size > 0) throw new Error('subscriptions were left behind');
    if (budget.total !== 0) throw new Error(`budget: ${budget.total}`);
  }

  async publish(): Promise<void> {
    if (this.#isAway) return;
    const count = this.random.pick([1, 2, 5, 20, 220]);
    for (let at = 0; at < count; at += 1) {
      if (this.random.chance(0.3)) this.core.clock.increment(this.random.below(3));
      await this.append(this.random.pick(CHANNELS));
    }
  }

  async append(channel: string): Promise<StreamId> {
    const { native } = this.core.broker;
    const data = Buffer.from(JSON.stringify({ order: this.journal.events.length }));
    const published = native.publishEvents([{ channel, topic: 't', data }]);
    const id = await native.lastId();
    this.journal.add(id, channel);
    if (this.journal.countOf(channel) > HISTORY.maxLength) this.journal.wasTrimmed = true;
    await published;
    return id;
  }

  connect(): void {
    if (this.#clients.length >= MOST_CLIENTS || !this.core.actors.isAccepting()) return;
    const left = this.#left.splice(this.random.below(this.#left.length), 1)[0];
    const some = CHANNELS.filter(() => this.random.chance(0.6));
    const channels = left?.channels ?? (some.length === 0 ? CHANNELS : some);
    const position = left?.lastEventId === undefined ? undefined : parseSsePosition(left.lastEventId);
    const [streams] = this.core.actors.streams;
    let session: StreamSession | undefined;
    let client: Client | undefined;
    const opened = streams?.accept({
      id: `stream${this.#ids++}`,
      channel: 'user:5',
      connect: (_, listener) => {
        const transport = new SimulatedTransport(this.core.actors.routing.budget, listener, (bytes) => {
          this.#onBlocks(client as Client, bytes.toString(), position, left?.life);
        });
        client = {
          transport,
          channels,
          observer: undefined,
          lastEventId: left?.lastEventId,
          life: left?.life ?? 0,
          owesGap: false,
        };
        return transport;
      },
      onReleased: (reason) => session?.closed(reason),
    });
    if (opened === undefined || client === undefined) throw new Error('no stream was opened');
    this.#clients.push(client);
    const { random } = this;
    const rules = {
      decider: {},
      epoch: () => this.core.actors.routing.fanOut.epoch,
      now: this.core.clock.now,
      random: random.next,
      pingIntervalMs: 2_000,
      publish: () => Promise.reject(new Error('nobody publishes by a stream')),
    };
    session = new StreamSession(opened, principal, rules, { form: 'frames', channels, position });
    session.begin();
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

  /** What the kernel takes is all the answer that there is. */
  flush(): void {
    for (const { transport } of this.#clients) {
      transport.flush();
      if (transport.isReading) transport.answer();
    }
  }

  trim(): void {
    if (this.random.chance(0.6)) return;
    this.journal.wasTrimmed = true;
    this.core.broker.native.trim(
      this.random.chance(0.5) ? undefined : this.random.pick(CHANNELS),
      this.random.below(4),
    );
  }

  outage(): void {
    this.setAway(!this.#isAway && this.random.chance(0.5));
  }

  loseData(): void {
    if (this.random.chance(0.8)) return;
    this.core.broker.loseData();
    this.journal.epoch += 1;
    this.#lives.set(this.core.broker.native.head().epoch, this.journal.epoch);
    this.core.clock.increment(10);
  }

  async wait(): Promise<void> {
    await this.core.clock.advance(this.random.pick([1, 5, 50, 500, 2_000, 6_000]));
  }

  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    this.core.broker.outage(isAway);
  }

  /** As EventSource reads it. */
  #onBlocks(client: Client, text: string, from: SsePosition | undefined, life: number | undefined): void {
    for (const block of text.split('\n\n')) {
      let data: string | undefined;
      for (const line of block.split('\n')) {
        if (line.startsWith('id: ')) client.lastEventId = line.slice(4);
        if (line.startsWith('data: ')) data = line.slice(6);
      }
      if (data !== undefined) this.#onFrame(client, JSON.parse(data) as Heard, from, life);
    }
    client.life = client.observer?.epoch ?? client.life;
  }

  #onFrame(client: Client, frame: Heard, from: SsePosition | undefined, life: number | undefined): void {
    const { observer } = client;
    if (frame.type === 'welcome') {
      const [joined] = frame.subscriptions;
      if (joined === undefined) throw new Error('nothing was joined');
      const { id, epoch, recovered } = joined;
      if (from !== undefined && recovered && id !== from.id) {
        throw new Error(`recovered from ${from.id}, and begins at ${id}`);
      }
      const isFrom = from !== undefined && recovered;
      const at = isFrom ? (life as number) : (this.#lives.get(epoch) ?? -1);
      client.observer = new Observer(this.journal, client.channels, id, at);
      client.owesGap = !recovered;
      return;
    }
    if (observer === undefined) {
      if (frame.type === 'ping') return;
      throw new Error(`${frame.type} came before welcome`);
    }
    if (frame.type === 'event') {
      if (client.owesGap) throw new Error(`${frame.id} came before it was said what is missing`);
      const { order } = frame.data as unknown as { order: number };
      observer.onFrame(Buffer.from(JSON.stringify({ id: frame.id, order })));
    } else if (frame.type === 'gap') {
      client.owesGap = false;
      const { after, id: to, reason } = frame;
      observer.onFrame(Buffer.from(JSON.stringify({ id: to, gap: { after, to, reason } })));
    } else if (frame.type === 'ping') {
      if (frame.id !== undefined) observer.onProof(frame.id);
    } else throw new Error(`an unexpected ${JSON.stringify(frame)}`);
  }

  #isComplete(end: StreamId): boolean {
    return (
      this.core.actors.isReady() && this.#clients.every(({ observer }) => observer?.isComplete(end) === true)
    );
  }

  #any(): Client | undefined {
    return this.#clients[this.random.below(this.#clients.length)];
  }

  #reap(): void {
    if (this.core.bugs.length > 0) throw this.core.bugs[0];
    for (const client of this.#clients.filter(({ transport }) => transport.isClosed)) this.#left.push(client);
    this.#clients = this.#clients.filter(({ transport }) => !transport.isClosed);
    const { window } = this.core.actors.routing;
    if (window.length > WINDOW.maxEvents) throw new Error(`I5: ${window.length} events in the window`);
    for (const { transport } of this.#clients) {
      if (transport.peakBufferedBytes > MAX_SOCKET_BUFFER_BYTES + 4_000) {
        throw new Error(`I5: ${transport.peakBufferedBytes} bytes buffered for one stream`);
      }
    }
  }
}

const ACTIONS = [
  'publish',
  'publish',
  'publish',
  'connect',
  'connect',
  'connect',
  'drop',
  'stall',
  'read',
  'read',
  'flush',
  'flush',
  'trim',
  'outage',
  'loseData',
  'wait',
  'wait',
  'wait',
] as const satisfies readonly (keyof StreamWorld)[];
