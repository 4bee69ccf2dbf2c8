import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Duplex } from 'node:stream';
import { BrokerError } from '../broker-error.ts';
import {
  clusterOptions,
  commonOptions,
  type HostAndPort,
  type RedisAddress,
  singleOptions,
} from './address.ts';
import { type Client, Connection, isReply } from './connection.ts';
import { MappedCluster } from './mapped-cluster.ts';
import { SCRIPTS } from './scripts.ts';

export interface ConnectOptions {
  readonly address: RedisAddress;
  /** For everything from the first packet to the last answer of the handshake. */
  readonly connectTimeoutMs: number;
}

/** Opens connections; every call makes a new one, so Sentinel or the Cluster is asked again each time. */
export class Connector {
  readonly #address: RedisAddress;
  readonly #timeoutMs: number;

  constructor({ address, connectTimeoutMs }: ConnectOptions) {
    this.#address = address;
    this.#timeoutMs = connectTimeoutMs;
  }

  get isCluster(): boolean {
    return (this.#address.cluster?.length ?? 0) > 0;
  }

  /** A connection for commands on any key. `purpose` is what CLIENT LIST shows. */
  async open(purpose: string, signal?: AbortSignal): Promise<Connection> {
    if (this.isCluster) return new Connection(await this.#openCluster(purpose, signal));
    return this.openFor('', purpose, signal);
  }

  /**
   * A connection to the one server that holds `key`.
   *
   * For what blocks, and for what asks a server about itself: a Cluster client shares its connections and sends
   * a command without a key to any node.
   */
  async openFor(key: string, purpose: string, signal?: AbortSignal): Promise<Connection<Redis>> {
    if (!this.isCluster) {
      return new Connection(
        await this.#openSingle(singleOptions(this.#address, this.#timeoutMs), purpose, signal),
      );
    }
    const cluster = new Connection(await this.#openCluster(purpose, signal));
    try {
      const owner = await cluster.run(this.#timeoutMs, (client) => ownerOf(client, key));
      const options = { ...commonOptions({ ...this.#address, db: 0 }, this.#timeoutMs), ...owner };
      return new Connection(await this.#openSingle(options, purpose, signal));
    } finally {
      cluster.close();
    }
  }

  async #openSingle(options: RedisOptions, purpose: string, signal?: AbortSignal): Promise<Redis> {
    const client = new Redis({ ...options, connectionName: `signalbox:${purpose}`, scripts: SCRIPTS });
    await this.#connect(client, signal);
    return client;
  }

  async #openCluster(purpose: string, signal?: AbortSignal): Promise<Cluster> {
    const { redisOptions, ...options } = clusterOptions(this.#address, this.#timeoutMs);
    const client = new MappedCluster([...(this.#address.cluster ?? [])], {
      ...options,
      redisOptions: { ...redisOptions, connectionName: `signalbox:${purpose}` },
      scripts: SCRIPTS,
    });
    await this.#connect(client, signal);
    return client;
  }

  async #connect(client: Client, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    let giveUp: (reason: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    const onAbort = () => giveUp(signal?.reason);
    const timer = setTimeout(
      () => giveUp(new Error(`no answer within ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    // Stays for good: without a listener ioredis prints, and an 'error' event is thrown. The cause comes here
    // first; what `connect` itself rejects with is only that the connection is closed.
    (client as Redis).on('error', giveUp);
    // A Cluster that says it is not complete ends the client without settling `connect`.
    const onEnd = () =>
      giveUp(new Error(this.isCluster ? 'the Cluster is not ready' : 'the connection was closed'));
    (client as Redis).once('end', onEnd);
    try {
      await Promise.race([client.connect(), failed]);
    } catch (error) {
      abandon(client);
      signal?.throwIfAborted();
      if (isReply(error)) throw error;
      throw new BrokerError('unavailable', `cannot connect to Redis: ${messageOf(error)}`, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      (client as Redis).off('end', onEnd);
    }
  }
}

/**
 * Ends a client that is still connecting.
 *
 * ioredis would end its stream politely. In the middle of a TLS handshake the other side takes that for a fault
 * and says so, and where the certificate is refused as well, Node tells of two errors: ioredis listens for one,
 * and the other would end the process.
 */
function abandon(client: Client): void {
  const connections = client instanceof Redis ? [client] : client.nodes('all');
  for (const { stream } of connections) (stream as Duplex | undefined)?.destroy();
  client.disconnect();
}

async function ownerOf(cluster: Cluster, key: string): Promise<HostAndPort> {
  const slot = Number(await cluster.call('CLUSTER', 'KEYSLOT', key));
  const owner = cluster.slots[slot]?.[0];
  if (owner === undefined) throw new Error(`no node of the Cluster serves slot ${slot}`);
  const colon = owner.lastIndexOf(':');
  return { host: owner.slice(0, colon), port: Number(owner.slice(colon + 1)) };
}

function messageOf(error: unknown): string {
  const cause = (error as { lastNodeError?: unknown }).lastNodeError ?? error;
  return cause instanceof Error ? cause.message : String(cause);
}
