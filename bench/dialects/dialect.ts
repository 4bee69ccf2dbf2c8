/** What a client has from its connections before this one. */
export interface Past {
  readonly lastId: string | undefined;
  readonly session: string | undefined;
}

/** What a client does about a text that is no event. */
export interface Answer {
  readonly send?: string;
  /** The connection is open, for servers that say so themselves. */
  readonly isOpen?: true;
  /** What to bring along next time. */
  readonly session?: string;
}

/**
 * How the load speaks with one kind of server. Functions of what they are given: a dialect serves all clients.
 *
 * `bytes` is a buffer in which a text goes from `from` to before `to`. What is asked of every event may not parse.
 */
export interface Dialect {
  /** The answer is a stream of Server-Sent Events, and no upgrade. */
  readonly isStream?: true;
  /** Whether a connection is open as soon as it is upgraded, or answered; else an answer says when. */
  readonly isOpenOnceUpgraded: boolean;
  /** The request target. */
  target(channelName: string, past: Past): string;
  /** How it shows its token, and what else it asks with; a cookie, as Superset's browsers, unless it says otherwise. */
  headers?(token: string): readonly string[];
  /** What its token holds; the channel, as Superset's does, unless it says otherwise. */
  claims?(channelName: string): object;
  /** What it says first. */
  readonly greeting?: string;
  isEvent(bytes: Buffer, from: number, to: number): boolean;
  /** The end of the event's own JSON, which its stamp is read before. */
  eventEnd(bytes: Buffer, from: number, to: number): number;
  /** What the client comes back with when this was the last event that it got. */
  idOf(bytes: Buffer, from: number, to: number): string;
  answer(text: string, past: Past, channelName: string): Answer;
}
