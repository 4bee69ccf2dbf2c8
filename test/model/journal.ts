import { compareIds, type StreamId } from '../../src/event/stream-id.ts';
import type { Gap } from '../../src/routing/protocol.ts';

/** An event as it was published: what ought to arrive. */
export interface Published {
  readonly id: StreamId;
  readonly channel: string;
  /** The broker's life it was published in. */
  readonly epoch: number;
  /** Its place among all that was published. */
  readonly order: number;
  /** The socket that published it and is not to hear it. */
  readonly by: string | undefined;
}

/** Everything that was ever published, and what was done to it. */
export class Journal {
  readonly events: Published[] = [];
  /** By life and channel; ids ascend within each. */
  readonly #sequences = new Map<string, Published[]>();
  epoch = 0;
  /** Something was trimmed, so that a gap may be due. */
  wasTrimmed = false;
  /** When that was last. */
  trimmedAtMs = 0;
  /** What the lives of the broker are called. */
  readonly #lives = new Map<string, number>();

  /** The broker has a life of this name: its first one, or another after it lost its data. */
  live(name: string): void {
    if (this.#lives.size > 0) this.epoch += 1;
    this.#lives.set(name, this.epoch);
  }

  lifeOf(name: string): number {
    return this.#lives.get(name) ?? -1;
  }

  trimmed(nowMs: number): void {
    this.wasTrimmed = true;
    this.trimmedAtMs = nowMs;
  }

  add(id: StreamId, channel: string, by?: string): void {
    const event = { id, channel, epoch: this.epoch, order: this.events.length, by };
    this.events.push(event);
    const sequence = this.#sequence(channel, this.epoch);
    if (sequence.length === 0) this.#sequences.set(keyOf(channel, this.epoch), sequence);
    sequence.push(event);
  }

  /** How many a channel has had in this life of the broker. */
  countOf(channel: string): number {
    return this.#sequence(channel, this.epoch).length;
  }

  /** What channels had in `(after, end]` in one life of the broker. */
  betweenOf(channels: readonly string[], epoch: number, after: StreamId, end: StreamId): Published[] {
    return channels
      .flatMap((channel) => this.between(channel, epoch, after, end))
      .toSorted((a, b) => compareIds(a.id, b.id));
  }

  /** What a channel had in `(after, end]` in one life of the broker. */
  between(channel: string, epoch: number, after: StreamId, end: StreamId): Published[] {
    const sequence = this.#sequence(channel, epoch);
    const found: Published[] = [];
    for (let at = sequence.length - 1; at >= 0; at -= 1) {
      const event = sequence[at] as Published;
      if (compareIds(event.id, after) <= 0) break;
      if (compareIds(event.id, end) <= 0) found.unshift(event);
    }
    return found;
  }

  #sequence(channel: string, epoch: number): Published[] {
    return this.#sequences.get(keyOf(channel, epoch)) ?? [];
  }
}

function keyOf(channel: string, epoch: number): string {
  return `${epoch} ${channel}`;
}

/** One subscription's view, of one channel or of several with one cursor: checks I1 to I4 with each frame that arrives. */
export class Observer {
  readonly #journal: Journal;
  readonly channel: string;
  readonly #channels: readonly string[];
  /** What the client has: the last event, or where a gap put it. */
  position: StreamId;
  epoch: number;
  received = 0;
  #isOwedGap = false;
  readonly #socket: string | undefined;
  readonly #seen = new Set<number>();

  /** `socket`: what that publishes without an echo is not for it. */
  constructor(
    journal: Journal,
    channels: string | readonly string[],
    position: StreamId,
    epoch: number,
    socket?: string,
  ) {
    this.#journal = journal;
    this.#socket = socket;
    this.#channels = typeof channels === 'string' ? [channels] : channels;
    this.channel = this.#channels.join();
    this.position = position;
    this.epoch = epoch;
  }

  onFrame(frame: Buffer): void {
    const message = JSON.parse(frame.toString()) as { id: StreamId; order: number; gap?: Gap };
    if (message.gap !== undefined) this.#onGap(message.gap);
    else this.#onEvent(message.id, this.#journal.events[message.order]);
  }

  #onGap({ reason, to }: Gap): void {
    if (reason === 'trimmed' && !this.#journal.wasTrimmed)
      throw new Error('a gap although nothing was trimmed');
    if (reason === 'epoch') {
      if (this.#journal.epoch === 0) throw new Error('a gap of epoch although no data was lost');
      this.epoch = this.#journal.epoch;
      this.#isOwedGap = false;
    } else if (compareIds(to, this.position) < 0) {
      throw new Error(`a gap back to ${to} from ${this.position}`);
    }
    this.position = to;
  }

  #onEvent(id: StreamId, event: Published | undefined): void {
    if (event === undefined || event.id !== id) throw new Error(`${id} was never published`);
    if (!this.#channels.includes(event.channel)) throw new Error(`I4: ${id} is of ${event.channel}`);
    if (event.by !== undefined && event.by === this.#socket) throw new Error(`${id} is an echo`);
    if (this.#seen.has(event.order)) throw new Error(`I3: ${id} came twice`);
    this.#seen.add(event.order);
    if (event.epoch === this.epoch) {
      if (compareIds(id, this.position) <= 0) throw new Error(`I1: ${id} came after ${this.position}`);
      const missed = this.dueUpTo(id).filter((other) => other.id !== id);
      // Lost with the broker's data: said so once the reader has noticed.
      if (missed.length > 0 && this.#journal.epoch !== event.epoch) this.#isOwedGap = true;
      else if (missed.length > 0)
        throw new Error(`I2: ${id} came after ${this.position} without ${missed[0]?.id}`);
    }
    this.epoch = event.epoch;
    this.position = id;
    this.received += 1;
  }

  /** The state at `id` stands for everything up to it. */
  onSnapshot(id: StreamId): void {
    if (compareIds(id, this.position) < 0) throw new Error(`I1: a snapshot of ${id} after ${this.position}`);
    this.position = id;
  }

  /** The client was told that it has everything up to `id`. */
  onProof(id: StreamId): void {
    if (this.epoch !== this.#journal.epoch) return;
    const [missed] = this.dueUpTo(id);
    if (missed !== undefined) throw new Error(`${this.channel}: up to ${id}, without ${missed.id}`);
    if (compareIds(id, this.position) > 0) this.position = id;
  }

  /** Whether `checkComplete` would pass by now. */
  isComplete(end: StreamId): boolean {
    if (this.#isOwedGap || this.epoch !== this.#journal.epoch) return false;
    return this.dueUpTo(end).length === 0;
  }

  /** That everything of this life up to `end` has arrived or was said to be lost. */
  checkComplete(end: StreamId): void {
    if (this.#isOwedGap || this.epoch !== this.#journal.epoch)
      throw new Error('I2: the loss of the data was never announced');
    const missed = this.dueUpTo(end);
    if (missed.length > 0) throw new Error(`I2: ${missed.length} events after ${this.position} never came`);
  }

  /** What is to come, in the life that the client is in. */
  dueUpTo(end: StreamId): Published[] {
    return this.#journal
      .betweenOf(this.#channels, this.epoch, this.position, end)
      .filter(({ by }) => by === undefined || by !== this.#socket);
  }
}
