import type { CloseReason } from '../../machines/close-reason.ts';
import { firstContext, OPEN, type SocketTimes } from '../../machines/socket.machine.ts';
import type { Peer } from '../inspect/api.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { SocketState } from '../inspect/api.ts';
import type { Delivery, DeliveryOwner } from '../routing/delivery.ts';
import type { SocketProtocol } from '../routing/protocol.ts';
import type { Registry } from '../routing/registry.ts';
import type { Transport } from '../routing/transport.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createHeartbeatLogic, type HeartbeatActor, Turns } from './heartbeat.ts';
import {
  type ConnectionListener,
  OpenSocket,
  type OpenSocketDeps,
  type SocketsJournal,
} from './open-socket.ts';
import { createSocketLogic, noteSteps, type SocketActor } from './socket.ts';
import { socketState } from './states.ts';

export interface SocketsTimes extends SocketTimes {
  /** 0: no pings, and so no `stale`. */
  readonly pingIntervalMs: number;
}

export interface SocketsDeps {
  readonly registry: Registry;
  /** Before the ids of actors; two feeds of one process differ in it. */
  readonly prefix: string;
  readonly protocol: SocketProtocol;
  readonly deliver: (transport: Transport, owner: DeliveryOwner) => Delivery;
  readonly times: SocketsTimes;
  readonly metrics: Metrics;
  /** Left out: nothing is noted. */
  readonly journal?: SocketsJournal | undefined;
  readonly random: () => number;
  readonly now: () => number;
  readonly newId: () => string;
  /** A socket's actor failed: a bug, and that socket's alone. */
  readonly onError: (error: unknown, id: string) => void;
}

/** What a connection brings when it has been accepted. */
export interface NewSocket {
  readonly peer: Peer;
  readonly channels: readonly string[];
  /** The position that the client claims to have. */
  readonly lastId: StreamId | undefined;
  /** Undefined: its credential does not expire. */
  readonly credentialLifetimeMs: number | undefined;
  readonly connect: (id: string, listener: ConnectionListener) => Transport;
  /** Told once, when nothing is left of it. */
  readonly onReleased?: (reason: CloseReason) => void;
}

/** What a connection brings that is to say first what it wants. */
export interface NewHandshake {
  /** Its own: the one that limits are counted on. */
  readonly channel: string;
  readonly peer: Peer;
  readonly connect: NewSocket['connect'];
  /** Left out: one is made. */
  readonly id?: string;
  readonly onReleased?: NewSocket['onReleased'];
}

/** The sockets that are open, and their actors. */
export class Sockets {
  readonly #deps: SocketsDeps;
  readonly #shared: OpenSocketDeps;
  readonly #turns: Turns<OpenSocket>;
  readonly #sockets = new Map<string, OpenSocket>();
  readonly #perChannel = new Map<string, number>();
  #whenEmpty: (() => void)[] = [];
  #heartbeat: HeartbeatActor | undefined;

  constructor(deps: SocketsDeps) {
    this.#deps = deps;
    const { registry, prefix, deliver, protocol, random, now } = deps;
    const { pingIntervalMs, ...times } = deps.times;
    this.#turns = new Turns(pingIntervalMs);
    const find = (id: string): OpenSocket | undefined => this.#sockets.get(id);
    const plain = createSocketLogic(find, protocol, random);
    const logic = deps.journal === undefined ? plain : noteSteps(plain, find);
    this.#shared = {
      registry,
      prefix,
      logic,
      deliver,
      now,
      times,
      journal: deps.journal,
      open: logic.resolveState({ value: OPEN, context: firstContext({ id: '', times }) }),
      onEnd: (socket, error) => this.#release(socket, error),
      onBug: (error, id) => this.#reportBug(error, id),
    };
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** How many are on a channel as their own: the first of their channels. */
  countOn(channel: string): number {
    return this.#perChannel.get(channel) ?? 0;
  }

