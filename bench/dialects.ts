import type { Dialect } from './dialects/dialect.ts';
import { nchan } from './dialects/nchan.ts';
import { plain } from './dialects/plain.ts';
import { socketio } from './dialects/socketio.ts';

/** By the names that processes tell each other. */
export const DIALECTS = { plain, nchan, socketio } as const satisfies Readonly<Record<string, Dialect>>;

export type DialectName = keyof typeof DIALECTS;
