import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import { compareIds, type StreamId } from '../../src/event/stream-id.ts';
import { userChannel } from '../../src/protocol/native/names.ts';
import type { Heard, NativeConnection } from '../support/native-core.ts';
import type { SimulatedTransport } from '../support/simulated-transport.ts';
import { type Client, Told } from './client.ts';
import type { Instance } from './instance.ts';
import { type Journal, Observer } from './journal.ts';
import type { Place, Places } from './place.ts';
import { SLOWEST_MS } from './slow-log.ts';

/** A subscription that was asked for, and is not answered yet. */
interface Asked {
  readonly from: Place | undefined;
  readonly atMs: number;
  /** It came from an instance that was further than this one. */
  readonly isAhead: boolean;
}

interface Heeding {
  readonly observer: Observer;
  epoch: string;
  /** `recovered` was false, so that a gap has to say why. */
  owesGap: boolean;
}

export interface SocketClientOptions {
  readonly instance: Instance;
  readonly as: NativePrincipal;
  readonly journal: Journal;
  readonly places: Places;
  /** An application decides, which may refuse, and makes snapshots. */
  readonly isDecided: boolean;
  /** A promise that was not true. */
  readonly blame: (fault: string) => void;
}

/** A client of the native protocol on a WebSocket: each of its subscriptions has a position of its own. */
export class SocketClient implements Client {
  readonly instance: Instance;
  readonly as: NativePrincipal;
  readonly told = new Told();
  received = 0;
  readonly #options: SocketClientOptions;
  readonly #connection: NativeConnection;
  readonly #asked = new Map<string, Asked>();
  readonly #heeding = new Map<string, Heeding>();
  /** What was asked for under which ref. */
  readonly #refs = new Map<number, string>();
  #nextRef = 1;
  #isWelcomed = false;

