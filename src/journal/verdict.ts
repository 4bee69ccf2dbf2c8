import { compareIds, msOf, type StreamId } from '../event/stream-id.ts';
import type { Denial, Verdict } from '../inspect/api.ts';
import type { FoundEvent } from './event-search.ts';
import { type Fate, fateOf } from './fate.ts';
import type { SocketJournal } from './socket-journal.ts';
import type { SubscriptionJournal } from './subscription-journal.ts';
import { GAPS, PAUSES, RULES, timeOf } from './words.ts';

/** What became of an event at a socket, in a sentence too. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly sentence: string;
  /** Whose spans say it; undefined: none do. */
  readonly subscription?: SubscriptionJournal | undefined;
}

type Judged = Omit<Judgement, 'subscription'>;

interface Candidate {
  readonly subscription: SubscriptionJournal;
  readonly fate: Fate;
}

/** The fate that counts where several subscriptions, one after the other, have one each. */
const RANKS: Readonly<Record<Fate['kind'], number>> = {
  live: 0,
  replayed: 0,
  unechoed: 1,
  failed: 2,
  gap: 3,
  lost: 4,
  due: 5,
  left: 6,
  forgotten: 7,
  before: 8,
};

const STALE = 'open.heartbeat.unanswered.stale';
const BLOCKED = 'open.delivery.replaying.blocked';

/** Derives from a socket's journal and its feed's what became of an event that was found. */
export function judge(socket: SocketJournal, event: FoundEvent): Judgement {
  if (event.malformed !== undefined) return malformed(event);
  if (event.feed !== socket.feed) return ofAnotherFeed(socket, event);
  const candidates = socket.subscriptions
    .filter(({ channels }) => channels.some((channel) => event.channels.includes(channel)))
    .map((subscription) => ({ subscription, fate: fateOf(subscription, event) }));
  const waiting = candidates.find(({ fate }) => fate.kind === 'live' || fate.kind === 'due');
  if (waiting !== undefined && !isRead(event))
    return { ...notRead(event), subscription: waiting.subscription };
  const best = bestOf(candidates);
  if (best === undefined) return neverSubscribed(socket, event);
  return { ...judged(socket, event, best, candidates), subscription: best.subscription };
}

/** An event that nothing holds any more, in a gap that this socket was told of; undefined: it is in none. */
export function judgeGap(
  socket: SocketJournal,
  id: StreamId,
  channel: string | undefined,
): Judgement | undefined {
  for (const subscription of socket.subscriptions) {
    if (channel !== undefined && !subscription.channels.includes(channel)) continue;
    const fate = fateOf(subscription, { id });
    if (fate.kind === 'gap') return { ...inGap(fate), subscription };
  }
  return undefined;
}

const isRead = ({ feed, id }: FoundEvent): boolean => compareIds(id, feed.position) <= 0;

function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    const rank = RANKS[candidate.fate.kind];
    const bestRank = best === undefined ? Number.POSITIVE_INFINITY : RANKS[best.fate.kind];
    // Of several that ended, or had not begun, the last one is nearest to now.
    if (rank < bestRank || (rank === bestRank && rank >= RANKS.left)) best = candidate;
  }
  return best;
}

function judged(
  socket: SocketJournal,
  event: FoundEvent,
  { fate }: Candidate,
  candidates: readonly Candidate[],
): Judged {
  switch (fate.kind) {
    case 'live':
      return deliveredLive(socket, event);
    case 'replayed':
      return delivered(socket, {
        enqueuedAtMs: fate.span.atMs,
        isReplay: true,
        how:
          fate.span.sinceMs === undefined
            ? `It was sent again at ${timeOf(fate.span.atMs)}`
            : `It was sent again between ${timeOf(fate.span.sinceMs)} and ${timeOf(fate.span.atMs)}`,
      });
    case 'unechoed': {
      const { atMs } = fate.span;
      return {
        verdict: { kind: 'unechoed', atMs },
        sentence: `It was not sent: this socket published it itself, at ${timeOf(atMs)}, and did not want it back.`,
      };
    }
    case 'failed':
      return broken(socket, fate.span.atMs);
    case 'gap':
      return inGap(fate);
    case 'lost': {
      const { atMs } = fate.span;
      return {
        verdict: { kind: 'lost', atMs },
        sentence: `It was not sent: when it was read for this socket, at ${timeOf(atMs)}, the log no longer held it.`,
      };
    }
    case 'due':
      return due(socket, fate);
    case 'left':
      return left(socket, event, fate, candidates);
    case 'forgotten':
      return unknown();
    case 'before':
      return before(fate, candidates);
  }
}

