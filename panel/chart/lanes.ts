/** A way in a gutter, between two places that are numbered from top to bottom. */
interface Between {
  readonly from: number;
  readonly to: number;
}

const spanOf = ({ from, to }: Between): number => Math.abs(to - from);
const overlap = (a: Between, b: Between): boolean =>
  Math.min(a.from, a.to) <= Math.max(b.from, b.to) && Math.min(b.from, b.to) <= Math.max(a.from, a.to);

/**
 * Gives each way a lane of its own among those that it would run into: short ways next to the states, long ones
 * outside, so that they cross as little as possible.
 */
export function inLanes<Way extends Between>(ways: readonly Way[]): (Way & { readonly lane: number })[] {
  const placed: (Way & { readonly lane: number })[] = [];
  for (const way of ways.toSorted((a, b) => spanOf(a) - spanOf(b))) {
    const taken = new Set(placed.filter((other) => overlap(way, other)).map(({ lane }) => lane));
    let lane = 0;
    while (taken.has(lane)) lane += 1;
    placed.push({ ...way, lane });
  }
  return placed;
}
