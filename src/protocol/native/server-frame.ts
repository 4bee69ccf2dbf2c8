import type { StreamId } from '../../event/stream-id.ts';
import type { RawJson } from './client-frame.ts';
import type { ErrorCode, Ref } from './error-codes.ts';

/** Where a subscription of the server's own stands after `hello`. */
export interface Joined {
  readonly channel: string;
  readonly id: StreamId;
  readonly epoch: string;
  readonly recovered: boolean;
}

export interface Welcome {
  readonly type: 'welcome';
  readonly ref: Ref;
  readonly socket: string;
  readonly user?: string;
  readonly session?: string;
  /** Milliseconds; 0: no pings. */
  readonly pingInterval: number;
  readonly expiresAt?: number;
  readonly subscriptions: readonly Joined[];
}

export interface Subscribed extends Joined {
  readonly type: 'subscribed';
  readonly ref: Ref;
}

export interface Unsubscribed {
  readonly type: 'unsubscribed';
  /** Left out: nobody asked, a new token does not allow it. */
  readonly ref?: Ref;
  readonly channel: string;
}

export interface Answer {
  readonly type: 'answer';
  readonly ref: Ref;
  readonly data: RawJson;
}

export interface Told {
  readonly type: 'told';
  readonly ref: Ref;
}

export interface Published {
  readonly type: 'published';
  readonly ref: Ref;
  readonly id: StreamId;
}

export interface Refreshed {
  readonly type: 'refreshed';
  readonly ref: Ref;
  readonly expiresAt: number;
}

/** As the codec of events writes it, for every socket at once. */
export interface EventFrame {
  readonly type: 'event';
  readonly channel: string;
  readonly topic: string;
  readonly id: StreamId;
  readonly time: number;
  readonly data: RawJson;
}

export interface Snapshot {
  readonly type: 'snapshot';
  readonly channel: string;
  /** Where it is valid; events after it follow. */
  readonly id: StreamId;
  readonly data: RawJson;
}

export interface GapFrame {
  readonly type: 'gap';
  readonly channel: string;
  readonly after: StreamId;
  readonly id: StreamId;
  /** That of `id`, where it is another one than the client knows. */
  readonly epoch?: string;
  readonly reason: 'trimmed' | 'epoch' | 'lossy';
}

export interface ServerTell {
  readonly type: 'tell';
  readonly topic: string;
  readonly data?: RawJson;
}

export interface Ping {
  readonly type: 'ping';
  readonly id?: StreamId;
}

export interface ErrorFrame {
  readonly type: 'error';
  readonly ref?: Ref;
  readonly code: ErrorCode;
  readonly message: string;
  /** Milliseconds. */
  readonly retryAfter?: number;
}

export interface ReconnectFrame {
  readonly type: 'reconnect';
  /** Milliseconds. */
  readonly after: number;
  readonly reason: 'drain' | 'restart';
}

/** What the server may say. */
export type ServerFrame =
  | Welcome
  | Subscribed
  | Unsubscribed
  | Answer
  | Told
  | Published
  | Refreshed
  | EventFrame
  | Snapshot
  | GapFrame
  | ServerTell
  | Ping
  | ErrorFrame
  | ReconnectFrame;

export type ServerFrameType = ServerFrame['type'];
