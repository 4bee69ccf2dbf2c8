import type { CloseReason } from '../../machines/socket.machine.ts';
import type { StreamId } from '../event/stream-id.ts';
import type { Delivery, DeliveryOwner } from '../routing/delivery.ts';
import type { SocketProtocol } from '../routing/protocol.ts';
import type { Registry } from '../routing/registry.ts';
import type { Transport, TransportListener } from '../routing/transport.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createSocketLogic, type Socket, type SocketActor } from './socket.ts';

export interface SocketTimes {
  readonly handshakeTimeoutMs: number;
  /** 0: no pings. */
  readonly pingIntervalMs: number;
  readonly responseTimeoutMs: number;
  readonly slowConsumerTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

export interface SocketsDeps {
  readonly registry: Registry;
  readonly protocol: SocketProtocol;
  readonly deliver: (transport: Transport, owner: DeliveryOwner) => Delivery;
  readonly times: SocketTimes;
  readonly metrics: Metrics;
  readonly random: () => number;
  readonly newId: () => string;
  /** A socket's actor failed: a bug, and that socket's alone. */
  readonly onError: (error: unknown, id: string) => void;
}

/** What a connection brings when it has been accepted. */
export interface NewSocket {
  readonly channels: readonly string[];
  /** The position that the client claims to have. */
  readonly lastId: StreamId | undefined;
  /** Undefined: its credential does not expire. */
  readonly credentialLifetimeMs: number | undefined;
  connect(id: string, listener: TransportListener & { violated(): void }): Transport;
}

interface OpenSocket extends Socket {
  readonly actor: SocketActor;
  readonly channel: string;
}

/** The sockets that are open, and their actors. */
export class Sockets {
  readonly #deps: SocketsDeps;
  readonly #logic: ReturnType<typeof createSocketLogic>;
  readonly #sockets = new Map<string, OpenSocket>();
  readonly #perChannel = new Map<string, number>();
  #whenEmpty: (() => void)[] = [];

  constructor(deps: SocketsDeps) {
    this.#deps = deps;
    this.#logic = createSocketLogic((id) => this.#sockets.get(id), deps.protocol, deps.random);
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

  actorOf(id: string): SocketActor | undefined {
    return this.#sockets.get(id)?.actor;
  }

  /** Takes over a connection: its actor, its subscription and its delivery. Returns its id. */
  open(connection: NewSocket): string {
    const { registry, times, random, metrics, deliver, newId } = this.#deps;
    const id = newId();
    const channel = connection.channels[0] as string;
    const actor: SocketActor = registry.start(this.#logic, {
      id: `socket:${id}`,
      input: { id, ...times, firstPingMs: times.pingIntervalMs * random() },
      onEnd: (error) => this.#release(id, error),
    });
    const transport = connection.connect(id, {
      flushed: () => delivery.flushed(),
      answered: () => actor.send({ type: 'answer.received' }),
      closed: () => actor.send({ type: 'transport.closed' }),
      violated: () => this.close(id, 'policy'),
    });
    const delivery = deliver(transport, {
      tell: (type) => actor.send({ type }),
      end: (reason, error) => {
        if (error !== undefined) this.#reportBug(error, id);
        this.close(id, reason);
      },
    });
    this.#sockets.set(id, { id, channel, actor, transport, delivery });
    this.#perChannel.set(channel, this.countOn(channel) + 1);
    metrics.count('ws_connected_client');
    const { live: isLive } = delivery.join(connection.channels, connection.lastId);
    const { credentialLifetimeMs } = connection;
    actor.send({
      type: 'socket.opened',
      isLive,
      ...(credentialLifetimeMs !== undefined && { credentialLifetimeMs }),
    });
    return id;
  }

  close(id: string, reason: CloseReason): void {
    this.#sockets.get(id)?.actor.send({ type: 'socket.close', reason });
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

  /** The one way out for completion and error alike: leave all, destroy the transport, forget. */
  #release(id: string, error: unknown): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    const { metrics, protocol } = this.#deps;
    socket.delivery.close();
    const reason = socket.actor.getSnapshot().output?.reason;
    metrics.count('signalbox.sockets_closed', 1, {
      reason: error === undefined ? (reason ?? 'gone') : 'failed',
    });
    if (reason === 'expired') metrics.count('ws_token_expired_disconnect');
    if (reason === 'too_slow') metrics.count('ws_client_backpressure_disconnect');
    if (error === undefined) socket.transport.terminate();
    else {
      const { code, text } = protocol.closeCode('failed');
      this.#reportBug(error, id);
      socket.transport.close(code, text);
    }
    this.#sockets.delete(id);
    const others = this.countOn(socket.channel) - 1;
    if (others > 0) this.#perChannel.set(socket.channel, others);
    else this.#perChannel.delete(socket.channel);
    if (this.#sockets.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #reportBug(error: unknown, id: string): void {
    this.#deps.metrics.count('signalbox.actor_errors', 1, { machine: 'socket' });
    this.#deps.onError(error, id);
  }
}
