import type { Evidence, Explanation, ExplainQuery } from '../inspect/api.ts';
import { compareIds, type StreamId } from '../event/stream-id.ts';
import { findEvent, type FoundEvent } from './event-search.ts';
import type { Journal } from './journal.ts';
import type { SocketJournal } from './socket-journal.ts';
import type { SubscriptionJournal } from './subscription-journal.ts';
import { type Judgement, judge, judgeGap } from './verdict.ts';
import { evidence, feedWords, spanWords, timeOf } from './words.ts';

/** What one process says. */
export interface OwnExplained {
  readonly event: {
    readonly id: StreamId;
    /** Undefined: it is nowhere. */
    readonly channels?: readonly string[] | undefined;
    readonly feed?: string | undefined;
  };
  readonly explanations: readonly Explanation[];
}

export type Explain = (query: ExplainQuery) => Promise<OwnExplained>;

/** Sockets of one user that are explained at most. */
const MOST_SOCKETS = 100;
/** Spans on either side of the one in whose time the event falls. */
const NEAR = 4;

/**
 * Makes what says of an event and the sockets of this process why it did, or did not, arrive: by id or of a user, those
 * that have gone among them.
 */
export function createExplain(journal: Journal, instance: () => string): Explain {
  return async ({ event: id, socket: socketId, user, channel }) => {
    const { found, unasked } = await findEvent(journal.feeds(), id, channel);
    const [first] = found;
    const sockets = socketsOf(socketId, user);
    return {
      event: {
        id,
        ...(first !== undefined && { channels: first.channels, feed: first.feed.name }),
      },
      explanations: sockets.map((socket) => {
        const event = found.find(({ feed }) => feed === socket.feed) ?? first;
        const isAsked = !unasked.includes(socket.feed);
        const judgement =
          event === undefined ? notFound(socket, { id, channel, isAsked }) : judge(socket, event);
        return {
          instance: instance(),
          socket: socket.id,
          ...(socket.peer.user !== undefined && { user: socket.peer.user }),
          verdict: judgement.verdict,
          sentence: judgement.sentence,
          evidence: evidenceOf(socket, id, event, judgement),
        };
      }),
    };
  };

  function socketsOf(socketId: string | undefined, user: string | undefined): readonly SocketJournal[] {
    if (socketId !== undefined) return [journal.socket(socketId) ?? []].flat();
    return user === undefined ? [] : journal.socketsOf(user).slice(-MOST_SOCKETS);
  }
}

/** Neither a window nor a log has it. */
function notFound(
  socket: SocketJournal,
  { id, channel, isAsked }: { id: StreamId; channel: string | undefined; isAsked: boolean },
): Judgement {
  const { feed } = socket;
  const { position } = feed;
  const inGap = judgeGap(socket, id, channel);
  if (inGap !== undefined) return inGap;
  // One that was routed is of a life that the log has lost.
  if (!isAsked && compareIds(id, position) > 0 && feed.batchOf(id) === undefined) {
    return {
      verdict: { kind: 'not_read', position },
      sentence: `This process is at ${position} and has not read it, and the broker cannot be asked now.`,
    };
  }
  const asked = isAsked ? 'the log does not hold it' : 'the broker cannot be asked now';
  return {
    verdict: { kind: 'unknown_event' },
    sentence: `Nobody can say: it is not in the window of this process, and ${asked}.${hint(socket, id, channel)}`,
  };
}

/** What would have become of it, if it was of this channel. */
function hint(socket: SocketJournal, id: StreamId, channel: string | undefined): string {
  if (channel === undefined || compareIds(id, socket.feed.position) > 0) return '';
  const { sentence } = judge(socket, { feed: socket.feed, id, channels: [channel] });
  return ` If it was an event of ${channel}: ${sentence}`;
}

function evidenceOf(
  socket: SocketJournal,
  id: StreamId,
  event: FoundEvent | undefined,
  { subscription }: Judgement,
): Evidence[] {
  const { feed, closed, denials } = socket;
  const batch = feed.batchOf(event?.id ?? id);
  const routedAtMs = batch?.atMs ?? event?.routedAtMs;
  const lines = [
    evidence(socket.openedAtMs, 'The socket was opened'),
    ...(subscription === undefined ? [] : spansNear(subscription, routedAtMs)),
    ...denials
      .filter(({ channel }) => event?.channels.includes(channel) ?? false)
      .map(({ atMs, by, code }) => evidence(atMs, `Its channel was refused: ${code}, by ${by}`)),
    ...feed.lines
      .filter(({ kind, atMs }) => kind !== 'filled' && atMs >= socket.openedAtMs)
      .slice(-NEAR)
      .map((line) => evidence(line.atMs, feedWords(line))),
  ];
  if (batch !== undefined) {
    const range = batch.firstId === batch.lastId ? batch.firstId : `${batch.firstId} to ${batch.lastId}`;
    lines.push(evidence(batch.atMs, `A batch was routed: ${range}, ${batch.count} of them events`));
  }
  for (const { sinceMs, untilMs } of socket.backlogs.slice(-NEAR)) {
    const until = untilMs === undefined ? 'and still does' : `until ${timeOf(untilMs)}`;
    lines.push(evidence(sinceMs, `Its transport held bytes back, ${until}`));
  }
  if (closed !== undefined) lines.push(evidence(closed.atMs, `The socket closed: ${closed.reason}`));
  return lines.sort((a, b) => a.atMs - b.atMs);
}

function spansNear({ spans }: SubscriptionJournal, atMs: number | undefined): Evidence[] {
  const later = atMs === undefined ? -1 : spans.findIndex((span) => span.atMs > atMs);
  const at = later < 0 ? spans.length : later;
  return spans
    .filter((_, index) => index === 0 || Math.abs(index - at) <= NEAR)
    .map((span) => evidence(span.atMs, spanWords(span)));
}
