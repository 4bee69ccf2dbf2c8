import type { StreamId } from '../event/stream-id.ts';
import type { Pages } from './pages.ts';
import type { Replay, ReplayPart } from './replay.ts';
import type { Subscription } from './subscriptions.ts';
import type { Entry } from '../event/entry.ts';
import { previousId } from '../event/stream-id.ts';

/** How many entries one page asks for. */
export const PAGE_ENTRIES = 200;

/** For logs where an event has one id: `(cursor, position]`, page by page. */
export function createExactReplay(pages: Pages, position: () => StreamId): Replay {
  return {
    begin() {},
    async read(subscription: Subscription) {
      const channel = subscription.channels[0] as string;
      const after = subscription.cursor;
      const end = position();
      const { entries, trimmed } = await pages.read(channel, after, end, PAGE_ENTRIES, end);
      return (): ReplayPart => ({
        ...(trimmed && { gap: { after, to: lastLost(entries, end), reason: 'trimmed' as const } }),
        entries,
        sent: (entry) => {
          subscription.cursor = entry.id;
        },
        done: () => {
          if (entries.length < PAGE_ENTRIES) subscription.cursor = end;
        },
      });
    },
  };
}

function lastLost(entries: readonly Entry[], end: StreamId): StreamId {
  const first = entries[0];
  return first === undefined ? end : previousId(first.id);
}
