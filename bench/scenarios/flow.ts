import { addExactness } from '../ledger.ts';
import { type Row, type Size, secondsOf } from '../scenario.ts';
import type { Flow, Stage } from '../stage.ts';

/** One case: a warm-up, and then the flow that is measured. */
export async function measure(
  stage: Stage,
  size: Size,
  name: string,
  flow: Omit<Flow, 'events'>,
): Promise<Row> {
  const seconds = secondsOf(size);
  const warmUp = await stage.pass({ ...flow, events: Math.ceil((flow.rate * seconds) / 2) });
  const passage = await stage.pass({ ...flow, events: flow.rate * seconds });
  const { latency, cpuMs, deliveriesPerS, loadBusyPercent } = passage;
  return {
    case: name,
    figures: {
      deliveriesPerS,
      cpuUsPerDelivery: (cpuMs * 1000) / passage.exactness.received,
      p50Ms: latency.p50,
      p99Ms: latency.p99,
      loadBusyPercent,
    },
    exactness: addExactness(warmUp.exactness, passage.exactness),
  };
}
