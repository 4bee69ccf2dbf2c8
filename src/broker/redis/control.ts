import type { Redis } from 'ioredis';
import { fullJitterMs } from '../../clock.ts';
import type { StreamId } from '../../event/stream-id.ts';
import { compareIds } from '../../event/stream-id.ts';
import { BrokerError } from '../broker-error.ts';
import type { Control } from '../ports.ts';
import { lastIdOf } from './append.ts';
import type { Connector } from './connect.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import { entriesRead } from './reply.ts';

/** Messages kept for instances that are reconnecting. */
const MAX_LENGTH = 10_000;
const BLOCK_MS = 5000;
/** 0 would be for ever. */
const RESUMING_BLOCK_MS = 1;
const COUNT = 100;
const BACKOFF = { baseMs: 100, capMs: 5000, random: Math.random };

export interface ControlParts {
  readonly connector: Connector;
  readonly keys: Keys;
  readonly writes: Link;
  readonly commandTimeoutMs: number;
  readonly onNote: (message: string) => void;
}

interface Listening {
  readonly handler: (message: unknown) => void;
  readonly onResumed: () => void;
  readonly signal: AbortSignal;
}

/** Messages between instances as a stream that each of them reads by itself, and a set of who is alive. */
export class RedisControl implements Control {
  readonly #parts: ControlParts;
  readonly #abort = new AbortController();

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  async send(message: unknown): Promise<void> {
    const text = JSON.stringify(message);
    await this.#parts.writes.run((client) =>
      client.xadd(this.#parts.keys.control, 'MAXLEN', '~', MAX_LENGTH, '*', 'm', text),
    );
  }

  async listen(
    handler: (message: unknown) => void,
    onResumed: () => void = () => {},
  ): Promise<{ close(): void }> {
    const own = new AbortController();
    const signal = AbortSignal.any([own.signal, this.#abort.signal]);
    const connection = await this.#connect(signal);
    const position = await this.#run(connection, (client) =>
      lastIdOf(client, this.#parts.keys.control),
    ).catch((error: unknown) => {
      connection.close();
      throw error;
    });
    void this.#hear(connection, position, { handler, onResumed, signal });
    return { close: () => own.abort(new BrokerError('closed', 'the listener was closed')) };
  }

  async heartbeat(instance: string, ttlMs: number): Promise<void> {
    await this.#parts.writes.run((client) =>
      client.signalboxHeartbeat(this.#parts.keys.instances, instance, ttlMs),
    );
  }

  async instances(): Promise<readonly string[]> {
    const names = await this.#parts.writes.run((client) =>
      client.signalboxInstances(this.#parts.keys.instances),
    );
    return names.toSorted();
  }

  async close(): Promise<void> {
    this.#abort.abort(new BrokerError('closed', 'the broker was closed'));
  }

  /** Reads to the end of the signal, through however many connections that takes, always on from the last id. */
  async #hear(first: Connection<Redis>, from: StreamId, { handler, onResumed, signal }: Listening) {
    let position = from;
    let connection: Connection<Redis> | undefined = first;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (connection === undefined) {
          connection = await this.#connect(signal);
          const lastId = await this.#run(connection, (client) => lastIdOf(client, this.#parts.keys.control));
          // The data was lost: a position beyond the end would be deaf. Everything that is there now is new.
          if (compareIds(lastId, position) < 0) position = '0-0' as StreamId;
          // Whether it may be read is not known before it has been.
          position = await this.#deliver(connection, position, RESUMING_BLOCK_MS, { handler, signal });
          this.#parts.onNote('the control stream is read again');
          queueMicrotask(onResumed);
        }
        failures = 0;
        position = await this.#deliver(connection, position, BLOCK_MS, { handler, signal });
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0)
          this.#parts.onNote(`the control stream cannot be read: ${(error as Error).message}`);
        connection?.close();
        connection = undefined;
        failures += 1;
        await pause(fullJitterMs(failures, BACKOFF), signal);
      }
    }
  }

  /** One read; answers the new position. */
  async #deliver(
    connection: Connection<Redis>,
    position: StreamId,
    blockMs: number,
    { handler, signal }: Pick<Listening, 'handler' | 'signal'>,
  ): Promise<StreamId> {
    const args = ['COUNT', `${COUNT}`, 'BLOCK', `${blockMs}`, 'STREAMS', this.#parts.keys.control, position];
    const reply = await connection.run(blockMs + 1000, (client) => client.callBuffer('XREAD', args));
    const entries = entriesRead(reply);
    for (const { fields } of entries) {
      const message = parse(fields[1]);
      // A microtask each: a handler that throws is a bug of its own and does not stop the reading.
      if (message !== undefined) {
        queueMicrotask(() => {
          if (!signal.aborted) handler(message.value);
        });
      }
    }
    return entries.at(-1)?.id ?? position;
  }

  #run<T>(connection: Connection<Redis>, command: (client: Redis) => Promise<T>): Promise<T> {
    return connection.run(this.#parts.commandTimeoutMs, command);
  }

  async #connect(signal: AbortSignal): Promise<Connection<Redis>> {
    const connection = await this.#parts.connector.openFor(this.#parts.keys.control, 'control', signal);
    const close = () => connection.close();
    signal.addEventListener('abort', close, { once: true });
    connection.onEnd(() => signal.removeEventListener('abort', close));
    return connection;
  }
}

/** Undefined for what no instance of ours has written. */
function parse(text: Buffer | undefined): { readonly value: unknown } | undefined {
  try {
    return text === undefined ? undefined : { value: JSON.parse(text.toString()) };
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
