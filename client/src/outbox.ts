import { SignalboxError } from './error.ts';
import { type AbortSignalLike, type Clock, LONGEST_TIMER_MS } from './host.ts';

export interface RequestOptions {
  /** Gives up after this time, waiting for a connection included. Zero: never. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignalLike;
}

type Kind = 'ask' | 'tell' | 'publish';

interface Request {
  readonly kind: Kind;
  /** The frame. It stays the same when it is sent again. */
  readonly text: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** When it was sent first; undefined: not yet. */
  firstSentMs?: number;
  isSent: boolean;
}

export interface OutboxOptions {
  readonly clock: Clock;
  readonly maxQueued: number;
  readonly maxAsksInFlight: number;
  readonly publishRetryMs: number;
  /** There is something to send. */
  readonly onQueued: () => void;
}

/** What the server takes of one connection at once. */
export const MAX_PUBLISHES_IN_FLIGHT = 64;

/** What was asked, told and published, and has no answer yet, in order. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #requests = new Map<number, Request>();
  /** What the server still has, whether anybody still waits for it or not. */
  readonly #underWay = new Map<number, Kind>();
  readonly #limits: Readonly<Record<Kind, number>>;
  #queued = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#limits = { ask: options.maxAsksInFlight, tell: Infinity, publish: MAX_PUBLISHES_IN_FLIGHT };
  }

  add(
    kind: Kind,
    ref: number,
    text: string,
    { timeoutMs = 0, signal }: RequestOptions = {},
  ): Promise<unknown> {
    const { clock, maxQueued, onQueued } = this.#options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#queued >= maxQueued)
        return reject(new SignalboxError('queue_full', `${maxQueued} requests are waiting already`));
      const abort = () => this.#take(ref)?.reject(signal?.reason);
      const timer =
        timeoutMs > 0 &&
        clock.setTimeout(
          () => {
            const words = `there was no answer within ${timeoutMs} ms`;
            this.#take(ref)?.reject(new SignalboxError('timeout', words));
          },
          Math.min(timeoutMs, LONGEST_TIMER_MS),
        );
      const done =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          if (timer !== false) clock.clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          settle(value);
        };
      signal?.addEventListener('abort', abort);
      this.#requests.set(ref, { kind, text, resolve: done(resolve), reject: done(reject), isSent: false });
      this.#queued += 1;
      onQueued();
    });
  }

  hasNext(): boolean {
    return this.#first() !== undefined;
  }

  /** The frame to be sent next, which counts as sent; undefined: none may be. */
  next(): string | undefined {
    const found = this.#first();
    if (found === undefined) return undefined;
    const [ref, request] = found;
    this.#underWay.set(ref, request.kind);
    request.isSent = true;
    request.firstSentMs ??= this.#options.clock.now();
    this.#queued -= 1;
    return request.text;
  }

  #first(): [number, Request] | undefined {
    if (this.#queued === 0) return undefined;
    const room = { ...this.#limits };
    for (const kind of this.#underWay.values()) room[kind] -= 1;
    for (const found of this.#requests) if (!found[1].isSent && room[found[1].kind] > 0) return found;
    return undefined;
  }

  answer(ref: number, value: unknown): void {
    this.#underWay.delete(ref);
    this.#take(ref)?.resolve(value);
  }

  refuse(ref: number, error: SignalboxError): void {
    this.#underWay.delete(ref);
    this.#take(ref)?.reject(error);
  }

  /** The connection is gone: a publish can be sent again, since its key makes it one; what else was sent cannot. */
  lost(): void {
    const { clock, publishRetryMs } = this.#options;
    this.#underWay.clear();
    for (const [ref, request] of this.#requests) {
      if (!request.isSent) continue;
      if (request.kind === 'publish' && !this.#isTooOld(request, clock.now(), publishRetryMs)) {
        request.isSent = false;
        this.#queued += 1;
      } else this.refuse(ref, lostError());
    }
  }

  /** The server has forgotten the keys of what was sent too long ago: that must not be sent again. */
  expire(): void {
    const { clock, publishRetryMs } = this.#options;
    for (const [ref, request] of this.#requests)
      if (!request.isSent && this.#isTooOld(request, clock.now(), publishRetryMs))
        this.refuse(ref, lostError());
  }

  end(error: SignalboxError): void {
    for (const ref of this.#requests.keys()) this.refuse(ref, error);
  }

  #isTooOld({ firstSentMs }: Request, nowMs: number, publishRetryMs: number): boolean {
    return firstSentMs !== undefined && nowMs - firstSentMs > publishRetryMs;
  }

  #take(ref: number): Request | undefined {
    const request = this.#requests.get(ref);
    if (request === undefined) return undefined;
    this.#requests.delete(ref);
    if (!request.isSent) this.#queued -= 1;
    return request;
  }
}

const lostError = () =>
  new SignalboxError(
    'lost',
    'the connection was lost before the answer came: whether it was done is not known',
  );
