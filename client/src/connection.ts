import type { CredentialOptions } from './credentials.ts';
import type { SignalboxError } from './error.ts';
import type { Clock, WebSocketConstructor } from './host.ts';
import type { Stop } from './listeners.ts';
import type { RequestOptions } from './outbox.ts';
import type { Position } from './position.ts';
import type { State, Subscription } from './subscription.ts';

/** `connectTimeoutMs`, where it is left out. */
export const CONNECT_TIMEOUT_MS = 10_000;

export interface ConnectOptions extends CredentialOptions {
  /** Left out: the global one, which Node has from 22 on. */
  readonly WebSocket?: WebSocketConstructor;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly clock?: Clock;
  /** The longest pause before the first attempt to come back; it doubles with each. 1000. */
  readonly backoffMs?: number;
  /** The longest pause of all. 30000. */
  readonly maxBackoffMs?: number;
  /** How long the server may take to say welcome. 10000. */
  readonly connectTimeoutMs?: number;
  /** How many requests may wait for a connection. 1000. */
  readonly maxQueued?: number;
  /** The server's `limits.asksInFlight`. 16. */
  readonly maxAsksInFlight?: number;
  /** Below the server's `limits.framesPerSecond`. 40. */
  readonly framesPerSecond?: number;
  /** The server's `maxFrameBytes`: a larger frame would end the connection. 65536. */
  readonly maxFrameBytes?: number;
  /** For how long after it was first sent a publish is sent again; less than the server keeps its key. 100000. */
  readonly publishRetryMs?: number;
}

export interface PublishOptions extends RequestOptions {
  /** Makes a retry of the application's own one with the first; left out: a key of its own for each call. */
  readonly key?: string;
  /** False: not to this connection. */
  readonly echo?: boolean;
}

export interface SubscribeOptions extends Partial<Position> {
  /** Any JSON, for whoever decides about subscriptions and makes snapshots. */
  readonly query?: unknown;
}

export interface Connection {
  readonly state: State;
  /** Why it is closed; undefined: it is not, or was closed here. */
  readonly error: SignalboxError | undefined;
  /** What the server subscribes by itself: the user's own channel and the session's. */
  readonly user: Subscription;
  readonly session: Subscription;
  /** Tells every change of `state`. */
  onState(run: (state: State) => void): Stop;
  /** What goes wrong and is answered to nobody; the connection goes on, unless its state says otherwise. */
  on(topic: 'error', handler: (error: unknown) => void): Stop;
  /** What the server tells: this connection, its user, or everybody. */
  on<T = unknown>(topic: string, handler: (data: T) => void): Stop;
  subscribe(channel: string, options?: SubscribeOptions): Subscription;
  /** The answer, within `timeoutMs` (10000), or a SignalboxError. */
  ask<T = unknown>(topic: string, data?: unknown, options?: RequestOptions): Promise<T>;
  /** Resolves when the application has it; need not be waited for. */
  tell(topic: string, data?: unknown, options?: RequestOptions): Promise<void>;
  /** The event's id, when the broker has it. Sent again after a lost connection, and published once. */
  publish(channel: string, topic: string, data: unknown, options?: PublishOptions): Promise<string>;
  /** For good: what waits is rejected, and no handler is called after this. */
  close(): void;
}
