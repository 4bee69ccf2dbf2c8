/** A way in a gutter, between two places that are numbered from top to bottom. */
interface Between {
  readonly from: number;
  readonly to: number;
}

/** All ways to one place: they share a lane, as tracks do that join. */
interface Junction {
  readonly to: number;
  readonly top: number;
  readonly bottom: number;
}

function junctionsOf(ways: readonly Between[]): Junction[] {
  return [...new Set(ways.map(({ to }) => to))].map((to) => {
    const places = ways.filter((way) => way.to === to).flatMap(({ from }) => [from, to]);
    return { to, top: Math.min(...places), bottom: Math.max(...places) };
  });
}

const overlap = (a: Junction, b: Junction): boolean => a.top <= b.bottom && b.top <= a.bottom;

/**
 * Gives each way the lane of its target: short ones next to the states, long ones outside, so that they cross as little
 * as possible. Lanes that do not meet are used twice.
 */
export function inLanes<Way extends Between>(ways: readonly Way[]): (Way & { readonly lane: number })[] {
  const lanes = new Map<number, number>();
  const placed: Junction[] = [];
  for (const junction of junctionsOf(ways).toSorted((a, b) => a.bottom - a.top - (b.bottom - b.top))) {
    const taken = new Set(placed.filter((other) => overlap(junction, other)).map(({ to }) => lanes.get(to)));
    let lane = 0;
    while (taken.has(lane)) lane += 1;
    lanes.set(junction.to, lane);
    placed.push(junction);
  }
  return ways.map((way) => ({ ...way, lane: lanes.get(way.to) ?? 0 }));
}
