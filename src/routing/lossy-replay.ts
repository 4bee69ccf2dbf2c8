import type { StreamId } from '../event/stream-id.ts';
import type { Replay } from './replay.ts';

/** For feeds that keep nothing: what fell out of the window is lost, and said to be. */
export function createLossyReplay(floor: () => StreamId): Replay {
  return {
    begin() {},
    read: async (subscription) => () => {
      const gap = { after: subscription.cursor, to: floor(), reason: 'lossy' as const };
      return {
        gap,
        entries: [],
        sent() {},
        done() {
          subscription.cursor = gap.to;
        },
      };
    },
  };
}
