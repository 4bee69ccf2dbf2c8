/** On which processors the server runs, and on which all others, as `taskset` reads them; undefined: on any. */
export interface Placement {
  readonly server: string | undefined;
  readonly load: string | undefined;
}

export const ANYWHERE: Placement = { server: undefined, load: undefined };

const range = (first: number, last: number): string => (first === last ? `${first}` : `${first}-${last}`);

/**
 * A server of `wanted` processors has the first ones for itself, and all others share the second half: the same half
 * for every scenario. Undefined when there are not so many.
 */
export function placementFor(processors: number, wanted: number): Placement | undefined {
  const half = Math.floor(processors / 2);
  if (wanted > half) return undefined;
  return { server: range(0, wanted - 1), load: range(half, processors - 1) };
}
