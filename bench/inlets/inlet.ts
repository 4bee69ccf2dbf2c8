/** One event on its way in. */
export interface Outgoing {
  readonly channelName: string;
  readonly channel: number;
  readonly data: string;
  /** Also to the channel's own log, which replays are read from. */
  readonly both: boolean;
  /** On a native channel, in the place of Superset's streams. */
  readonly isNative: boolean;
}

/**
 * Where events are published to. Events of one channel arrive in the order in which they were sent. What is sent goes
 * out at the next `flush`; `answered` resolves when all of it is confirmed, and rejects with the first refusal.
 */
export interface Inlet {
  /** How many answers are still to come. */
  readonly unanswered: number;
  send(event: Outgoing): void;
  flush(): void;
  answered(): Promise<void>;
  /** Removes what `channels` of a group left. */
  forget(group: string, channels: number): Promise<void>;
}
