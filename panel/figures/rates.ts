import type { InstanceOverview, Overview } from '../../src/inspect/api.ts';

/** What the charts show of one second; null: nothing is known of it. */
export interface Sample {
  readonly atMs: number;
  readonly routed: number | null;
  readonly delivered: number | null;
  readonly replayed: number | null;
  /** Of the reader that is furthest behind. */
  readonly lagMs: number | null;
  /** Of the fullest window, from 0 to 1. */
  readonly windowUse: number | null;
  readonly bufferedBytes: number | null;
  readonly eventLoopDelayMs: number | null;
  readonly roundTripMs: number | null;
}

type Counter = keyof InstanceOverview['counters'];

/**
 * How fast a counter of one process grew, in a second. One that began anew counts from its start: what it had counted
 * before is nobody's any more. Null without time between the two.
 */
export function rateOf(before: InstanceOverview, now: InstanceOverview, counter: Counter): number | null {
  const isSameLife = before.startedAtMs === now.startedAtMs;
  const seconds = (now.atMs - (isSameLife ? before.atMs : now.startedAtMs)) / 1000;
  const grown = now.counters[counter] - (isSameLife ? before.counters[counter] : 0);
  return seconds > 0 && grown >= 0 ? grown / seconds : null;
}

/** The rate over all processes that answered both times. */
function totalRate(before: Overview | undefined, now: Overview, counter: Counter): number | null {
  let total: number | null = null;
  for (const answer of now.answers) {
    const earlier = before?.answers.find(({ instance }) => instance === answer.instance);
    const rate = earlier === undefined ? null : rateOf(earlier, answer, counter);
    if (rate !== null) total = (total ?? 0) + rate;
  }
  return total;
}

const largest = (values: readonly (number | undefined)[]): number | null => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : Math.max(...known);
};

/** How full a window is, by whichever of its limits is nearer. */
export const windowUseOf = ({ events, bytes, maxEvents, maxBytes }: Window): number =>
  Math.max(maxEvents > 0 ? events / maxEvents : 0, maxBytes > 0 ? bytes / maxBytes : 0);
type Window = InstanceOverview['readers'][number]['window'];

/** One second of an installation, from two answers to the same question. */
export function sampleOf(before: Overview | undefined, now: Overview, atMs: number): Sample {
  const { answers } = now;
  const readers = answers.flatMap((answer) => answer.readers);
  const buffered = answers.map(({ bufferedBytes }) => bufferedBytes);
  return {
    atMs,
    routed: totalRate(before, now, 'routed'),
    delivered: totalRate(before, now, 'delivered'),
    replayed: totalRate(before, now, 'replayed'),
    lagMs: largest(readers.map(({ lagMs }) => lagMs)),
    windowUse: largest(readers.map(({ window }) => windowUseOf(window))),
    bufferedBytes: buffered.length === 0 ? null : buffered.reduce((sum, bytes) => sum + bytes, 0),
    eventLoopDelayMs: largest(answers.map(({ eventLoopDelayMs }) => eventLoopDelayMs)),
    roundTripMs: largest(answers.map(({ broker }) => broker.roundTripMs)),
  };
}
