import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import { compareIds, type StreamId } from '../../src/event/stream-id.ts';
import { parseSsePosition, ssePosition } from '../../src/protocol/native/sse-position.ts';
import type { Heard, NativeStream } from '../support/native-core.ts';
import type { SimulatedTransport } from '../support/simulated-transport.ts';
import { type Client, Told } from './client.ts';
import type { Instance } from './instance.ts';
import { type Journal, Observer } from './journal.ts';
import type { Place, Places } from './place.ts';

export interface StreamClientOptions {
  readonly instance: Instance;
  readonly as: NativePrincipal;
  readonly journal: Journal;
  readonly channels: readonly string[];
  readonly from: Place | undefined;
}

/** A stream of frames: its channels share one cursor, which it keeps as EventSource does. */
export class StreamClient implements Client {
  readonly instance: Instance;
  readonly as: NativePrincipal;
  readonly told = new Told();
  received = 0;
  readonly #options: StreamClientOptions;
  readonly #stream: NativeStream;
  /** Undefined: it was not welcomed yet. */
  #observer: Observer | undefined;
  #lastEventId: string | undefined;
  #life: number;
  #owesGap = false;
  /** It goes on from where it was. */
  #isRecovered = false;

  constructor(options: StreamClientOptions) {
    const { instance, as, journal, channels, from } = options;
    this.#options = options;
    this.instance = instance;
    this.as = as;
    this.#life = from?.life ?? journal.epoch;
    this.#lastEventId = from && ssePosition(from.epoch, from.position);
    this.#stream = instance.core.openStream({
      as,
      channels,
      position: this.#lastEventId === undefined ? undefined : parseSsePosition(this.#lastEventId),
      onBlocks: (text) => this.#onBlocks(text),
    });
  }

  get id(): string {
    return this.#stream.session.id;
  }

  get transport(): SimulatedTransport {
    return this.#stream.transport;
  }

  isComplete(end: StreamId): boolean {
    return this.#observer?.isComplete(end) === true;
  }

  checkComplete(end: StreamId): void {
    if (this.#observer === undefined) throw new Error('a stream was never welcomed');
    this.#observer.checkComplete(end);
    if (this.#owesGap)
      throw new Error(`${this.#observer.channel}: what could not be recovered was never said`);
  }

  places(): Places {
    const position = this.#lastEventId === undefined ? undefined : parseSsePosition(this.#lastEventId);
    const place = position && { position: position.id, epoch: position.epoch, life: this.#life };
    return new Map(this.#options.channels.map((channel) => [channel, place]));
  }

  #onBlocks(text: string): void {
    for (const block of text.split('\n\n')) {
      let data: string | undefined;
      for (const line of block.split('\n')) {
        if (line.startsWith('id: ')) this.#onId(line.slice(4));
        if (line.startsWith('data: ')) data = line.slice(6);
      }
      if (data !== undefined) this.#onFrame(JSON.parse(data) as Heard);
    }
    this.#life = this.#observer?.epoch ?? this.#life;
  }

  /** Where it comes back from: in one life of the broker never from before what it has. */
  #onId(text: string): void {
    const before = this.#lastEventId === undefined ? undefined : parseSsePosition(this.#lastEventId);
    const now = parseSsePosition(text);
    if (now === undefined) throw new Error(`${text} is no position`);
    this.#lastEventId = text;
    if (before?.epoch === now.epoch && compareIds(now.id, before.id) < 0 && this.#isRecovered) {
      throw new Error(`I1: the position ${text} after ${before.id}`);
    }
  }

  #onFrame(frame: Heard): void {
    if (frame.type === 'welcome') return this.#onWelcome(frame);
    const observer = this.#observer;
    if (observer === undefined) {
      if (frame.type === 'ping') return;
      throw new Error(`${frame.type} came before welcome`);
    }
    if (frame.type === 'event') {
      if (this.#owesGap) throw new Error(`${frame.id} came before it was said what is missing`);
      const { order } = frame.data as unknown as { order: number };
      this.received += 1;
      observer.onFrame(Buffer.from(JSON.stringify({ id: frame.id, order })));
    } else if (frame.type === 'gap') {
      this.#owesGap = false;
      const { after, id: to, reason } = frame;
      observer.onFrame(Buffer.from(JSON.stringify({ id: to, gap: { after, to, reason } })));
    } else if (frame.type === 'ping') {
      if (frame.id !== undefined) observer.onProof(frame.id);
    } else if (frame.type === 'tell') this.told.on(frame);
    else throw new Error(`an unexpected ${JSON.stringify(frame)}`);
  }

  #onWelcome(welcome: Extract<Heard, { type: 'welcome' }>): void {
    const { journal, channels, from } = this.#options;
    const [joined] = welcome.subscriptions;
    if (joined === undefined) throw new Error('nothing was joined');
    const { id, epoch, recovered } = joined;
    if (from !== undefined && recovered && id !== from.position) {
      throw new Error(`recovered from ${from.position}, and begins at ${id}`);
    }
    if (from !== undefined && recovered && epoch !== from.epoch) {
      throw new Error(`recovered from ${from.epoch}, and it is ${epoch}`);
    }
    this.#isRecovered = recovered;
    const life = from !== undefined && recovered ? from.life : journal.lifeOf(epoch);
    this.#observer = new Observer(journal, channels, id, life);
    this.#owesGap = !recovered;
  }
}
