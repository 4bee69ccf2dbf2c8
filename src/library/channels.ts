import type { Target } from '../protocol/native/target.ts';
import type { AnyContract, Contract } from './contract.ts';
import { callEach, type OnBug } from './listeners.ts';
import type { Socket } from './socket.ts';

/** A channel as this instance sees it. */
export interface Channel<C extends Contract = AnyContract> {
  readonly name: string;
  /** Yours, of this process; forgotten when the channel closes. */
  readonly locals: Record<string, unknown>;
  /** The sockets of this instance that have it. */
  readonly sockets: readonly Socket<C>[];
}

type Listener<C extends Contract> = (channel: Channel<C>) => void;

/** The channels of this instance as programs see them. */
export class Channels<C extends Contract> {
  readonly #socketsOf: (target: Target) => readonly Socket<C>[];
  readonly #onBug: OnBug;
  readonly #locals = new Map<string, Record<string, unknown>>();
  readonly #onOpen = new Set<Listener<C>>();
  readonly #onClose = new Set<Listener<C>>();

  constructor(socketsOf: (target: Target) => readonly Socket<C>[], onBug: OnBug) {
    this.#socketsOf = socketsOf;
    this.#onBug = onBug;
  }

  /** What it has in `locals` is kept while it is open. */
  get(name: string): Channel<C> {
    const socketsOf = this.#socketsOf;
    return {
      name,
      locals: this.#locals.get(name) ?? {},
      get sockets() {
        return socketsOf({ channel: name });
      },
    };
  }

  opened(name: string): void {
    this.#locals.set(name, {});
    callEach(this.#onOpen, this.get(name), this.#onBug, 'onChannelOpen');
  }

  closed(name: string): void {
    const channel = this.get(name);
    this.#locals.delete(name);
    callEach(this.#onClose, channel, this.#onBug, 'onChannelClose');
  }

  onOpen(listener: Listener<C>): () => void {
    return added(this.#onOpen, listener);
  }

  onClose(listener: Listener<C>): () => void {
    return added(this.#onClose, listener);
  }
}

/** One listener may be added twice. */
function added<C extends Contract>(listeners: Set<Listener<C>>, listener: Listener<C>): () => void {
  const own: Listener<C> = (channel) => listener(channel);
  listeners.add(own);
  return () => void listeners.delete(own);
}
