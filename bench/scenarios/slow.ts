import { bySize, type Scenario, secondsOf } from '../scenario.ts';

const STUCK = 50;
const RATE = 50;
/** Large, so that the buffers of the kernel fill soon. */
const BYTES = 4000;

/** Some clients of a channel stop reading. The others must not notice, and the server must not hoard for them. */
export const slow: Scenario = {
  name: 'slow',
  subjects: ['signalbox', 'bare', 'sidecar'],
  // A sixteenth of the default, so that the stuck ones fill it within the time of a run.
  env: () => ({ MAX_SOCKET_BUFFER_BYTES: '65536' }),
  async run(stage, size) {
    const good = bySize(size, 100, 1000);
    const events = RATE * secondsOf(size) * 2;
    await stage.prepare('c', good + STUCK, 1);
    await stage.connect('c');
    await stage.pass({ group: 'c', channels: 1, events: RATE, rate: RATE, bytes: BYTES });
    const before = await stage.server.residentBytes();
    await stage.load.ask('stall', { group: 'c', count: STUCK });
    await stage.load.ask('mark', undefined);
    let peak = before;
    const watch = setInterval(() => {
      void stage.server.residentBytes().then((bytes) => {
        peak = Math.max(peak, bytes);
      });
    }, 100);
    const cpuBefore = await stage.server.cpuMs();
    const { total } = await stage.publish({ group: 'c', channels: 1, events, rate: RATE, bytes: BYTES });
    const cpuMs = (await stage.server.cpuMs()) - cpuBefore;
    const { live } = await stage.load.ask('latency', undefined);
    clearInterval(watch);
    await stage.load.ask('resume', { group: 'c' });
    await stage.settle('c', total);
    const exactness = await stage.take('c', total);
    return [
      {
        case: `${STUCK} stuck among ${good}`,
        figures: {
          goodP50Ms: live.p50,
          goodP99Ms: live.p99,
          grownMB: (peak - before) / 1024 / 1024,
          cpuUsPerDelivery: (cpuMs * 1000) / live.count,
        },
        exactness,
      },
    ];
  },
};
