import type { Evidence, Span } from '../inspect/api.ts';
import type { FeedLine } from './feed-journal.ts';

export const timeOf = (atMs: number): string => new Date(atMs).toISOString();

/** Why a subscription was not live, as the rest of a sentence. */
export const PAUSES: Readonly<Record<Extract<Span, { kind: 'paused' }>['reason'], string>> = {
  full: 'its transport was full',
  stale: 'a ping was unanswered',
  held: 'its own publication was under way',
  reset: 'the log had lost or trimmed what came next',
  operator: 'an operator had paused it',
  closing: 'it was being closed',
  failed: 'its transport was broken',
};

export const GAPS: Readonly<Record<string, string>> = {
  trimmed: 'the log no longer held them',
  epoch: "the broker's data was lost or replaced",
  lossy: 'its feed keeps nothing that is missed',
};

export const RULES: Readonly<Record<string, string>> = {
  claims: 'its token does not name the channel',
  reserved: "the channel is the server's own",
  limit: 'it has as many subscriptions as it may',
  application: 'the application said no',
};

/** A span in words. */
export function spanWords(span: Span): string {
  switch (span.kind) {
    case 'joined': {
      const from = span.isClaimed === true ? 'its client said it had everything up to' : 'from';
      return `It joined, ${from} ${span.cursor}${span.isLive === true ? ', and was live' : ''}`;
    }
    case 'live':
      return `It was live: what came after ${span.cursor} went straight out`;
    case 'paused':
      return `It was paused after ${span.cursor}: ${PAUSES[span.reason]}`;
    case 'replayed': {
      const stream = span.isOfChannel === true ? " (ids of the channel's own stream)" : '';
      return `It was sent again what there was after ${span.after}, up to ${span.cursor}${stream}${readWords(span)}`;
    }
    case 'snapshot':
      return `It was given a snapshot, which says everything up to ${span.cursor}`;
    case 'unechoed':
      return `It published ${span.id} itself, and did not want it back`;
    case 'gap':
      return `It was told of a gap after ${span.after}, up to ${span.to}: ${GAPS[span.reason] ?? span.reason}`;
    case 'left':
      return `It left after ${span.cursor}: ${span.reason}`;
  }
}

function readWords({ read }: Extract<Span, { readonly kind: 'replayed' }>): string {
  if (read === undefined) return '';
  return read === 'nothing' ? '; the log held nothing of it' : `; the log held ${read.first} to ${read.last}`;
}

/** What happened to a feed, in words. */
export function feedWords(line: FeedLine): string {
  switch (line.kind) {
    case 'filled':
      return `This process began to read: its window was filled after ${line.floor}, up to ${line.position}`;
    case 'reset':
      return `The log lost data: reading went on from ${line.position} instead of ${line.before}`;
    case 'skipped':
      return `What was after ${line.before}, up to ${line.position}, was trimmed before it was read`;
    case 'stale': {
      const until = line.untilMs === undefined ? 'and still is not' : `until ${timeOf(line.untilMs)}`;
      return `The broker was not read from here on, ${until}${line.reason === undefined ? '' : `: ${line.reason}`}`;
    }
  }
}

export const evidence = (atMs: number, text: string): Evidence => ({ atMs, text });
