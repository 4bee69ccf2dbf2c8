import type { StreamId } from '../../event/stream-id.ts';
import type { Ref } from './error-codes.ts';

/** JSON text as somebody wrote it, known to be valid: passed on by splicing, never by serialising again. */
export type RawJson = string & { readonly rawJson: unique symbol };

/** The first frame: who it is has been settled by then; where it was, per channel, is said here. */
export interface Hello {
  readonly type: 'hello';
  readonly ref: Ref;
  /** Only those of the user's and the session's channel are looked at. */
  readonly positions?: ReadonlyMap<string, StreamId>;
  readonly epoch?: string;
}

export interface Subscribe {
  readonly type: 'subscribe';
  readonly ref: Ref;
  readonly channel: string;
  /** For whoever decides about subscriptions and makes snapshots. */
  readonly query?: RawJson;
  readonly lastId?: StreamId;
  readonly epoch?: string;
}

export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly ref: Ref;
  readonly channel: string;
}

export interface Ask {
  readonly type: 'ask';
  readonly ref: Ref;
  readonly topic: string;
  readonly data?: RawJson;
}

export interface Tell {
  readonly type: 'tell';
  /** Without one there is no answer `told`. */
  readonly ref?: Ref;
  readonly topic: string;
  readonly data?: RawJson;
}

export interface Publish {
  readonly type: 'publish';
  readonly ref: Ref;
  readonly channel: string;
  readonly topic: string;
  readonly data: RawJson;
  /** Makes a retry idempotent. */
  readonly key?: string;
  /** False: not to this socket. */
  readonly echo?: boolean;
}

export interface Refresh {
  readonly type: 'refresh';
  readonly ref: Ref;
  readonly token: string;
}

export interface Pong {
  readonly type: 'pong';
}

/** What a client may say. */
export type ClientFrame = Hello | Subscribe | Unsubscribe | Ask | Tell | Publish | Refresh | Pong;

export type ClientFrameType = ClientFrame['type'];