function deliveredLive(socket: SocketJournal, event: FoundEvent): Judged {
  const { feed, id } = event;
  const atMs = feed.batchOf(id)?.atMs ?? event.routedAtMs;
  if (atMs !== undefined) {
    const how = `It was queued live, at ${timeOf(atMs)}`;
    return delivered(socket, { enqueuedAtMs: atMs, isReplay: false, how });
  }
  const publishedAtMs = msOf(id);
  return {
    verdict: { kind: 'delivered', enqueuedAtMs: publishedAtMs, isReplay: false },
    sentence: `It was sent live, soon after it was published at ${timeOf(publishedAtMs)}: the line of its batch is no longer kept.`,
  };
}

function delivered(
  socket: SocketJournal,
  sent: { readonly enqueuedAtMs: number; readonly isReplay: boolean; readonly how: string },
): Judged {
  const { enqueuedAtMs, isReplay, how } = sent;
  const { closed } = socket;
  const backlog = socket.backlogs.find(
    ({ sinceMs, untilMs = Number.POSITIVE_INFINITY }) => sinceMs <= enqueuedAtMs && enqueuedAtMs <= untilMs,
  );
  const verdict = { kind: 'delivered', enqueuedAtMs, isReplay } as const;
  if (backlog === undefined) {
    if (!socket.knowsBacklogsAt(enqueuedAtMs)) {
      return { verdict, sentence: `${how}; when the operating system took it is no longer known.` };
    }
    return {
      verdict: { ...verdict, writtenAtMs: enqueuedAtMs },
      sentence: `${how}, and the operating system took it at once.`,
    };
  }
  if (backlog.untilMs !== undefined) {
    const { untilMs } = backlog;
    return {
      verdict: { ...verdict, writtenAtMs: untilMs },
      sentence: `${how}; its transport held bytes back, and the operating system had taken all of them at ${timeOf(untilMs)}.`,
    };
  }
  const held = `${how}; its transport has held bytes back since ${timeOf(backlog.sinceMs)}`;
  if (closed === undefined) return { verdict, sentence: `${held}, and this may be among them still.` };
  const lost = `${closed.unflushedEvents} of its events had not been taken by the operating system`;
  return {
    verdict,
    sentence: `${held}, and when it closed, at ${timeOf(closed.atMs)}, ${lost}: this may be one of them.`,
  };
}

function inGap({ span }: Extract<Fate, { kind: 'gap' }>): Judged {
  const { after, to, reason, atMs } = span;
  return {
    verdict: { kind: 'in_gap', after, to, reason, atMs },
    sentence: `It was not sent: it is in the gap after ${after}, up to ${to}, that this socket was told of at ${timeOf(atMs)}, because ${GAPS[reason] ?? reason}.`,
  };
}

function broken({ closed }: SocketJournal, atMs: number): Judged {
  return {
    verdict: { kind: 'closed', atMs: closed?.atMs ?? atMs, reason: closed?.reason ?? 'failed' },
    sentence: `It was not sent: the transport broke at ${timeOf(atMs)}, as it was to be written.`,
  };
}

function due(socket: SocketJournal, { pause }: Extract<Fate, { kind: 'due' }>): Judged {
  const { active } = socket;
  if (active.includes(STALE)) {
    const sinceMs = socket.sinceMs(STALE);
    return {
      verdict: { kind: 'stale', sinceMs },
      sentence: `It is due, and not sent yet: a ping has been unanswered, and this socket stale, since ${timeOf(sinceMs)}.`,
    };
  }
  if (active.includes(BLOCKED) || pause?.reason === 'operator') {
    const why = active.includes(BLOCKED) ? PAUSES.full : PAUSES.operator;
    const since = pause === undefined ? '' : `, since ${timeOf(pause.atMs)}`;
    return {
      verdict: { kind: 'due', reason: 'paused' },
      sentence: `It is due, and not sent yet: this socket is paused${since}, because ${why}.`,
    };
  }
  return {
    verdict: { kind: 'due', reason: 'replaying' },
    sentence: 'It is due, and not sent yet: this socket is being sent what came before it.',
  };
}

