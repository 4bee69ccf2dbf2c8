import type { EventLog } from '../broker/ports.ts';
import { type Entry, payloadOf } from '../event/entry.ts';
import { compareIds, laterId, msOf, previousId, type StreamId, streamId } from '../event/stream-id.ts';
import { cancelled } from '../protocol/superset/replay.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { PAGE_ENTRIES } from './exact-replay.ts';
import type { Pages } from './pages.ts';
import type { Replay, ReplayPart } from './replay.ts';
import { keptPayload } from './routed-event.ts';
import type { Subscription } from './subscriptions.ts';
import type { Window } from './window.ts';

/** Where a replay from a channel's own stream stands, whose ids are not the firehose's. */
export interface SeparateProgress {
  /** The position it began at: a firehose id, compared by millisecond only. */
  readonly from: StreamId;
  /** The channel-stream id after which to read on. */
  after: StreamId;
  /** The last channel-stream id that was sent. */
  sent: StreamId;
  /** Not later than `sent`, and not sent because the window had them then: sent now if it no longer has. */
  readonly owed: Set<StreamId>;
}

export interface SeparateReplayDeps {
  readonly pages: Pages;
  readonly log: Pick<EventLog, 'lastId'>;
  readonly window: Window;
  /** The id of the last event that was routed. */
  readonly position: () => StreamId;
  /** Resolves once everything up to an id has been routed. */
  readonly routed: (id: StreamId) => Promise<void>;
  /** The longest pause of a publisher between its two XADDs that is provided for. */
  readonly slackMs: number;
  readonly metrics: Metrics;
}

/**
 * For Superset's streams, where one event has an id in its channel's stream and another in the firehose.
 * What is not in the window is sent from the channel's stream, from a slack before the position up to the
 * window's floor; what the window holds too is cancelled there. Only entries within the slack of the floor can
 * be in both, so the history before it is streamed page by page.
 */
export function createSeparateReplay(deps: SeparateReplayDeps): Replay {
  const { pages, window, slackMs } = deps;

  /** Nothing is known of entries this close to the floor before all of them are seen. */
  const tailOf = (floor: StreamId) => ({ fromMs: msOf(floor) - slackMs, toMs: msOf(floor) + slackMs });

  return {
    begin(subscription) {
      const { cursor, channels } = subscription;
      const ms = msOf(cursor);
      if (ms <= msOf(window.floor)) subscription.replay = progressFrom(cursor, slackMs);
      // Not the firehose's id of an event of this channel, so perhaps the channel stream's: within its millisecond
      // nothing can be told from it.
      else if (!window.has(channels, cursor)) subscription.cursor = previousId(streamId(ms, 0));
    },

    async read(subscription) {
      subscription.replay ??= progressFrom(subscription.cursor, slackMs);
      const progress = subscription.replay;
      const channel = subscription.channels[0] as string;
      const readAt = deps.position();
      const readAfter = (after: StreamId) => pages.read(channel, after, undefined, PAGE_ENTRIES, readAt);
      let page = await readAfter(progress.after);
      const entries = [...page.entries];
      const { trimmed } = page;
      while (page.entries.length === PAGE_ENTRIES && isInTail(entries.at(-1), tailOf(window.floor))) {
        page = await readAfter((entries.at(-1) as Entry).id);
        entries.push(...page.entries);
      }
      const isToEnd = page.entries.length < PAGE_ENTRIES;
      const last = entries.at(-1);
      const isPastTail = last !== undefined && msOf(last.id) > tailOf(window.floor).toMs;
      // What this process has yet to route cannot cancel anything: it would come twice.
      if (isToEnd || isPastTail) await deps.routed(await deps.log.lastId());
      return () => resolve(subscription, progress, { channel, entries, isToEnd, trimmed, readAt });
    },
  };

  function resolve(subscription: Subscription, progress: SeparateProgress, read: ChannelRead): ReplayPart {
    const { entries, readAt } = read;
    // Up to the position at which it was read, the channel's stream is known whole; the floor may have moved on.
    const isJoinable = compareIds(window.floor, readAt) <= 0;
    const joint = isJoinable ? window.floor : readAt;
    const tail = tailOf(joint);
    const tailAt = entries.findIndex(({ id }) => msOf(id) >= tail.fromMs);
    const older = tailAt < 0 ? entries : entries.slice(0, tailAt);
    const last = entries.at(-1);
    const isWhole = read.isToEnd || (last !== undefined && msOf(last.id) > tail.toMs);
    if (read.trimmed) deps.metrics.count('signalbox.gaps', 1, { reason: 'trimmed' });
    if (!isWhole) return part(progress, older, () => advance(progress, older));

    const tailEntries = tailAt < 0 ? [] : entries.slice(tailAt);
    const cancels = cancelled(
      window
        .between(read.channel, joint, streamId(tail.toMs, Number.MAX_SAFE_INTEGER))
        .map((event) => ({ id: event.id, payload: keptPayload(event) })),
      tailEntries.map((entry) => ({ id: entry.id, payload: payloadOf(entry) })),
    );
    const upToJoint = tailEntries.filter(({ id }) => msOf(id) <= msOf(joint));
    const due = upToJoint.filter(({ id }) => !cancels.has(id));
    const made = part(progress, [...older, ...due], () => {
      if (!isJoinable) return advance(progress, older);
      subscription.cursor = joint;
      subscription.replay = undefined;
    });
    for (const { id } of upToJoint) if (cancels.has(id)) progress.owed.add(id);
    return made;
  }

  function part(progress: SeparateProgress, entries: readonly Entry[], done: () => void): ReplayPart {
    return {
      entries: entries.filter(({ id }) => compareIds(id, progress.sent) > 0 || progress.owed.has(id)),
      sent({ id }) {
        progress.owed.delete(id);
        progress.sent = laterId(progress.sent, id);
        if (msOf(id) <= msOf(progress.from)) deps.metrics.count('signalbox.replay_duplicates');
      },
      done,
    };
  }
}

interface ChannelRead {
  readonly channel: string;
  readonly entries: readonly Entry[];
  readonly isToEnd: boolean;
  readonly trimmed: boolean;
  /** The router's position when reading began. */
  readonly readAt: StreamId;
}

function progressFrom(position: StreamId, slackMs: number): SeparateProgress {
  const after = previousId(streamId(Math.max(0, msOf(position) - slackMs), 0));
  return { from: position, after, sent: after, owed: new Set() };
}

function advance(progress: SeparateProgress, sent: readonly Entry[]): void {
  const last = sent.at(-1);
  if (last !== undefined) progress.after = last.id;
}

function isInTail(entry: Entry | undefined, tail: { fromMs: number; toMs: number }): boolean {
  if (entry === undefined) return false;
  const ms = msOf(entry.id);
  return ms >= tail.fromMs && ms <= tail.toMs;
}
