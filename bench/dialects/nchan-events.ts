import type { Dialect } from './dialect.ts';
import { nchan } from './nchan.ts';

/** nchan's Server-Sent Events, at the same place as its WebSockets. */
export const nchanEvents: Dialect = { ...nchan, isStream: true };