function left(
  socket: SocketJournal,
  event: FoundEvent,
  { span, wasBehind, pause }: Extract<Fate, { kind: 'left' }>,
  candidates: readonly Candidate[],
): Judged {
  const { closed } = socket;
  const { atMs } = span;
  const isByClose = span.reason === 'closed';
  // Of one that is not known to have been routed by then nobody can say that it was due.
  const routedAtMs = event.feed.batchOf(event.id)?.atMs ?? event.routedAtMs ?? msOf(event.id);
  const wasDue = wasBehind && routedAtMs <= atMs;
  const waited = wasDue ? 'It was due, and not sent before' : 'It came after';
  if (isByClose && closed?.reason === 'expired') {
    return {
      verdict: { kind: 'expired', atMs },
      sentence: `It was not sent: ${waited.toLowerCase()} the token of this socket expired, at ${timeOf(atMs)}.`,
    };
  }
  if (wasDue && pause?.reason === 'failed') return broken(socket, pause.atMs);
  if (wasDue && pause?.reason === 'stale') {
    return {
      verdict: { kind: 'stale', sinceMs: pause.atMs },
      sentence: `It was not sent: this socket was stale, with a ping unanswered, since ${timeOf(pause.atMs)}, and closed (${closed?.reason ?? span.reason}) at ${timeOf(atMs)}.`,
    };
  }
  if (isByClose) {
    const reason = closed?.reason ?? 'closed';
    const why =
      wasDue && pause !== undefined ? `; until then it waited, because ${PAUSES[pause.reason]}` : '';
    return {
      verdict: { kind: 'closed', atMs, reason },
      sentence: `It was not sent: ${waited.toLowerCase()} this socket closed (${reason}), at ${timeOf(atMs)}${why}.`,
    };
  }
  const denial = span.reason === 'no longer allowed' ? denialOf(socket, event) : undefined;
  if (denial !== undefined) return denied(denial);
  const joined = candidates.find(({ fate }) => fate.kind === 'before')?.subscription.joinedAtMs;
  const again = joined === undefined ? '' : `, and joined again only at ${timeOf(joined)}`;
  return {
    verdict: {
      kind: 'not_subscribed',
      leftAtMs: atMs,
      ...(joined !== undefined && { joinedAtMs: joined }),
    },
    sentence: `It was not sent: ${waited.toLowerCase()} this socket left the channel, at ${timeOf(atMs)}${again}.`,
  };
}

function before(
  { joined, snapshot }: Extract<Fate, { kind: 'before' }>,
  candidates: readonly Candidate[],
): Judged {
  if (snapshot !== undefined) {
    return {
      verdict: { kind: 'before_cursor', cursor: snapshot.cursor },
      sentence: `It was not sent: the snapshot that this socket was given at ${timeOf(snapshot.atMs)} says everything up to ${snapshot.cursor}.`,
    };
  }
  if (joined === undefined) return unknown();
  if (joined.isClaimed === true) {
    return {
      verdict: { kind: 'before_cursor', cursor: joined.cursor },
      sentence: `It was not sent: the client said at ${timeOf(joined.atMs)} that it had everything up to ${joined.cursor}, and this was before.`,
    };
  }
  const leaving = candidates.findLast(({ fate }) => fate.kind === 'left')?.fate;
  const leftAtMs = leaving?.kind === 'left' ? leaving.span.atMs : undefined;
  const after = leftAtMs === undefined ? '' : `, and had left it before at ${timeOf(leftAtMs)}`;
  return {
    verdict: {
      kind: 'not_subscribed',
      joinedAtMs: joined.atMs,
      ...(leftAtMs !== undefined && { leftAtMs }),
    },
    sentence: `It was not sent: this socket joined the channel after it, at ${timeOf(joined.atMs)}${after}.`,
  };
}

function neverSubscribed(socket: SocketJournal, event: FoundEvent): Judged {
  const denial = denialOf(socket, event);
  if (denial !== undefined) return denied(denial);
  if (socket.forgottenSubscriptions > 0) return unknown();
  return {
    verdict: { kind: 'not_subscribed' },
    sentence: `It was not sent: this socket has never had ${event.channels.join(' or ')}.`,
  };
}

const denialOf = ({ denials }: SocketJournal, { channels }: FoundEvent): Denial | undefined =>
  denials.findLast(({ channel }) => channels.includes(channel));

function denied({ atMs, channel, by, code }: Denial): Judged {
  return {
    verdict: { kind: 'not_allowed', by, code, atMs },
    sentence: `It was not sent: this socket was refused ${channel} at ${timeOf(atMs)} (${code}), because ${RULES[by] ?? by}.`,
  };
}

function notRead({ feed }: FoundEvent): Judged {
  const { position, staleSinceMs } = feed;
  const why =
    staleSinceMs === undefined
      ? 'its reader has not come as far'
      : `the broker has not been read since ${timeOf(staleSinceMs)}`;
  return {
    verdict: { kind: 'not_read', position },
    sentence: `It was not sent: this process is at ${position}, and ${why}.`,
  };
}

function malformed({ malformed: reason = '', routedAtMs }: FoundEvent): Judged {
  const when = routedAtMs === undefined ? '' : ` at ${timeOf(routedAtMs)}`;
  return {
    verdict: { kind: 'malformed', reason, ...(routedAtMs !== undefined && { atMs: routedAtMs }) },
    sentence: `It was sent to nobody: it is no event (${reason}), and was skipped${when}.`,
  };
}

function ofAnotherFeed(socket: SocketJournal, { feed }: FoundEvent): Judged {
  return {
    verdict: { kind: 'not_subscribed' },
    sentence: `It was not sent: it is an event of the feed ${feed.name}, and this socket hears ${socket.feed.name}.`,
  };
}

function unknown(): Judged {
  return {
    verdict: { kind: 'unknown' },
    sentence: 'Nobody can say: the journal no longer goes back that far.',
  };
}
