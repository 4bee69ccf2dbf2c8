import { headerText } from './header-text.ts';
import { type RawHeaders, valuesOf } from './raw-headers.ts';

/** Where a stream begins: after the event that has this id. */
export const LAST_ID_HEADER = 'x-sse-last-id';

/** `answer`: where there is no stream for now, its own answer is what the client gets. */
export const FALLBACK_HEADER = 'x-sse-fallback';

/** What an application's headers ask for; the parsers of both dialects give this. */
export interface HoldRequest {
  /** At least one; as it was written, nothing is checked yet. */
  readonly channels: readonly string[];
  readonly lastEventId?: string;
  readonly keepAlive?: KeepAlive;
  readonly mayFallBack?: true;
}

/** What an application wants to be sent to a client that heard nothing for a while. */
export interface KeepAlive {
  readonly content: Buffer;
  readonly afterMs: number;
}

/** What headers say: a hold, something wrong with one in words, or nothing about one. */
export type HoldReading = { readonly hold: HoldRequest } | { readonly fault: string } | undefined;

/**
 * Reads the channel header: names separated by commas, or several headers. An empty one asks for nothing, as in
 * uWSGI's `final-route-if-not = empty:`.
 */
export function readChannelHeader(raw: RawHeaders, channelHeader: string): HoldReading {
  const names = valuesOf(raw, channelHeader)
    .flatMap((value) => headerText(value).split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) return undefined;
  const fallback = valuesOf(raw, FALLBACK_HEADER).at(-1)?.trim() ?? '';
  if (fallback !== '' && fallback !== 'answer')
    return { fault: `${FALLBACK_HEADER} is ${JSON.stringify(fallback.slice(0, 200))}; expected answer` };
  const channels = [...new Set(names)];
  return { hold: { channels, ...lastEventIdOf(raw), ...(fallback !== '' && { mayFallBack: true }) } };
}

/** What X-SSE-Last-Id says, if anything. */
export function lastEventIdOf(raw: RawHeaders): { readonly lastEventId?: string } {
  const lastEventId = valuesOf(raw, LAST_ID_HEADER).at(-1)?.trim() ?? '';
  return lastEventId === '' ? {} : { lastEventId };
}
