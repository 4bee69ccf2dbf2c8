import type { LogLine, PauseReason, Span, Transition, Verdict } from '../../src/inspect/api.ts';

/** What the journal's entries say, in words. */

/** Leaves as a reader wants them: without what both sides share. */
export function stepOf({ from, to }: Pick<Transition, 'from' | 'to'>): string {
  const left = from.filter((leaf) => !to.includes(leaf));
  const entered = to.filter((leaf) => !from.includes(leaf));
  if (left.length === 0 && entered.length === 0) return 'stays as it is';
  return `${left.join(', ') || 'start'} → ${entered.join(', ') || 'end'}`;
}

/** What caused a step: the event, what may be seen of it, and how often it came. */
export function causeOf({ event, detail, times }: Transition): string {
  const seen = Object.entries(detail ?? {}).map(([name, value]) => `${name} ${value}`);
  return `${event}${seen.length === 0 ? '' : ` (${seen.join(', ')})`}${(times ?? 1) > 1 ? ` × ${times}` : ''}`;
}

const PAUSES: Readonly<Record<PauseReason, string>> = {
  full: 'its transport was full',
  stale: 'a ping was unanswered',
  held: 'its own publication was held',
  reset: 'the log was lost or trimmed',
  operator: 'an operator paused it',
  closing: 'its socket is closing',
  failed: 'its transport broke, and what came after never left',
};

export function sentenceOf(span: Span): string {
  switch (span.kind) {
    case 'joined':
      return `joined ${span.isLive ? 'live ' : ''}${span.isClaimed ? 'with everything up to' : 'at'} ${span.cursor}`;
    case 'live':
      return `live from ${span.cursor}`;
    case 'paused':
      return `paused at ${span.cursor}: ${PAUSES[span.reason]}`;
    case 'replayed':
      return `replayed what came after ${span.after}, up to ${span.cursor}${span.isOfChannel ? " (ids of the channel's stream)" : ''}`;
    case 'snapshot':
      return `given a snapshot in the place of everything up to ${span.cursor}`;
    case 'unechoed':
      return `its own publication ${span.id} was not sent back to it`;
    case 'gap':
      return `a gap after ${span.after} up to ${span.to}: ${span.reason}`;
    case 'left':
      return `left at ${span.cursor}: ${span.reason}`;
  }
}

/** One line of the live log, without its time and kind. */
export function textOf(line: LogLine): string {
  const parts: (string | undefined)[] = [];
  if (line.transition !== undefined) parts.push(`${stepOf(line.transition)} by ${causeOf(line.transition)}`);
  if (line.span !== undefined) parts.push(sentenceOf(line.span));
  if (line.denial !== undefined)
    parts.push(`${line.denial.channel} refused by ${line.denial.by}: ${line.denial.code}`);
  if (line.id !== undefined) parts.push(line.id);
  if (line.denial === undefined && line.channel !== undefined) parts.push(`on ${line.channel}`);
  if (line.reason !== undefined) parts.push(line.reason);
  if (line.dropped !== undefined) parts.push(`${line.dropped} lines left out, there were too many`);
  return parts.filter((part) => part !== undefined).join(' · ');
}

/** The verdict in a word or two, to be read before its sentence. */
const VERDICTS: Readonly<Record<Verdict['kind'], string>> = {
  delivered: 'Delivered',
  due: 'Not yet: it is due',
  not_subscribed: 'Not subscribed then',
  not_allowed: 'Not allowed',
  before_cursor: 'Before its cursor',
  unechoed: 'Its own publication',
  in_gap: 'Lost in a gap',
  lost: 'Lost from the log',
  stale: 'Not yet: the socket is stale',
  expired: 'Token expired',
  closed: 'Socket closed',
  malformed: 'Event not valid',
  not_read: 'Not read by this process yet',
  unknown_event: 'No such event',
  unknown: 'No longer known',
};

export const wordOf = (verdict: Verdict): string =>
  verdict.kind === 'delivered' && verdict.isReplay ? 'Delivered, as a replay' : VERDICTS[verdict.kind];
