import type { Dialect } from './dialect.ts';
import { nativeClaims } from './native-claims.ts';
import { plain } from './plain.ts';

/** Native channels as Server-Sent Events: the data of each event is what was published. */
export const events: Dialect = {
  ...plain,
  isStream: true,
  target: (channelName) => `/events?channel=${channelName}`,
  headers: (token) => [`Authorization: Bearer ${token}`],
  claims: nativeClaims,
  idOf() {
    throw new Error('streams are not asked for replays');
  },
};
