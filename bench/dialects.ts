import type { Dialect } from './dialects/dialect.ts';
import { events } from './dialects/events.ts';
import { native } from './dialects/native.ts';
import { nchan } from './dialects/nchan.ts';
import { nchanEvents } from './dialects/nchan-events.ts';
import { plain } from './dialects/plain.ts';
import { socketio } from './dialects/socketio.ts';

/** By the names that processes tell each other. */
export const DIALECTS = {
  plain,
  native,
  events,
  nchan,
  nchanEvents,
  socketio,
} as const satisfies Readonly<Record<string, Dialect>>;

export type DialectName = keyof typeof DIALECTS;
