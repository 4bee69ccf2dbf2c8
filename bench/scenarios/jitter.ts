import { addExactness } from '../ledger.ts';
import { bySize, RECOVERING, type Row, type Scenario, type Size } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const AWAY_SHARE = 2 / 15;

async function jitterAmong(stage: Stage, size: Size, clients: number, group: string): Promise<Row> {
  const messages = bySize(size, 20, 120);
  const rate = bySize(size, 10, 6);
  const everyMs = bySize(size, 1500, 15_000);
  const flow = { group, channels: 1, rate, both: true };
  await stage.prepare(group, clients, 1, true);
  await stage.connect(group);
  // Who vanishes before the first event would have no id to come back with.
  const first = await stage.pass({ ...flow, events: 1 });
  await stage.load.ask('mark', undefined);
  const jitter = stage.load.ask('jitter', {
    group,
    port: stage.server.port,
    everyMs,
    awayMs: everyMs * AWAY_SHARE,
    forMs: (messages / rate) * 1000,
  });
  const { total } = await stage.publish({ ...flow, events: messages });
  const absences = await jitter;
  await stage.settle(group, total);
  const exactness = await stage.take(group, total);
  const { replay, live } = await stage.load.ask('latency', undefined);
  return {
    case: `${clients} clients`,
    figures: {
      deliveredPercent: (100 * (exactness.due - exactness.missing)) / exactness.due,
      absences,
      replayP50Ms: replay.p50,
      replayP95Ms: replay.p95,
      replayP99Ms: replay.p99,
      liveP99Ms: live.p99,
    },
    exactness: addExactness(first.exactness, exactness),
  };
}

/** AnyCable's: clients that drop for about 2 s every 15 s, while 120 messages go out. */
export const jitter: Scenario = {
  name: 'jitter',
  subjects: ['signalbox', 'socketio'],
  env: () => RECOVERING,
  async run(stage, size) {
    const rows: Row[] = [];
    for (const clients of bySize(size, [100], [1000], [1000, 5000])) {
      rows.push(await jitterAmong(stage, size, clients, `j${clients}-`));
    }
    return rows;
  },
};
