import type { Clock } from '../clock.ts';
import type { HookName } from '../config/schema/hooks.ts';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Peer, Refusal } from './decider.ts';
import { type AnsweredOutcome, type ReadHook, UNAVAILABLE } from './hook-answer.ts';
import { Breaker, type BreakerState, type Pass } from './hook-breaker.ts';
import { createHookClient, type HookClient, type HookReply, OversizeError } from './hook-client.ts';
import { type HookSubject, hookBody } from './hook-request.ts';
import { signHook } from './hook-signature.ts';
import { Turns } from './hook-turns.ts';

export interface HookDeps {
  readonly name: HookName;
  readonly url: string;
  readonly keys: readonly Buffer[];
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly limit: LogLimit;
  readonly metrics: Metrics;
}

/** What became of a request. */
export type HookOutcome =
  | AnsweredOutcome
  | 'timeout'
  | 'unreachable'
  | 'open'
  | 'full'
  /** By whoever asked. */
  | 'given_up';

export const MAX_IN_FLIGHT = 32;
const MAX_WAITING = 512;
const TIMED_OUT = new Error('no answer in time');
const GIVEN_UP = new Error('nobody waits for it any more');

/** These are an operator's business: the application or what is between does not do what it should. */
const LOGGED: ReadonlySet<HookOutcome> = new Set(['failed', 'malformed', 'timeout', 'unreachable', 'full']);

interface Attempt<T> {
  readonly outcome: HookOutcome;
  readonly result: T | Refusal;
  readonly status?: number;
  readonly error?: unknown;
}

/** One URL of the application, and everything that keeps the two from harming each other. */
export class Hook {
  readonly #deps: HookDeps;
  readonly #client: HookClient;
  readonly #breaker: Breaker;
  readonly #turns = new Turns({ max: MAX_IN_FLIGHT, maxWaiting: MAX_WAITING });

  constructor(deps: HookDeps) {
    this.#deps = deps;
    const { url, timeoutMs, clock } = deps;
    this.#client = createHookClient(url, { connections: MAX_IN_FLIGHT, timeoutMs });
    this.#breaker = new Breaker({ now: clock.now, onChange: (state) => this.#reportBreaker(state) });
  }

  /** Asks, and reads the answer. Never rejects: where there is none to read it is a refusal. */
  async ask<T>(
    peer: Peer,
    subject: HookSubject,
    read: ReadHook<T>,
    { signal, id = this.newId() }: { readonly signal: AbortSignal; readonly id?: string },
  ): Promise<T | Refusal> {
    const { clock, timeoutMs } = this.#deps;
    const startedMs = clock.now();
    const controller = new AbortController();
    const giveUp = (): void => controller.abort(GIVEN_UP);
    const timer = clock.setTimeout(() => controller.abort(TIMED_OUT), timeoutMs);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    const attempt = await this.#inTurn(peer, controller.signal, (pass) =>
      this.#send(peer, pass, { id, subject, read, signal: controller.signal }),
    );
    clock.clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
    this.#report(attempt, clock.now() - startedMs);
    return attempt.result;
  }

  newId(): string {
    return `msg_${this.#deps.newId()}`;
  }

  /** What is under way is cut. */
  close(): Promise<void> {
    return this.#client.close();
  }

  /** `send` when it is its turn, unless nothing is to be sent now. */
  async #inTurn<T>(
    { principal: { user } }: Peer,
    signal: AbortSignal,
    send: (pass: Pass) => Promise<Attempt<T>>,
  ): Promise<Attempt<T>> {
    if (this.#breaker.isClosedTo(user)) return { outcome: 'open', result: UNAVAILABLE };
    const release = await this.#turns.take(signal);
    if (release === 'full') return { outcome: 'full', result: UNAVAILABLE };
    if (release === 'aborted') {
      return { outcome: signal.reason === TIMED_OUT ? 'timeout' : 'given_up', result: UNAVAILABLE };
    }
    try {
      const pass = this.#breaker.enter(user);
      return pass === undefined ? { outcome: 'open', result: UNAVAILABLE } : await send(pass);
    } finally {
      release();
    }
  }

  async #send<T>(
    peer: Peer,
    pass: Pass,
    {
      id,
      subject,
      read,
      signal,
    }: {
      readonly id: string;
      readonly subject: HookSubject;
      readonly read: ReadHook<T>;
      readonly signal: AbortSignal;
    },
  ): Promise<Attempt<T>> {
    const { name, keys, clock } = this.#deps;
    const sentMs = clock.now();
    const body = hookBody(name, peer, subject);
    let reply: HookReply;
    try {
      reply = await this.#client.post(body, signHook(keys, { id, nowMs: sentMs, body }), signal);
    } catch (error) {
      return this.#failure(error, pass, sentMs, signal);
    }
    pass.answered();
    return { ...read(reply), status: reply.status };
  }

  #failure(error: unknown, pass: Pass, sentMs: number, signal: AbortSignal): Attempt<never> {
    const { name, clock, timeoutMs } = this.#deps;
    if (error instanceof OversizeError) {
      pass.answered();
      return { outcome: 'malformed', result: UNAVAILABLE, error };
    }
    if (!signal.aborted) {
      pass.failed();
      return { outcome: 'unreachable', result: UNAVAILABLE, error };
    }
    if (signal.reason !== TIMED_OUT) {
      pass.abandoned();
      return { outcome: 'given_up', result: UNAVAILABLE };
    }
    // One that has spent its time waiting for others says nothing about the hook.
    if (clock.now() - sentMs >= timeoutMs / 2) pass.failed();
    else pass.abandoned();
    // These may have been done, and a client that repeats them should know.
    const result: Refusal = name === 'ask' || name === 'tell' ? { code: 'timeout' } : UNAVAILABLE;
    return { outcome: 'timeout', result };
  }

  #report({ outcome, status, error }: Attempt<unknown>, tookMs: number): void {
    const { name, logger, limit, metrics } = this.#deps;
    metrics.count('signalbox.hook_requests', 1, { hook: name, outcome });
    metrics.record('signalbox.hook_request_ms', Math.max(0, tookMs), { hook: name });
    if (!LOGGED.has(outcome)) return;
    limit.log(`hook ${name} ${outcome}`, (suppressed) =>
      logger.warn({ hook: name, outcome, status, err: error, suppressed }, 'A hook gave no answer'),
    );
  }

  #reportBreaker(state: BreakerState): void {
    const { name, logger, metrics } = this.#deps;
    metrics.count('signalbox.hook_breaker_changes', 1, { hook: name, state });
    metrics.gauge('signalbox.hook_breakers_open', state === 'closed' ? 0 : 1, { hook: name });
    logger[state === 'open' ? 'warn' : 'info']({ hook: name, state }, BREAKER_LINES[state]);
  }
}

const BREAKER_LINES: Readonly<Record<BreakerState, string>> = {
  open: 'A hook is not there: it is left alone for a while',
  halfOpen: 'A hook is tried again',
  closed: 'A hook is there again',
};
