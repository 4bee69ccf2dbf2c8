import { msOf, type StreamId } from '../../event/stream-id.ts';

/** An event under the id of the stream it was read from. */
export interface Kept {
  readonly id: StreamId;
  readonly payload: Buffer;
}

/**
 * The ids of those entries of a channel's own stream that the window holds too, under another id: Superset's
 * publisher adds each event to its channel's stream and then, on its own, to `full`, and the two ids can be
 * compared by millisecond only.
 *
 * Newest to oldest, each of the channel's window events cancels the newest entry that is left, has the same
 * payload, and is of a millisecond not later than its own. Both lists ascend. The tail need not reach back further
 * than the slack (the longest pause of a publisher) before the oldest window event, so that older history can be
 * sent page by page and forgotten; it must reach forward to the newest window event, which would otherwise cancel
 * an older entry with the same payload. About O(n).
 */
export function cancelled(windowEvents: readonly Kept[], tail: readonly Kept[]): ReadonlySet<StreamId> {
  const left = new Map<string, StreamId[]>();
  for (const { payload } of windowEvents) left.set(textOf(payload), []);
  for (const { id, payload } of tail) left.get(textOf(payload))?.push(id);

  const found = new Set<StreamId>();
  for (let at = windowEvents.length - 1; at >= 0; at--) {
    const { id, payload } = windowEvents[at] as Kept;
    const candidates = left.get(textOf(payload)) as StreamId[];
    const ms = msOf(id);
    // Too late for this event is too late for every older one: dropped for good, hence O(n).
    while (candidates.length > 0 && msOf(candidates[candidates.length - 1] as StreamId) > ms)
      candidates.pop();
    const own = candidates.pop();
    if (own !== undefined) found.add(own);
  }
  return found;
}

/** Payload bytes as a key: one character a byte, so that equal keys are equal bytes. */
function textOf(payload: Buffer): string {
  return payload.toString('latin1');
}
