import { compareIds, laterId, type StreamId, ZERO_ID } from '../event/stream-id.ts';
import type { Span } from '../inspect/api.ts';

/** Spans of one subscription that are kept. */
export const MAX_SPANS = 48;

type Replayed = Extract<Span, { readonly kind: 'replayed' }>;

const isFullPause = (span: Span | undefined): boolean => span?.kind === 'paused' && span.reason === 'full';
const isReplayed = (span: Span | undefined): span is Replayed =>
  span?.kind === 'replayed' && span.isOfChannel !== true && span.read === undefined;

/**
 * What happened to one subscription, bounded: of a slow consumer's parts those that are next to each other are made
 * one, and of what is left the oldest goes.
 */
export class Spans {
  #spans: Span[] = [];
  /** Of an event up to here it may not be known any more what became of it. */
  forgottenTo: StreamId | undefined;

  /** Oldest first. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  get last(): Span | undefined {
    return this.#spans.at(-1);
  }

  add(span: Span): void {
    // An array that is pushed to, or spread, reserves for 16 more; this one is short in most sockets for all their life.
    if (this.#spans.length < 4) this.#spans = this.#spans.concat(span);
    else this.#spans.push(span);
    if (this.#spans.length > MAX_SPANS && !this.#merge()) this.#forget();
  }

  /** Puts `span` in the place of the last one. */
  amend(span: Span): void {
    this.#spans[this.#spans.length - 1] = span;
  }

  /** Takes the last one back. */
  retract(): void {
    this.#spans.pop();
  }

  /** Of the oldest two parts of a replay that a full transport came between makes one. */
  #merge(): boolean {
    const at = this.#spans.findIndex(
      (span, index) =>
        isReplayed(span) && isFullPause(this.#spans[index + 1]) && isReplayed(this.#spans[index + 2]),
    );
    if (at < 0) return false;
    const [first, , second] = this.#spans.slice(at, at + 3) as [Replayed, Span, Replayed];
    const sinceMs = first.sinceMs ?? first.atMs;
    this.#spans.splice(at, 3, { ...second, sinceMs, after: first.after });
    return true;
  }

  /** When it joined stays known. The next span begins where the one that is forgotten ended. */
  #forget(): void {
    const [span] = this.#spans.splice(1, 1) as [Span];
    const next = this.#spans[1] as Span;
    const upTo = laterId(endOf(span), startOf(next));
    this.forgottenTo = this.forgottenTo === undefined ? upTo : laterId(this.forgottenTo, upTo);
    if (isOtherLife(span)) this.forgottenTo = endOf(span);
  }
}

function endOf(span: Span): StreamId {
  if (span.kind === 'gap') return span.to;
  return span.kind === 'unechoed' ? ZERO_ID : span.cursor;
}

/** From where on the span says what became of events. */
function startOf(span: Span): StreamId {
  if (span.kind === 'replayed' || span.kind === 'gap') return span.after;
  return endOf(span);
}

/** Ids before it mean nothing after it. */
export function isOtherLife(span: Span): boolean {
  return span.kind === 'gap' && compareIds(span.to, span.after) < 0;
}