  constructor(options: SocketClientOptions) {
    const { instance, as, places } = options;
    this.#options = options;
    this.instance = instance;
    this.as = as;
    this.#connection = instance.core.connect({ as, onFrame: (frame) => this.#onFrame(frame) });
    this.#overhear();
    const own = userChannel(as.user);
    const from = places.get(own);
    this.#ask(own, from);
    this.#connection.say({
      type: 'hello',
      ref: 0,
      ...(from !== undefined && { positions: { [own]: from.position }, epoch: from.epoch }),
    });
    for (const [channel, place] of places) if (channel !== own) this.subscribe(channel, place);
  }

  get id(): string {
    return this.#connection.session.id;
  }

  get transport(): SimulatedTransport {
    return this.#connection.transport;
  }

  isHeeding(channel: string): boolean {
    return this.#heeding.has(channel);
  }

  isAsking(channel: string): boolean {
    return this.#asked.has(channel);
  }

  subscribe(channel: string, from: Place | undefined): void {
    this.#ask(channel, from);
    const ref = this.#nextRef++;
    this.#refs.set(ref, channel);
    this.#connection.say({
      type: 'subscribe',
      ref,
      channel,
      ...(from !== undefined && { lastId: from.position, epoch: from.epoch }),
    });
  }

  /** To itself no echo. */
  publish(channel: string, data: object): void {
    this.#connection.say({
      type: 'publish',
      ref: this.#nextRef++,
      channel,
      topic: 't',
      data,
      echo: false,
    });
  }

  /** What is on its way still counts; the client heeds it until it is told. */
  unsubscribe(channel: string): void {
    this.#connection.say({ type: 'unsubscribe', ref: this.#nextRef++, channel });
  }

  isComplete(end: StreamId): boolean {
    return (
      this.#asked.size === 0 && [...this.#heeding.values()].every(({ observer }) => observer.isComplete(end))
    );
  }

  checkComplete(end: StreamId): void {
    for (const { observer, owesGap } of this.#heeding.values()) {
      observer.checkComplete(end);
      if (owesGap) throw new Error(`${observer.channel}: what could not be recovered was never said`);
    }
    if (this.#asked.size > 0) throw new Error('a subscription was never answered');
  }

  places(): Places {
    const places = new Map<string, Place>();
    for (const [channel, { from }] of this.#asked) if (from !== undefined) places.set(channel, from);
    for (const [channel, { observer, epoch }] of this.#heeding) {
      places.set(channel, { position: observer.position, epoch, life: observer.epoch });
    }
    return places;
  }

  #ask(channel: string, from: Place | undefined): void {
    const { clock, actors } = this.instance.core;
    const isAhead = from !== undefined && compareIds(from.position, actors.routing.fanOut.position) > 0;
    this.#asked.set(channel, { from, atMs: clock.now(), isAhead });
  }

  /** What is promised is true when it is said, which is when it is written: a client may read it much later. */
  #overhear(): void {
    const { transport } = this;
    const write = transport.write.bind(transport);
    transport.write = (frames, events) => {
      for (const bytes of frames) {
        const frame = JSON.parse(bytes.toString()) as Heard;
        if (frame.type === 'subscribed') this.#checkPromise(frame);
        if (frame.type === 'welcome') for (const joined of frame.subscriptions) this.#checkPromise(joined);
      }
      write(frames, events);
    };
  }

  #checkPromise({ channel, recovered }: { channel: string; recovered: boolean }): void {
    const { journal, blame } = this.#options;
    const { core } = this.instance;
    const asked = this.#asked.get(channel);
    const from = asked?.from;
    if (!recovered || from === undefined || from.life !== journal.epoch) return;
    // A page that was read before something was trimmed can still be given, by whoever else it was asked for.
    if (asked === undefined || asked.atMs - journal.trimmedAtMs <= 2 * SLOWEST_MS) return;
    const { window, fanOut } = core.actors.routing;
    if (window.holds(from.position)) return;
    // Nothing is said before this instance is as far as the log was; what comes later is told with its own event.
    const end = asked.isAhead ? undefined : fanOut.position;
    const { trimmed } = core.broker.native.history().range(channel, from.position, end, 1);
    // Thrown here it would be taken for a broken transport.
    if (trimmed) blame(`${channel}: recovered from ${from.position}, which was trimmed before`);
  }

  #onFrame(frame: Heard): void {
    if (!this.#isWelcomed && !BEFORE_WELCOME.has(frame.type)) {
      throw new Error(`${frame.type} came before welcome`);
    }
    switch (frame.type) {
      case 'welcome':
        this.#isWelcomed = true;
        for (const joined of frame.subscriptions) this.#onJoined(joined);
        return;
      case 'subscribed':
        return this.#onJoined(frame);
      case 'unsubscribed':
        this.#heeding.delete(frame.channel);
        this.#asked.delete(frame.channel);
        return;
      case 'snapshot':
        return this.#onSnapshot(frame);
      case 'event':
        return this.#onEvent(frame.channel, frame.id, frame.data as unknown as { order: number });
      case 'gap':
        return this.#onGap(frame);
      case 'ping':
        return this.#onPing(frame.id);
      case 'published':
        return;
      case 'tell':
        return this.told.on(frame);
      case 'error':
        return this.#onError(frame);
      default:
        throw new Error(`an unexpected ${JSON.stringify(frame)}`);
    }
  }

  #onError(frame: Extract<Heard, { type: 'error' }>): void {
    // It was asked to end a second time before the client heard that it had ended.
    if (frame.code === 'not_subscribed') return;
    const channel = this.#refs.get(frame.ref as number);
    if (!this.#options.isDecided || channel === undefined) {
      throw new Error(`an unexpected ${JSON.stringify(frame)}`);
    }
    this.#asked.delete(channel);
  }

  #onJoined(joined: { channel: string; id: StreamId; epoch: string; recovered: boolean }): void {
    const { channel, id, epoch, recovered } = joined;
    const { journal } = this.#options;
    const asked = this.#asked.get(channel);
    if (asked === undefined) throw new Error(`${channel} was not asked for`);
    this.#asked.delete(channel);
    const { from } = asked;
    if (from !== undefined && recovered && id !== from.position) {
      throw new Error(`recovered ${channel} from ${from.position} begins at ${id}`);
    }
    if (from !== undefined && recovered && epoch !== from.epoch) {
      throw new Error(`recovered ${channel} from ${from.epoch}, and it is ${epoch}`);
    }
    const life = from !== undefined && recovered ? from.life : journal.lifeOf(epoch);
    this.#heeding.set(channel, {
      observer: new Observer(journal, channel, id, life, this.id),
      epoch,
      owesGap: !recovered,
    });
  }

  #onEvent(channel: string, id: StreamId, { order }: { order: number }): void {
    this.received += 1;
    const heeding = this.#heeding.get(channel);
    if (heeding === undefined) throw new Error(`I4: ${id} of ${channel}, which is not subscribed`);
    if (heeding.owesGap) throw new Error(`${channel}: ${id} came before it was said what is missing`);
    heeding.observer.onFrame(Buffer.from(JSON.stringify({ id, order })));
  }

  #onGap(gap: Extract<Heard, { type: 'gap' }>): void {
    const heeding = this.#heeding.get(gap.channel);
    if (heeding === undefined) throw new Error(`a gap of ${gap.channel}, which is not subscribed`);
    heeding.owesGap = false;
    if (gap.epoch !== undefined) heeding.epoch = gap.epoch;
    const { after, id: to, reason } = gap;
    heeding.observer.onFrame(Buffer.from(JSON.stringify({ id: to, gap: { after, to, reason } })));
  }

  #onSnapshot({ channel, id }: Extract<Heard, { type: 'snapshot' }>): void {
    const heeding = this.#heeding.get(channel);
    if (heeding === undefined) throw new Error(`a snapshot of ${channel}, which is not subscribed`);
    if (!this.#options.isDecided) throw new Error(`a snapshot of ${channel}, which has none`);
    heeding.observer.onSnapshot(id);
  }

  #onPing(id: StreamId | undefined): void {
    if (id === undefined) return;
    const { journal } = this.#options;
    for (const { observer } of this.#heeding.values()) {
      if (observer.epoch !== journal.epoch) continue;
      const [missed] = observer.dueUpTo(id);
      if (missed === undefined) continue;
      throw new Error(
        `${observer.channel}: ping says ${id}, after ${observer.position} there was ${missed.id}`,
      );
    }
  }
}

/** What answers no subscription that goes on. */
const BEFORE_WELCOME = new Set(['welcome', 'ping', 'error', 'unsubscribed', 'published']);
