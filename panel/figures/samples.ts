import type { Sample } from './rates.ts';

/** How far back the charts go. */
export const SPAN_MS = 5 * 60_000;
/** Samples come once a second; longer than this without one is a hole, which a chart must not draw a line over. */
const HOLE_MS = 3_500;

const nothingAt = (atMs: number): Sample => ({
  atMs,
  routed: null,
  delivered: null,
  replayed: null,
  lagMs: null,
  windowUse: null,
  bufferedBytes: null,
  eventLoopDelayMs: null,
  roundTripMs: null,
});

/** The samples with one more, and without those that are too old; times strictly increase. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.atMs <= last.atMs) return samples;
  const hole = last !== undefined && sample.atMs - last.atMs > HOLE_MS ? [nothingAt(last.atMs + 1)] : [];
  const from = samples.findIndex(({ atMs }) => atMs >= sample.atMs - SPAN_MS);
  return [...(from === -1 ? [] : samples.slice(from)), ...hole, sample];
}

export type Figure = Exclude<keyof Sample, 'atMs'>;

/** Seconds, and the values of each figure: what a chart is drawn from. */
export const columnsOf = (
  samples: readonly Sample[],
  figures: readonly Figure[],
): [number[], ...(number | null)[][]] => [
  samples.map(({ atMs }) => atMs / 1000),
  ...figures.map((figure) => samples.map((sample) => sample[figure])),
];
