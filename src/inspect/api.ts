/**
 * What the panel, the command line and other processes ask about this one, and are answered: JSON, over the admin
 * listener and between the processes of an installation. Times are milliseconds since 1970 where nothing else is said.
 * Nothing here ever holds a payload, a token or a cookie.
 */
import type { StreamId } from '../event/stream-id.ts';

/** What a socket is doing, in one word: the state of its machine that matters most. */
export type SocketState = 'connecting' | 'replaying' | 'live' | 'stale' | 'closing';
export const SOCKET_STATES = [
  'connecting',
  'replaying',
  'live',
  'stale',
  'closing',
] as const satisfies readonly SocketState[];

export type ChannelState = 'connecting' | 'replaying' | 'live' | 'stale';
export const CHANNEL_STATES = [
  'connecting',
  'replaying',
  'live',
  'stale',
] as const satisfies readonly ChannelState[];

export type ReaderState = 'connecting' | 'replaying' | 'live' | 'stale' | 'stopped';

/** Who is at the other end of a socket, and how. */
export interface Peer {
  readonly transport: 'websocket' | 'sse' | 'raw';
  readonly protocol: 'superset' | 'native' | 'pubsub';
  readonly user?: string | undefined;
  readonly session?: string | undefined;
  /** Of the client, or what a trusted proxy says it is. */
  readonly address?: string | undefined;
}

export interface SocketRow extends Peer {
  /** The process that has it. */
  readonly instance: string;
  readonly id: string;
  readonly state: SocketState;
  /** The first few of them. */
  readonly channels: readonly string[];
  readonly channelCount: number;
  readonly openedAtMs: number;
  /** How old the oldest event is that is due to it and was not sent; 0: it has everything. */
  readonly lagMs: number;
  /** Written to its transport and not yet taken by the operating system. */
  readonly bufferedBytes: number;
  /** Between the last ping and its answer; undefined: none was answered yet. */
  readonly roundTripMs?: number | undefined;
  /** When its token runs out; undefined: never. */
  readonly expiresAtMs?: number | undefined;
}

export interface ChannelRow {
  readonly instance: string;
  /** `superset`, `native`, or `pubsub` with what tells several of them apart. */
  readonly feed: string;
  readonly name: string;
  readonly state: ChannelState;
  readonly subscribers: number;
  /** Attempts in a row to attach it to its feed that failed. */
  readonly attempt: number;
}

export interface ReaderRow {
  readonly instance: string;
  /** Of its actor, as in the log. */
  readonly id: string;
  readonly feed: string;
  readonly state: ReaderState;
  /** Failures in a row. */
  readonly attempt: number;
  readonly lastError?: string | undefined;
  /** The id of the last event that was routed. */
  readonly position: StreamId;
  readonly epoch: string;
  /** How old the last event was when it was routed. */
  readonly lagMs: number;
  readonly batches: number;
  readonly events: number;
  /** Of its router: whether it follows. */
  readonly isRouting: boolean;
  readonly window: {
    readonly events: number;
    readonly bytes: number;
    readonly maxEvents: number;
    readonly maxBytes: number;
    readonly floor: StreamId;
  };
}

/** One process. Counters grow from its start: the difference of two is a rate. */
export interface InstanceOverview {
  readonly instance: string;
  readonly version: string;
  readonly atMs: number;
  readonly startedAtMs: number;
  readonly isReady: boolean;
  readonly isDraining: boolean;
  readonly sockets: Readonly<Record<SocketState, number>>;
  readonly channels: Readonly<Record<ChannelState, number>>;
  readonly readers: readonly ReaderRow[];
  readonly counters: {
    readonly routed: number;
    readonly delivered: number;
    readonly replayed: number;
    readonly notDelivered: number;
    readonly gaps: number;
  };
  readonly bufferedBytes: number;
  /** The longest that the event loop was late, in the last second. */
  readonly eventLoopDelayMs: number;
  readonly broker: {
    readonly name: 'redis' | 'memory';
    /** Of the last question to it; undefined: it did not answer. */
    readonly roundTripMs?: number | undefined;
  };
}

/** Answers of several processes, and those that live and did not answer in time. */
export interface Gathered<Answer> {
  readonly answers: readonly Answer[];
  readonly unanswered: readonly string[];
}

/** `GET /inspect/api/overview`, and each `message` of `GET /inspect/api/overview/stream` (once a second). */
export type Overview = Gathered<InstanceOverview>;

/** The query of `GET /inspect/api/sockets`. Texts match in any case, anywhere; all that are given must match. */
export interface SocketFilter {
  /** In any of id, user, session, channels, address. */
  readonly text?: string | undefined;
  readonly state?: readonly SocketState[] | undefined;
  readonly user?: string | undefined;
  readonly channel?: string | undefined;
  readonly address?: string | undefined;
  readonly minLagMs?: number | undefined;
  readonly minBufferedBytes?: number | undefined;
  readonly sort?: SocketSort | undefined;
  readonly isDescending?: boolean | undefined;
  /** The first row that is wanted, and how many (at most 500). */
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}
export type SocketSort = 'openedAtMs' | 'user' | 'state' | 'lagMs' | 'bufferedBytes' | 'roundTripMs' | 'id';

