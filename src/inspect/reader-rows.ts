import type { Actors } from '../actors/actors.ts';
import type { WindowLimits } from '../routing/window.ts';
import type { ReaderRow } from './api.ts';

export interface ReaderRowDeps {
  readonly instance: string;
  /** The limits of every window of this process. */
  readonly window: WindowLimits;
}

/** The reader of a feed, with its router and its window; undefined: it was not started. */
export function readerRow(actors: Actors, { instance, window }: ReaderRowDeps): ReaderRow | undefined {
  const { reading, routing, name } = actors;
  const { reader, router } = reading;
  if (reader === undefined || router === undefined) return undefined;
  const { value, context } = reader.getSnapshot();
  const { fanOut } = routing;
  return {
    instance,
    id: reader.id,
    feed: name,
    state: value,
    attempt: context.attempt,
    ...(context.lastError !== undefined && { lastError: context.lastError }),
    position: fanOut.position,
    epoch: fanOut.epoch,
    lagMs: fanOut.lagMs,
    batches: router.batches,
    events: router.events,
    isRouting: !reading.hasCrashed,
    window: {
      events: routing.window.length,
      bytes: routing.window.bytes,
      maxEvents: window.maxEvents,
      maxBytes: window.maxBytes,
      floor: routing.window.floor,
    },
  };
}
