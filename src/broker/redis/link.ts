import { fullJitterMs } from '../../clock.ts';
import { BrokerError } from '../broker-error.ts';
import { type Client, type Connection, isReply } from './connection.ts';

const BACKOFF = { baseMs: 100, capMs: 2000, random: Math.random };

/** Replies of a server that has become the wrong one to ask: the next call had better look for the right one. */
const WRONG_SERVER = /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|UNBLOCKED)\b/;

/**
 * A connection shared by many callers, made when the first of them needs it and made anew when it has broken.
 *
 * A call fails with the connection it was sent on; none is repeated. While Redis is away, calls fail at once
 * instead of each trying for itself: at most one attempt at a time, and a pause after each that failed.
 */
export class Link {
  readonly #open: (signal: AbortSignal) => Promise<Connection>;
  readonly #deadlineMs: number;
  readonly #abort = new AbortController();
  #opening: Promise<Connection> | undefined;
  #connection: Connection | undefined;
  #failures = 0;
  #failure: Error | undefined;
  #retryAtMs = 0;

  constructor(open: (signal: AbortSignal) => Promise<Connection>, deadlineMs: number) {
    this.#open = open;
    this.#deadlineMs = deadlineMs;
  }

  async run<T>(command: (client: Client) => Promise<T>): Promise<T> {
    const connection = await this.#ready();
    try {
      return await connection.run(this.#deadlineMs, command);
    } catch (error) {
      if (isReply(error) && WRONG_SERVER.test(error.message)) this.#drop(connection);
      throw error;
    }
  }

  close(): void {
    this.#abort.abort(new BrokerError('closed', 'the broker was closed'));
    this.#connection?.close();
  }

  #ready(): Connection | Promise<Connection> {
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
    if (this.#connection !== undefined && !this.#connection.ended) return this.#connection;
    if (this.#opening !== undefined) return this.#opening;
    if (performance.now() < this.#retryAtMs) {
      throw new BrokerError('unavailable', this.#failure?.message ?? 'Redis is away', this.#failure);
    }
    this.#opening = this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #connect(): Promise<Connection> {
    try {
      const connection = await this.#open(this.#abort.signal);
      if (this.#abort.signal.aborted) connection.close();
      this.#connection = connection;
      this.#failures = 0;
      return connection;
    } catch (error) {
      this.#failure = error as Error;
      this.#failures += 1;
      this.#retryAtMs = performance.now() + fullJitterMs(this.#failures, BACKOFF);
      throw error;
    }
  }

  #drop(connection: Connection): void {
    connection.close();
    if (this.#connection === connection) this.#connection = undefined;
  }
}