/** The query of `GET /inspect/api/channels`. */
export interface ChannelFilter {
  readonly text?: string | undefined;
  readonly state?: readonly ChannelState[] | undefined;
  readonly sort?: 'name' | 'state' | 'subscribers' | undefined;
  readonly isDescending?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** A part of a list that is sorted over all processes. */
export interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly offset: number;
  /** How many match. */
  readonly matched: number;
  /** How many there are. */
  readonly total: number;
  readonly unanswered: readonly string[];
}

/** A step of a machine. States are paths of its leaves: `open.delivery.replaying.blocked`. */
export interface Transition {
  readonly atMs: number;
  /** The event's type; a timer's is `after` and its name. */
  readonly event: string;
  /** What of the event may be seen: reasons, ids, numbers. */
  readonly detail?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Pings that were answered are one step, however many there were in a row. */
  readonly times?: number | undefined;
}

/** One thing that happened to a subscription; ids are the events' on either side of it. */
export type Span =
  | {
      readonly kind: 'joined';
      readonly atMs: number;
      readonly cursor: StreamId;
      /** Its client said that it has everything up to `cursor`; else that is where the router was. */
      readonly isClaimed?: boolean | undefined;
      /** Live from its first moment. */
      readonly isLive?: boolean | undefined;
    }
  /** Live: what is routed after `cursor` goes straight out. */
  | { readonly kind: 'live'; readonly atMs: number; readonly cursor: StreamId }
  /** No longer live; everything up to `cursor` was sent or did not exist. */
  | {
      readonly kind: 'paused';
      readonly atMs: number;
      readonly cursor: StreamId;
      readonly reason: PauseReason;
    }
  /** What was to be read again was, up to `cursor`. */
  | {
      readonly kind: 'replayed';
      readonly atMs: number;
      /** When its first part was sent; left out: it is one part. */
      readonly sinceMs?: number | undefined;
      readonly after: StreamId;
      readonly cursor: StreamId;
      /** The ids are of the channel's own stream, where these are others than the feed's. */
      readonly isOfChannel?: boolean | undefined;
      /** It was read from the log: what that held then was from the first to the last of these; undefined: nothing. */
      readonly read?: { readonly first: StreamId; readonly last: StreamId } | 'nothing' | undefined;
    }
  /** In the place of everything up to `cursor`. */
  | { readonly kind: 'snapshot'; readonly atMs: number; readonly cursor: StreamId }
  /** Its own publication, which it did not want back. */
  | { readonly kind: 'unechoed'; readonly atMs: number; readonly id: StreamId }
  | {
      readonly kind: 'gap';
      readonly atMs: number;
      readonly after: StreamId;
      readonly to: StreamId;
      readonly reason: string;
    }
  | { readonly kind: 'left'; readonly atMs: number; readonly cursor: StreamId; readonly reason: string };

/**
 * `full`: its transport; `stale`: a ping is unanswered; `held`: its own publication; `reset`: the log lost or trimmed;
 * `closing`: its socket is; `failed`: its transport broke, and what came after `cursor` never left.
 */
export type PauseReason = 'full' | 'stale' | 'held' | 'reset' | 'operator' | 'closing' | 'failed';

export interface SubscriptionDetail {
  readonly channels: readonly string[];
  readonly mode: 'replaying' | 'live';
  readonly cursor: StreamId;
  readonly lagMs: number;
  /** Events of the window that are due to it. */
  readonly behind: number;
  readonly spans: readonly Span[];
}

/** Something a client asked for and was refused. */
export interface Denial {
  readonly atMs: number;
  readonly channel: string;
  /** The rule: `claims`, `hook`, `callback`, `limit`, … */
  readonly by: string;
  readonly code: string;
}

/** `GET /inspect/api/sockets/:id`. Kept for a while after it has gone: then `closed` says how. */
export interface SocketDetail extends Omit<SocketRow, 'state'> {
  readonly state: SocketState | 'closed';
  readonly closed?: { readonly atMs: number; readonly reason: string } | undefined;
  /** Its machine's active leaves. */
  readonly active: readonly string[];
  /** Oldest first. */
  readonly transitions: readonly Transition[];
  readonly subscriptions: readonly SubscriptionDetail[];
  readonly denials: readonly Denial[];
  readonly isPaused: boolean;
}

/** `GET /inspect/api/channels/:feed/:name`: of each process that has it. */
export interface ChannelDetail extends ChannelRow {
  readonly active: readonly string[];
  readonly transitions: readonly Transition[];
  readonly pages: number;
  /** The first hundred of its sockets. */
  readonly sockets: readonly SocketRow[];
}

/** `GET /inspect/api/readers/:id`: of each process. */
export interface ReaderDetail extends ReaderRow {
  readonly active: readonly string[];
  readonly transitions: readonly Transition[];
  /** The last batches that its router took, oldest first. */
  readonly recent: readonly BatchLine[];
}

