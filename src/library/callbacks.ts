import type { IncomingHttpHeaders } from 'node:http';
import type { CloseReason } from '../../machines/close-reason.ts';
import type { AnyContract, AskAnswer, AskData, AskTopic, Contract, TellData, TellTopic } from './contract.ts';
import type { KnownPrincipal, Principal, Socket } from './socket.ts';

type Awaitable<T> = T | Promise<T>;

/** A request that somebody is to be told by. */
export interface AuthenticationRequest {
  /** As it came: path and query. Of a `refresh`: `/`. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** By name, decoded. */
  readonly cookies: Readonly<Partial<Record<string, string>>>;
}

/** The request of a client that wants to connect, without its credentials. */
export interface ConnectionRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string | undefined;
}

/** What comes with what a client asks. */
export interface CallContext<C extends Contract = AnyContract> {
  readonly socket: Socket<C>;
  /** Aborted when nobody waits for the answer any more: the time is over, or the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * The application's side: all of it is optional.
 *
 * What a callback throws is a bug, logged, and the client is told `internal`; a `SignalboxError` with the code of an
 * error frame (docs/protocol.md) is a refusal, and the client is told its code and message.
 */
export interface Callbacks<C extends Contract = AnyContract> {
  /**
   * Says who a request is of, in the place of a token; nothing: it is refused. Asked of each connection, of `/ticket`
   * and `/history`, and of a client's `refresh`, whose token is in the `authorization` header as `Bearer`.
   */
  authenticate?(request: AuthenticationRequest): Awaitable<Principal | undefined | null | false>;
  /** Whether it may connect; false: 4403. Asked once it is known who it is. */
  onConnect?(
    principal: KnownPrincipal,
    context: { readonly request: ConnectionRequest; readonly signal: AbortSignal },
  ): Awaitable<boolean | void>;
  /**
   * Whether it may subscribe this channel, in the place of its token's `channels`, and have its history over HTTP, where
   * the socket is none. `query` is the client's.
   */
  authorize?(
    principal: KnownPrincipal,
    channel: string,
    query: unknown,
    context: CallContext<C>,
  ): Awaitable<boolean>;
  /**
   * The state of a channel for this client, sent when it subscribes without a position, and after a gap. The events
   * after the position at which it is asked for follow, so: change the state first, then publish. Undefined: the one
   * that was published with `snapshot`, if any.
   */
  snapshot?(principal: KnownPrincipal, channel: string, query: unknown, context: CallContext<C>): unknown;
  /** Answers of asks, by topic. */
  readonly onAsk?: {
    readonly [T in AskTopic<C>]?: (
      data: AskData<C, T>,
      context: CallContext<C>,
    ) => Awaitable<AskAnswer<C, T>>;
  };
  /** Takes what clients tell, by topic. The client is told that it was when this returns, or resolves. */
  readonly onTell?: {
    readonly [T in TellTopic<C>]?: (data: TellData<C, T>, context: CallContext<C>) => unknown;
  };
  /** It had been let in, and has gone. */
  onDisconnect?(socket: Socket<C>, reason: CloseReason): unknown;
  /** It has the channel now. Not called of a user's or session's own. */
  onSubscribe?(socket: Socket<C>, channel: string, query: unknown): unknown;
  /** It has it no more; also of what it still had when it went. */
  onUnsubscribe?(socket: Socket<C>, channel: string): unknown;
}
