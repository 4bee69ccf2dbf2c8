import type { Scenario } from '../scenario.ts';
import { broadcast } from './broadcast.ts';
import { unicast } from './unicast.ts';

const MAX_WORKERS = 2;

const withWorkers = ({ name, run }: Scenario, count: number): Scenario => ({
  name: 'workers',
  subjects: ['signalbox'],
  serverProcessors: MAX_WORKERS,
  // Two for the server, and two for all others.
  minProcessors: 4,
  env: () => ({ SIGNALBOX_WORKERS: String(count) }),
  async run(stage, size) {
    const rows = await run(stage, size);
    return rows.map((row) => ({
      ...row,
      case: `${name}, ${row.case}, ${count} worker${count === 1 ? '' : 's'}`,
    }));
  },
});

/** What a second worker gives, in processor time that is summed over both and the process that holds them. */
export const workers: readonly Scenario[] = [broadcast, unicast].flatMap((scenario) =>
  [1, MAX_WORKERS].map((count) => withWorkers(scenario, count)),
);
