import type { Entry } from '../event/entry.ts';
import type { Gap } from './protocol.ts';
import type { Subscription } from './subscriptions.ts';

/** A part of what a subscription missed, ready to be sent in the turn in which it was made. */
export interface ReplayPart {
  /** Announced before the entries. */
  readonly gap?: Gap;
  readonly entries: readonly Entry[];
  /** Whose an entry is, where they are of several channels. */
  channelOf?(entry: Entry): string;
  /** To be called for each entry that was sent: an interrupted part is read again from there. */
  sent(entry: Entry): void;
  /** To be called once all of them were. */
  done(): void;
}

/** How a subscription that fell out of the window is caught up from the broker. */
export interface Replay {
  /**
   * Whether a position that a client gave may be served from the window alone. Changes the subscription so
   * that `read` serves it otherwise.
   */
  begin(subscription: Subscription): void;
  /**
   * Reads what comes next. The result is resolved against the window by calling it, in one turn with sending:
   * whatever is routed in between changes what is due. Rejects when the broker is away.
   */
  read(subscription: Subscription): Promise<() => ReplayPart>;
}
