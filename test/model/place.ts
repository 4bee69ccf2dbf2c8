import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import { compareIds } from '../../src/event/stream-id.ts';

/** What a client knows of a channel: where it is, and in which life of the broker. */
export interface Place {
  readonly position: StreamId;
  readonly epoch: string;
  readonly life: number;
}

/** By channel; undefined: it has the channel, and was told nothing of it yet. */
export type Places = ReadonlyMap<string, Place | undefined>;

/** A client that has gone: as whom it came, and where it was. */
export interface Left {
  readonly as: NativePrincipal;
  readonly places: Places;
}

/**
 * The one place from which a stream goes on for all of these: the earliest. Undefined: they are of several lives, or
 * something is not placed yet, and no one cursor stands for them.
 */
export function commonPlace(places: Places): Place | undefined {
  const [first, ...others] = places.values();
  let earliest = first;
  for (const place of others) {
    if (place === undefined || place.epoch !== earliest?.epoch || place.life !== earliest.life)
      return undefined;
    if (compareIds(place.position, earliest.position) < 0) earliest = place;
  }
  return earliest;
}