  ids(): string[] {
    return [...this.#sockets.keys()];
  }

  all(): Iterable<OpenSocket> {
    return this.#sockets.values();
  }

  get(id: string): OpenSocket | undefined {
    return this.#sockets.get(id);
  }

  /** Adds to `counts` how many are in which state. */
  countStates(counts: Record<SocketState, number>): void {
    for (const { actor } of this.#sockets.values()) counts[socketState(actor.getSnapshot())] += 1;
  }

  actorOf(id: string): SocketActor | undefined {
    return this.#sockets.get(id)?.actor;
  }

  /** Takes over a connection: its actor, its subscription and its delivery. Returns its id. */
  open(connection: NewSocket): string {
    const { channels, lastId, credentialLifetimeMs, peer, connect, onReleased } = connection;
    const socket = this.#add(
      { channel: channels[0] as string, peer, connect, ...(onReleased !== undefined && { onReleased }) },
      true,
    );
    // Whoever is caught up in this turn, from the window, never was behind: a crowd that returns costs two
    // transitions less for each.
    const { live: isLive } = socket.delivery.join(channels, lastId);
    if (!isLive) socket.delivery.begin();
    if (credentialLifetimeMs !== undefined) socket.renewed(credentialLifetimeMs);
    return socket.id;
  }

  /** Takes over a connection that is closed if it is not `opened` in time. */
  accept(connection: NewHandshake): OpenSocket {
    return this.#add(connection, false);
  }

  #add({ id, ...connection }: NewHandshake, isOpen: boolean): OpenSocket {
    const { random, metrics, newId } = this.#deps;
    const { channel, peer, connect, onReleased } = connection;
    const options = { id: id ?? newId(), channel, peer, connect, isOpen, onReleased };
    const socket = new OpenSocket(this.#shared, options);
    this.#sockets.set(socket.id, socket);
    this.#perChannel.set(channel, this.countOn(channel) + 1);
    socket.beat = this.#turns.join(socket, random());
    metrics.count('ws_connected_client');
    return socket;
  }

  close(id: string, reason: CloseReason): void {
    this.#sockets.get(id)?.close(reason);
  }

  /** Ends at once what is still open. */
  terminate(): void {
    for (const { transport } of this.#sockets.values()) transport.terminate();
  }

  /** Resolves once no socket is open. */
  whenEmpty(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Begins to ping them, each once in an interval. */
  startHeartbeat(onCrash: (error: unknown) => void): void {
    const { registry, times } = this.#deps;
    if (times.pingIntervalMs === 0) return;
    const logic = createHeartbeatLogic(() => {
      for (const socket of this.#turns.take()) socket.pingDue();
    });
    this.#heartbeat = registry.start(logic, {
      id: `${this.#deps.prefix}heartbeat`,
      input: { beatMs: times.pingIntervalMs / this.#turns.beats },
      onEnd: (error) => error !== undefined && onCrash(error),
    });
  }

  stopHeartbeat(): void {
    this.#heartbeat?.send({ type: 'heartbeat.stop' });
  }

  /** The one way out for completion and error alike: leave all, destroy the transport, forget. */
  #release(socket: OpenSocket, error: unknown): void {
    const { id } = socket;
    if (!this.#sockets.delete(id)) return;
    const { metrics, protocol } = this.#deps;
    this.#turns.leave(socket, socket.beat);
    const { unflushedEvents } = socket.transport;
    socket.delivery.close();
    const reason = socket.actor.getSnapshot().output?.reason;
    const ended = error === undefined ? (reason ?? 'gone') : 'failed';
    metrics.count('signalbox.sockets_closed', 1, { reason: ended });
    if (socket.record !== undefined) this.#deps.journal?.journal.close(socket.record, ended, unflushedEvents);
    if (reason === 'expired') metrics.count('ws_token_expired_disconnect');
    if (reason === 'too_slow') metrics.count('ws_client_backpressure_disconnect');
    if (error === undefined) socket.transport.terminate();
    else {
      const { code, text } = protocol.closeCode('failed');
      this.#reportBug(error, id);
      socket.transport.close(code, text);
    }
    const others = this.countOn(socket.channel) - 1;
    if (others > 0) this.#perChannel.set(socket.channel, others);
    else this.#perChannel.delete(socket.channel);
    socket.onReleased?.(ended);
    if (this.#sockets.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #reportBug(error: unknown, id: string): void {
    this.#deps.metrics.count('signalbox.actor_errors', 1, { machine: 'socket' });
    this.#deps.onError(error, id);
  }
}
