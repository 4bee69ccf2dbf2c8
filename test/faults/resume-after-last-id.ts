import { compareIds, msOf } from '../../src/event/stream-id.ts';
import type { Replay } from '../../src/routing/replay.ts';
import type { SeparateReplayDeps } from '../../src/routing/separate-replay.ts';

/**
 * The fault of Superset's sidecar: a position on `full` is used as one on the channel's own stream, and the
 * replay starts strictly after it.
 */
export function createResumeAfterLastId({ pages, window, position }: SeparateReplayDeps): Replay {
  return {
    begin() {},
    async read(subscription) {
      const after = subscription.cursor;
      const { entries } = await pages.read(
        subscription.channels[0] as string,
        after,
        undefined,
        10_000,
        position(),
      );
      return () => {
        const { floor } = window;
        return {
          entries: entries.filter(({ id }) => compareIds(id, after) > 0 && msOf(id) <= msOf(floor)),
          sent() {},
          done() {
            subscription.cursor = floor;
          },
        };
      };
    },
  };
}
