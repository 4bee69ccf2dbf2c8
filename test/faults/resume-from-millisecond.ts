import type { Replay } from '../../src/routing/replay.ts';
import { createSeparateReplay, type SeparateReplayDeps } from '../../src/routing/separate-replay.ts';

/** Compares the two streams by millisecond, as it must, but trusts the two ids of an event to be of the same one. */
export function createResumeFromMillisecond(deps: SeparateReplayDeps): Replay {
  return createSeparateReplay({ ...deps, slackMs: 0 });
}