export interface BatchLine {
  readonly atMs: number;
  readonly count: number;
  readonly firstId: StreamId;
  readonly lastId: StreamId;
}

/** `GET /inspect/api/machines/:name` (`socket`, `channel`, `reader`, `canary`, `heartbeat`, `system`): made from the machine itself. */
export interface Chart {
  readonly id: string;
  readonly root: ChartNode;
}

export interface ChartNode {
  readonly key: string;
  /** As in `active`, without the machine's own name; of the root, empty. */
  readonly path: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly initial?: string | undefined;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly transitions: readonly ChartEdge[];
  readonly states: readonly ChartNode[];
}

export interface ChartEdge {
  /** `after` and a delay's name, `always`, `done` and an actor's name, `error` and it, or an event's type. */
  readonly event: string;
  /** Paths; empty: it stays where it is. */
  readonly targets: readonly string[];
  readonly guard?: string | undefined;
  readonly actions: readonly string[];
}

/** `POST /inspect/api/sockets/:id/:action`, body `{}` or, to disconnect, `{"word": "…"}`. Each is a line of the log. */
export const SOCKET_ACTIONS = ['ping', 'pause', 'resume', 'drop', 'disconnect'] as const;
/**
 * `pause`: nothing is delivered until `resume`; `drop`: cut without a farewell, its client comes back; `disconnect`: closed
 * so that a native client does not.
 */
export type SocketAction = (typeof SOCKET_ACTIONS)[number];

/** Each `message` of `GET /inspect/api/log?socket=…|user=…|channel=…`. */
export interface LogLine {
  readonly atMs: number;
  readonly instance: string;
  readonly socket: string;
  readonly user?: string | undefined;
  readonly kind:
    | 'transition'
    | 'delivered'
    | 'replayed'
    | 'span'
    | 'denied'
    | 'opened'
    | 'closed'
    | 'dropped';
  readonly channel?: string | undefined;
  /** Of the event that was delivered. */
  readonly id?: StreamId | undefined;
  readonly transition?: Transition | undefined;
  readonly span?: Span | undefined;
  readonly denial?: Denial | undefined;
  readonly reason?: string | undefined;
  /** Lines that were left out since the last one, because there were too many. */
  readonly dropped?: number | undefined;
}

/** `GET /inspect/explain?event=<id>&socket=<id>` or `&user=<id>`, and `&channel=` where the id alone is not enough. */
export interface ExplainQuery {
  readonly event: StreamId;
  readonly socket?: string | undefined;
  readonly user?: string | undefined;
  readonly channel?: string | undefined;
}

/** Of one socket. */
export interface Explanation {
  readonly instance: string;
  readonly socket: string;
  readonly user?: string | undefined;
  readonly verdict: Verdict;
  /** One English sentence that says it all, with the times. */
  readonly sentence: string;
  /** What it was derived from, oldest first. */
  readonly evidence: readonly Evidence[];
}

export type Verdict =
  | {
      readonly kind: 'delivered';
      readonly enqueuedAtMs: number;
      readonly writtenAtMs?: number | undefined;
      readonly isReplay: boolean;
    }
  | { readonly kind: 'due'; readonly reason: 'paused' | 'stale' | 'replaying' | 'behind' }
  | {
      readonly kind: 'not_subscribed';
      readonly joinedAtMs?: number | undefined;
      readonly leftAtMs?: number | undefined;
    }
  | { readonly kind: 'not_allowed'; readonly by: string; readonly code: string; readonly atMs: number }
  | { readonly kind: 'before_cursor'; readonly cursor: StreamId }
  /** It published it itself, and did not want it back. */
  | { readonly kind: 'unechoed'; readonly atMs: number }
  | {
      readonly kind: 'in_gap';
      readonly after: StreamId;
      readonly to: StreamId;
      readonly reason: string;
      readonly atMs: number;
    }
  /** The log no longer held it when it was read for this socket: its data was lost since the event was routed. */
  | { readonly kind: 'lost'; readonly atMs: number }
  | { readonly kind: 'stale'; readonly sinceMs: number }
  | { readonly kind: 'expired'; readonly atMs: number }
  | { readonly kind: 'closed'; readonly atMs: number; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string; readonly atMs?: number | undefined }
  | { readonly kind: 'not_read'; readonly position: StreamId }
  /** The log does not hold it, and nothing here saw it. */
  | { readonly kind: 'unknown_event' }
  /** The journal no longer goes back that far. */
  | { readonly kind: 'unknown' };

export interface Evidence {
  readonly atMs: number;
  readonly text: string;
}

/** The answer of `GET /inspect/explain`. */
export interface Explained extends Gathered<Explanation> {
  readonly event: {
    readonly id: StreamId;
    /** Undefined: it is nowhere. */
    readonly channels?: readonly string[] | undefined;
    readonly feed?: string | undefined;
  };
}
