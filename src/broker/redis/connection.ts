import type { Cluster, Redis } from 'ioredis';
import { BrokerError } from '../broker-error.ts';

export type Client = Redis | Cluster;

/** What the server itself answered, which leaves the connection as good as it was. */
export const isReply = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError';

/**
 * One connection, from its opening to its end, which is final.
 *
 * It ends when it breaks, when a deadline passes (the line may be cut without either side being told, and the
 * answers that are outstanding could no longer be told apart), or when its owner closes it.
 */
export class Connection<Kind extends Client = Client> {
  readonly #client: Kind;
  readonly #pending = new Set<(reason: Error) => void>();
  readonly #listeners: ((reason: BrokerError) => void)[] = [];
  #ended: BrokerError | undefined;
  #lastError: Error | undefined;

  /** `client` is connected. */
  constructor(client: Kind) {
    this.#client = client;
    // Both kinds of client have these events, but no common type for them.
    const events = client as Redis;
    events.on('error', (error: Error) => {
      this.#lastError = error;
    });
    events.once('end', () => this.#lose());
    // It may have ended between the last answer of the handshake and now.
    if (events.status === 'end') this.#lose();
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Sends what `command` sends and answers what it answers; ends the connection when that takes too long. */
  run<T>(deadlineMs: number, command: (client: Kind) => Promise<T>): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const cancel = afterRunning(deadlineMs, () =>
        this.#end(new BrokerError('timeout', `Redis did not answer within ${deadlineMs} ms`)),
      );
      const settle = () => {
        cancel();
        this.#pending.delete(fail);
      };
      const fail = (reason: Error) => {
        settle();
        reject(reason);
      };
      this.#pending.add(fail);
      command(this.#client).then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          if (!isReply(error)) this.#lose(error);
          fail(this.#ended ?? (error as Error));
        },
      );
    });
  }

  /** Calls once, when it ends; the reason's code tells whether its owner closed it. */
  onEnd(listener: (reason: BrokerError) => void): void {
    if (this.#ended === undefined) this.#listeners.push(listener);
    else listener(this.#ended);
  }

  close(): void {
    this.#end(new BrokerError('closed', 'the connection to Redis was closed'));
  }

  #lose(error: unknown = this.#lastError): void {
    const cause = this.#lastError ?? error;
    const detail = cause instanceof Error ? `: ${cause.message}` : '';
    this.#end(new BrokerError('lost', `the connection to Redis was lost${detail}`, cause));
  }

  #end(reason: BrokerError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    // Also after the other side ended it: this is what stops Sentinel's failover detector.
    this.#client.disconnect();
    for (const reject of this.#pending) reject(reason);
    for (const listener of this.#listeners) listener(reason);
  }
}

/**
 * Calls after `ms` in which this process ran: when it stood still (a pause of the machine, a long collection), the
 * answer may have come meanwhile and not been read yet. Returns what cancels it.
 */
function afterRunning(ms: number, call: () => void): () => void {
  const startMs = performance.now();
  let timer = setTimeout(() => {
    const lateMs = performance.now() - startMs - ms;
    timer = setTimeout(call, Math.min(lateMs, ms));
  }, ms);
  return () => clearTimeout(timer);
}
