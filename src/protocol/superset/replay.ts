import { msOf, previousId, type StreamId, streamId } from '../../event/stream-id.ts';

/**
 * Superset's publisher adds each event to its channel's stream and then, on its own, to `full`: two ids for one
 * event, comparable only by millisecond and within the slack, which is the longest that a publisher is thought to
 * pause between the two. This is how what the window no longer holds is found in the channel's stream.
 */

/** An event under the id of the stream it was read from. */
export interface Kept {
  readonly id: StreamId;
  readonly payload: Buffer;
}

/** What a replay has to know before it reads anything. */
export interface ReplayBounds {
  /** The client's position: nearly always an id of `full`. */
  readonly lastId: StreamId;
  /** The window's floor, an id of `full`, captured together with the window's events. */
  readonly floor: StreamId;
  readonly slackMs: number;
}

/** An entry to send, under its channel id. */
export interface ReplayedEntry extends Kept {
  /** True inside the slack, where the client may have had it already under its other id. */
  readonly mayRepeat: boolean;
}

/** The position after which the channel's stream is read. */
export function replayStart({ lastId, slackMs }: ReplayBounds): StreamId {
  return beforeMs(msOf(lastId) - slackMs);
}

/**
 * The position after which the tail begins: the entries that may be in the window under their other id. Older
 * ones need no comparison, so they can be sent page by page and forgotten.
 */
export function tailStart({ floor, slackMs }: ReplayBounds): StreamId {
  return beforeMs(msOf(floor) - slackMs);
}

/**
 * The ids of those tail entries that the window has too.
 *
 * Newest to oldest, each of the channel's window events cancels the newest entry that is left, has the same
 * payload, and is of a millisecond not later than its own. Both lists ascend and are of one channel; the tail
 * reaches at least to the millisecond of the newest window event and was read after the window's events were
 * captured, so that each of those finds its own entry first. About O(n).
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

/**
 * Of some ascending entries of the channel's stream, those to send, in order. `inWindow` is what `cancelled`
 * answered for the tail; for pages that end before the tail it is empty.
 */
export function replayed(
  entries: readonly Kept[],
  bounds: ReplayBounds,
  inWindow: ReadonlySet<StreamId>,
): ReplayedEntry[] {
  const lastMs = msOf(bounds.lastId);
  const floorMs = msOf(bounds.floor);
  const out: ReplayedEntry[] = [];
  for (const { id, payload } of entries) {
    const ms = msOf(id);
    if (ms > floorMs) break;
    if (ms < lastMs - bounds.slackMs || inWindow.has(id)) continue;
    out.push({ id, payload, mayRepeat: ms <= lastMs });
  }
  return out;
}

/** The whole join at once: every channel entry after `replayStart`, against the channel's window events. */
export function joinReplay(
  bounds: ReplayBounds,
  channelEntries: readonly Kept[],
  windowEvents: readonly Kept[],
): ReplayedEntry[] {
  const from = msOf(bounds.floor) - bounds.slackMs;
  const tail = channelEntries.filter(({ id }) => msOf(id) >= from);
  return replayed(channelEntries, bounds, cancelled(windowEvents, tail));
}

function beforeMs(ms: number): StreamId {
  return previousId(streamId(Math.max(0, ms), 0));
}

/** Payload bytes as a key: one character a byte, so that equal keys are equal bytes. */
function textOf(payload: Buffer): string {
  return payload.toString('latin1');
}
