import { type Across, type GaugeName, METRICS } from '../telemetry/metrics.ts';

/** The last values of one process's gauges; what it has not measured yet is left out. */
export type Gauges = Readonly<Partial<Record<GaugeName, number>>>;

const acrossOf = Object.entries(METRICS).flatMap(([name, metric]) =>
  'across' in metric ? [[name as GaugeName, metric.across] as const] : [],
);

const combine = (across: Across, values: readonly number[]): number =>
  across === 'sum' ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values);

/**
 * The gauges of all workers as those of one server, by the rule that each has in the table of metrics.
 *
 * Every gauge is in it, as 0 where nobody measured it: a level that nobody has any more must not stay at its last.
 */
export const addUp = (workers: readonly Gauges[]): ReadonlyMap<GaugeName, number> =>
  new Map(
    acrossOf.map(([name, across]) => [
      name,
      combine(
        across,
        workers.flatMap((gauges) => gauges[name] ?? []),
      ),
    ]),
  );
