import type { Page } from '../broker/ports.ts';
import type { Entry } from '../event/entry.ts';
import { compareIds, previousId, type StreamId } from '../event/stream-id.ts';
import type { Gap } from './protocol.ts';
import type { Pages } from './pages.ts';
import type { Replay, ReplayPart } from './replay.ts';
import type { Subscription } from './subscriptions.ts';

/** How many entries one page asks for. */
export const PAGE_ENTRIES = 200;
/** Of several channels merged, what all pages together may hold of one stream, and a page at least. */
const MERGED_ENTRIES = 800;
const LEAST_ENTRIES = 10;

const entriesEach = (channels: number): number =>
  channels === 1
    ? PAGE_ENTRIES
    : Math.min(PAGE_ENTRIES, Math.max(LEAST_ENTRIES, Math.ceil(MERGED_ENTRIES / channels)));

/** For logs where an event has one id: `(cursor, position]`, page by page, of several channels merged by id. */
export function createExactReplay(pages: Pages, position: () => StreamId): Replay {
  return {
    begin() {},
    async read(subscription: Subscription) {
      const { channels } = subscription;
      const after = subscription.cursor;
      const end = position();
      const count = entriesEach(channels.length);
      const read = (channel: string): Promise<Page> => pages.read(channel, after, end, count, end);
      const part =
        channels.length === 1
          ? ofOne(await read(channels[0] as string), after, end)
          : merged(channels, await Promise.all(channels.map(read)), { after, end, count });
      return (): ReplayPart => ({
        ...part,
        sent: (entry) => {
          subscription.cursor = entry.id;
        },
        done: () => {
          if (part.to !== undefined) subscription.cursor = part.to;
        },
      });
    },
  };
}

interface Part extends Pick<ReplayPart, 'gap' | 'entries' | 'channelOf'> {
  /** Up to where everything is in it; undefined: to its last entry. */
  readonly to: StreamId | undefined;
}

function ofOne({ entries, trimmed }: Page, after: StreamId, end: StreamId): Part {
  return {
    ...(trimmed && { gap: gapOf(after, lastLost(entries, end)) }),
    entries,
    to: entries.length < PAGE_ENTRIES ? end : undefined,
  };
}

/**
 * What is of no use because a page of another channel ends before it is read again. A gap of one channel is one of all
 * of them, since they have one cursor; what they have within it is not sent.
 */
function merged(
  channels: readonly string[],
  pages: readonly Page[],
  { after, end, count }: { readonly after: StreamId; readonly end: StreamId; readonly count: number },
): Part {
  let to = end;
  let lost: StreamId | undefined;
  for (const { entries, trimmed } of pages) {
    const last = entries.at(-1);
    if (entries.length >= count && last !== undefined && compareIds(last.id, to) < 0) to = last.id;
    if (trimmed) lost = later(lost, lastLost(entries, end));
  }
  const from = lost ?? after;
  if (compareIds(from, to) > 0) to = from;
  const channelOf = new Map<Entry, string>();
  pages.forEach(({ entries }, at) => {
    for (const entry of entries) {
      if (compareIds(entry.id, from) > 0 && compareIds(entry.id, to) <= 0) {
        channelOf.set(entry, channels[at] as string);
      }
    }
  });
  return {
    ...(lost !== undefined && { gap: gapOf(after, lost) }),
    entries: [...channelOf.keys()].toSorted((a, b) => compareIds(a.id, b.id)),
    channelOf: (entry) => channelOf.get(entry) as string,
    to,
  };
}

const gapOf = (after: StreamId, to: StreamId): Gap => ({ after, to, reason: 'trimmed' });

const later = (a: StreamId | undefined, b: StreamId): StreamId =>
  a !== undefined && compareIds(a, b) > 0 ? a : b;

function lastLost(entries: readonly Entry[], end: StreamId): StreamId {
  const first = entries[0];
  return first === undefined ? end : previousId(first.id);
}
