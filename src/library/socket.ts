import type { CloseReason } from '../../machines/close-reason.ts';
import type { AnyContract, ChannelOf, Contract, DataOf, ToldData, ToldTopic, TopicOf } from './contract.ts';

/** Who a client is, and what it may. */
export interface Principal {
  readonly user: string;
  readonly session?: string;
  /** Names and patterns (`room:*`) of the channels it may subscribe, where `authorize` does not say. Default: none. */
  readonly channels?: readonly string[];
  /** Names and patterns of the channels it may publish to. Default: none. */
  readonly publish?: readonly string[];
  /** Ms since 1970; its sockets end then, unless they are refreshed. Default, and latest: in `native.maxTokenLifeSeconds`. */
  readonly expiresAt?: number;
  /** Ms since 1970; what was revoked later than this is over. Default: now. */
  readonly issuedAt?: number;
  /**
   * Yours: it stays in this process, and is `socket.locals` later. Of a client that comes by a ticket it is empty:
   * `onConnect` may fill it.
   */
  readonly locals?: Record<string, unknown>;
}

/** A principal as callbacks get it: with what was left out. */
export interface KnownPrincipal extends Principal {
  readonly channels: readonly string[];
  readonly publish: readonly string[];
  readonly expiresAt: number;
  readonly issuedAt: number;
  /** What is written here is in `socket.locals` later. */
  readonly locals: Record<string, unknown>;
}

/** One client's connection, on this instance. */
export interface Socket<C extends Contract = AnyContract> {
  readonly id: string;
  readonly user: string;
  readonly session: string | undefined;
  /** Yours; begins as the principal's `locals`. */
  readonly locals: Record<string, unknown>;
  /** False once it has gone. */
  readonly isOpen: boolean;
  /** The channels that it has now, those of its user and session first; none once it has gone. */
  readonly channels: readonly string[];
  /** Whether it has this channel now, be it the one of its user or session. */
  isSubscribed(channel: string): boolean;
  /** Tells it something, best effort; false when it cannot be told: it has gone, or is not welcomed yet. */
  tell<T extends ToldTopic<C>>(topic: T, data?: ToldData<C, T>): boolean;
  /** Publishes to all but this socket, whatever it may publish itself. Resolves with the event's id. */
  publish<Ch extends ChannelOf<C>, T extends TopicOf<C, Ch>>(
    channel: Ch,
    topic: T,
    data: DataOf<C, Ch, T>,
  ): Promise<string>;
  /** Ends it, for good: its client does not come back by itself. `reason`: 1 to 123 bytes, for the client. */
  boot(reason?: string): void;
  /** Calls back once it has gone, at once if it has already. */
  onClose(listener: (reason: CloseReason) => void): void;
}
