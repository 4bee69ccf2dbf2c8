import { BrokerError } from './broker-error.ts';
import type { EventLog, Listener, Subscriber } from './ports.ts';

type Log = Pick<EventLog, 'subscribe'>;

/**
 * One connection to plain channels for several who each want some of them: a channel is subscribed once, however many
 * hear it. Each of them has what `EventLog.subscribe` promises. The connection is opened by the first, made anew by
 * whoever asks first after it was lost, and closed with the last.
 */
export class SharedSubscriber implements Log {
  readonly #log: Log;
  #line: Line | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  async subscribe(channels: readonly string[], listener: Listener): Promise<Subscriber> {
    this.#line ??= new Line(this.#log, (line) => {
      if (this.#line === line) this.#line = undefined;
    });
    const member = this.#line.join(listener);
    try {
      await member.opened;
      await Promise.all(channels.map((channel) => member.add(channel)));
    } catch (error) {
      member.close();
      throw error;
    }
    return member;
  }
}

/** A channel of one connection, and who hears it. */
interface Shared {
  readonly listeners: Set<Listener>;
  /** When the server has confirmed it. */
  readonly added: Promise<void>;
}

/** One connection, from its opening to its end. */
class Line implements Listener {
  readonly #opened: Promise<Subscriber>;
  readonly #onEnd: (line: Line) => void;
  readonly #members = new Set<Listener>();
  readonly #channels = new Map<string, Shared>();

  constructor(log: Log, onEnd: (line: Line) => void) {
    this.#onEnd = onEnd;
    this.#opened = log.subscribe([], this);
    this.#opened.catch(() => onEnd(this));
  }

  join(listener: Listener): Subscriber & { readonly opened: Promise<unknown> } {
    const own = new Set<string>();
    // Its own, so that a listener that joins twice hears twice, and is told of each loss.
    const member: Listener = {
      message: (channel, payload) => listener.message(channel, payload),
      lost: (reason) => listener.lost(reason),
    };
    this.#members.add(member);
    return {
      opened: this.#opened,
      add: async (channel) => {
        if (!this.#members.has(member)) throw new BrokerError('closed', 'the subscription has ended');
        own.add(channel);
        await this.#add(channel, member);
      },
      remove: (channel) => {
        if (own.delete(channel)) this.#remove(channel, member);
      },
      close: () => {
        if (!this.#members.delete(member)) return;
        for (const channel of own) this.#remove(channel, member);
        if (this.#members.size === 0) this.#close();
      },
    };
  }

  message(channel: string, payload: Buffer): void {
    for (const listener of this.#channels.get(channel)?.listeners ?? []) listener.message(channel, payload);
  }

  lost(reason: Error): void {
    this.#onEnd(this);
    this.#channels.clear();
    for (const member of this.#members) {
      this.#members.delete(member);
      member.lost(reason);
    }
  }

  #add(channel: string, member: Listener): Promise<void> {
    const known = this.#channels.get(channel);
    if (known !== undefined) {
      known.listeners.add(member);
      return known.added;
    }
    const added = this.#opened.then((subscriber) => subscriber.add(channel));
    const shared: Shared = { listeners: new Set([member]), added };
    this.#channels.set(channel, shared);
    // Whoever asks next asks the server again.
    added.catch(() => {
      if (this.#channels.get(channel) === shared) this.#channels.delete(channel);
    });
    return added;
  }

  #remove(channel: string, member: Listener): void {
    const shared = this.#channels.get(channel);
    if (shared?.listeners.delete(member) !== true || shared.listeners.size > 0) return;
    this.#channels.delete(channel);
    this.#tell((subscriber) => subscriber.remove(channel));
  }

  #close(): void {
    this.#onEnd(this);
    this.#tell((subscriber) => subscriber.close());
  }

  /** In the order of what it is told; one that was never opened is told nothing. */
  #tell(told: (subscriber: Subscriber) => void): void {
    this.#opened.then(told, () => {});
  }
}
