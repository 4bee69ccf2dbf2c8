import type { Dialect } from './dialect.ts';
import { plain } from './plain.ts';

/** Every text is an event as it was posted. The channel is in the path, and there is no id to come back with. */
export const nchan: Dialect = {
  ...plain,
  target: (channelName) => `/sub/${channelName}`,
  idOf() {
    throw new Error('nchan is not asked for replays');
  },
};
