import type { SnapshotFrom } from 'xstate';
import type { CloseReason } from '../../machines/close-reason.ts';
import { firstContext, OPEN, type SocketTimes } from '../../machines/socket.machine.ts';
import type { Peer } from '../inspect/api.ts';
import type { FeedJournal } from '../journal/feed-journal.ts';
import type { Journal } from '../journal/journal.ts';
import type { SocketJournal } from '../journal/socket-journal.ts';
import type { Delivery, DeliveryFact, DeliveryOwner } from '../routing/delivery.ts';
import type { Registry } from '../routing/registry.ts';
import type { Transport, TransportListener } from '../routing/transport.ts';
import type { Socket, SocketActor, SocketLogic } from './socket.ts';

/** What the listener of a transport hears, beside what every transport tells: the client broke its protocol. */
export type ConnectionListener = TransportListener & { violated(): void };

/** Where it is noted what sockets of one feed do. */
export interface SocketsJournal {
  readonly journal: Pick<Journal, 'open' | 'close'>;
  readonly feed: FeedJournal;
}

/** What all sockets of one registry share. */
export interface OpenSocketDeps {
  readonly registry: Registry;
  /** Before the ids of actors. */
  readonly prefix: string;
  readonly logic: SocketLogic;
  /** The state in which a socket begins; its context is replaced. */
  readonly open: SnapshotFrom<SocketLogic>;
  readonly times: SocketTimes;
  readonly deliver: (transport: Transport, owner: DeliveryOwner) => Delivery;
  readonly journal: SocketsJournal | undefined;
  readonly now: () => number;
  readonly onEnd: (socket: OpenSocket, error: unknown) => void;
  readonly onBug: (error: unknown, id: string) => void;
}

export interface OpenSocketOptions {
  readonly id: string;
  readonly channel: string;
  readonly peer: Peer;
  readonly connect: (id: string, listener: ConnectionListener) => Transport;
  /** False: it is `connecting` until it is told that it was opened. */
  readonly isOpen: boolean;
  /** Told once, when nothing is left of it. */
  readonly onReleased?: ((reason: CloseReason) => void) | undefined;
}

/** One connection: where its transport, its delivery and its actor meet. No closures, since there are many. */
export class OpenSocket implements Socket, DeliveryOwner, ConnectionListener {
  readonly id: string;
  /** Its own: the first of those that it is on. */
  readonly channel: string;
  readonly transport: Transport;
  readonly delivery: Delivery;
  readonly actor: SocketActor;
  readonly peer: Peer;
  readonly record: SocketJournal | undefined;
  /** Which beat of the heartbeat is its own. */
  beat = 0;
  readonly #deps: OpenSocketDeps;
  readonly onReleased: OpenSocketOptions['onReleased'];
  #answeredAtMs: number;

  /** Throws what `connect` throws, and has then left nothing behind. */
  constructor(deps: OpenSocketDeps, options: OpenSocketOptions) {
    const { id, channel, peer, connect, isOpen, onReleased } = options;
    const { registry, logic, open, times, journal } = deps;
    this.#deps = deps;
    this.id = id;
    this.channel = channel;
    this.peer = peer;
    this.onReleased = onReleased;
    this.#answeredAtMs = deps.now();
    this.transport = connect(id, this);
    const start = isOpen ? OPEN : 'connecting';
    this.record = journal?.journal.open({ id, peer, feed: journal.feed, start, times });
    this.delivery = deps.deliver(this.transport, this);
    this.actor = registry.startMember(logic, {
      id: `${deps.prefix}socket:${id}`,
      ...(isOpen
        ? { snapshot: { ...open, context: firstContext({ id, times }) } }
        : { input: { id, times } }),
      onEnd: (error) => deps.onEnd(this, error),
    });
  }

  /** What was to be waited for has come: it is served, for as long as its credential lasts. */
  opened(credentialLifetimeMs: number | undefined): void {
    this.actor.send({ type: 'socket.opened' });
    if (credentialLifetimeMs !== undefined) this.renewed(credentialLifetimeMs);
  }

  renewed(lifetimeMs: number): void {
    this.actor.send({ type: 'credential.renewed', lifetimeMs });
  }

  /** `word`: in the place of the reason's own, at most 123 bytes. */
  close(reason: CloseReason, word?: string): void {
    this.actor.send({ type: 'socket.close', reason, word });
  }

  /** It is its turn to be pinged. */
  pingDue(): void {
    this.actor.send({ type: 'ping.due', silentMs: this.#deps.now() - this.#answeredAtMs });
  }

  /** Somebody wants to know whether it is there. */
  pingNow(): void {
    if (this.actor.getSnapshot().matches({ open: { heartbeat: 'idle' } })) this.pingDue();
    // Asked already, it is asked again, without counting as one that did not answer.
    else this.transport.ping(this.delivery.ping());
  }

  flushed(): void {
    this.record?.drained(this.transport.bufferedBytes);
    this.delivery.flushed();
  }

  waiting(): void {
    this.record?.waiting();
  }

  answered(): void {
    this.#answeredAtMs = this.#deps.now();
    this.actor.send({ type: 'answer.received' });
  }

  closed(): void {
    this.actor.send({ type: 'transport.closed' });
  }

  violated(): void {
    this.close('policy');
  }

  tell(type: DeliveryFact): void {
    this.actor.send({ type });
  }

  end(reason: CloseReason, error?: unknown): void {
    if (error !== undefined) this.#deps.onBug(error, this.id);
    this.close(reason);
  }
}
