import type { IncomingHttpHeaders } from 'node:http';
import type { CloseReason } from '../../machines/close-reason.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { RawJson } from '../protocol/native/client-frame.ts';
import type { ErrorCode } from '../protocol/native/error-codes.ts';

/** The one that is decided about: a socket, and who it is. */
export interface Peer {
  /** The socket's id. */
  readonly socket: string;
  readonly principal: NativePrincipal;
}

/** The request of a client that wants to connect, without its credentials. */
export interface ConnectRequest {
  /** As it came, without a ticket. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string | undefined;
}

/** A channel that is wanted; `query` is the client's, for the application. */
export interface Wish {
  readonly channel: string;
  readonly query?: RawJson | undefined;
}

/** What a client says to the application. */
export interface Saying {
  readonly topic: string;
  readonly data?: RawJson | undefined;
}

/** Why not, as the client is told. */
export interface Refusal {
  readonly code: ErrorCode;
  /** Left out: the sentence of the code. */
  readonly message?: string;
}

/** Undefined: allowed. */
export type Verdict = Refusal | undefined;

/** What an application answers. */
export interface Answer {
  readonly data: RawJson;
}

export const isRefusal = (given: Refusal | Answer): given is Refusal => 'code' in given;

/**
 * The application, which says who may what and answers its clients. Asked in one of two ways: functions of a program
 * that Signalbox runs in (`callbacks.ts`), or HTTP hooks (`hooks.ts`).
 *
 * What is undefined nobody decides: then the token does, asks are answered `no_handler`, snapshots are those that were
 * published. What is asked never rejects: a failure is a refusal, `unavailable`, `timeout` or `internal`. It is given
 * up when `signal` is aborted, and what it answers then is heard by nobody. What is only told returns at once and
 * never throws.
 */
export interface Decider {
  /** Whether it may connect; asked after origin, limits and token, before the connection is completed. */
  readonly connect?:
    | ((peer: Peer, request: ConnectRequest, signal: AbortSignal) => Promise<Verdict>)
    | undefined;
  /** Whether it may have this channel, whatever its token says. Never asked of channels that are the server's own. */
  readonly subscribe?: ((peer: Peer, wish: Wish, signal: AbortSignal) => Promise<Verdict>) | undefined;
  readonly ask?: ((peer: Peer, ask: Saying, signal: AbortSignal) => Promise<Answer | Refusal>) | undefined;
  /** Answered once the application has it. */
  readonly tell?: ((peer: Peer, tell: Saying, signal: AbortSignal) => Promise<Verdict>) | undefined;
  /**
   * The state of a channel for this peer, at a position that was taken before it was asked for. `undefined`: the one
   * that was published, if any. A refusal: none can be had now; it is asked for again later.
   */
  readonly snapshot?:
    | ((peer: Peer, wish: Wish, signal: AbortSignal) => Promise<Answer | Refusal | undefined>)
    | undefined;
  /** It was welcomed. */
  connected?(peer: Peer): void;
  /** It has gone; told once of each that was to be `connected`, welcomed or not. */
  disconnected?(peer: Peer, reason: CloseReason): void;
  subscribed?(peer: Peer, wish: Wish): void;
  /** Also of each channel that it still had when it went, before `disconnected`. */
  unsubscribed?(peer: Peer, channel: string): void;
  /** It was asked about one that is no socket, or becomes none: nothing more is heard of it. */
  forgotten?(peer: Peer): void;
  /** Gives up what it still has to do, after a moment for what was only told. */
  close?(): Promise<void>;
}
