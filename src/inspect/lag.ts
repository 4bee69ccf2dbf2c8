import { compareIds, msOf, ZERO_ID } from '../event/stream-id.ts';
import type { Subscription } from '../routing/subscriptions.ts';
import type { Window } from '../routing/window.ts';

/** How old the oldest event is that is due to a subscription; 0: it has everything that was routed. */
export function lagOf({ live, cursor, channels }: Subscription, window: Window, nowMs: number): number {
  if (live) return 0;
  if (window.holds(cursor)) {
    const next = window.next(channels, cursor);
    return next === undefined ? 0 : Math.max(0, nowMs - next.arrival.atMs);
  }
  // What is due is in the broker: it is not older than the cursor, nor younger than the window.
  const since = compareIds(cursor, ZERO_ID) > 0 ? cursor : window.floor;
  return Math.max(0, nowMs - msOf(since));
}
