import type { OpenSocket } from '../actors/open-socket.ts';
import { compareIds, msOf, ZERO_ID } from '../event/stream-id.ts';
import type { Subscription } from '../routing/subscriptions.ts';
import type { Window } from '../routing/window.ts';
import type { ChannelState, SocketState } from './api.ts';

/** The one word for what a socket is doing: of its regions the one that matters most now. */
export function socketStateOf(value: ReturnType<OpenSocket['actor']['getSnapshot']>['value']): SocketState {
  if (typeof value === 'string') return value === 'connecting' ? 'connecting' : 'closing';
  const { heartbeat, delivery } = value.open as { heartbeat: unknown; delivery: unknown };
  if (typeof heartbeat === 'object' && (heartbeat as { unanswered?: unknown }).unanswered === 'stale') {
    return 'stale';
  }
  return delivery === 'live' ? 'live' : 'replaying';
}

/** Undefined: it has been collected. */
export function channelStateOf(value: string | object): ChannelState | undefined {
  const word = typeof value === 'string' ? value : Object.keys(value)[0];
  return word === 'connecting' || word === 'replaying' || word === 'live' || word === 'stale'
    ? word
    : undefined;
}

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
