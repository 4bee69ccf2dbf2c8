import { setTimeout as pause } from 'node:timers/promises';
import { bySize, type Scenario, secondsOf } from '../scenario.ts';

const RATE = 50;
/** What the stuck ones get is loud: the kernel alone takes 4 MB for each of them before the server sees it. */
const LOUD_RATE = 200;
const FILL_MS = 4000;

/** Some clients stop reading while much is due to them. The others must not notice, nor the server hoard for them. */
export const slow: Scenario = {
  name: 'slow',
  subjects: ['signalbox', 'bare', 'sidecar'],
  async run(stage, size) {
    const good = bySize(size, 100, 1000);
    const stuck = bySize(size, 10, 50);
    const fillMs = bySize(size, FILL_MS / 5, FILL_MS);
    const seconds = secondsOf(size);
    const loud = {
      group: 'stuck',
      channels: 1,
      rate: LOUD_RATE,
      events: LOUD_RATE * (seconds + fillMs / 1000),
      bytes: bySize(size, 16_000, 4000),
    };
    await stage.prepare('good', good, 1);
    await stage.connect('good');
    await stage.prepare('stuck', stuck, 1);
    await stage.connect('stuck');
    await stage.pass({ group: 'good', channels: 1, rate: RATE, events: RATE });
    const before = await stage.server.residentBytes();
    let peak = before;
    const watch = setInterval(() => {
      void stage.server.residentBytes().then((bytes) => {
        peak = Math.max(peak, bytes);
      });
    }, 100);
    await stage.load.ask('stall', { group: 'stuck', count: stuck });
    const publishing = stage.publish(loud);
    await pause(fillMs);
    const { latency } = await stage.pass({ group: 'good', channels: 1, rate: RATE, events: RATE * seconds });
    const { total } = await publishing;
    clearInterval(watch);
    // Not before now do they read again, and what they missed is due to them like anything else.
    await stage.load.ask('resume', { group: 'stuck' });
    await stage.settle('stuck', total);
    await stage.take('stuck', total);
    return [
      {
        case: `${stuck} stuck beside ${good}`,
        figures: {
          goodP50Ms: latency.p50,
          goodP99Ms: latency.p99,
          grownMBPerStuck: (peak - before) / 1024 / 1024 / stuck,
        },
        exactness: stage.exactness,
      },
    ];
  },
};
