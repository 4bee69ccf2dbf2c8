import { addExactness } from '../ledger.ts';
import { bySize, RECOVERING, type Scenario } from '../scenario.ts';

const BEHIND = 20;
const STAYING = 100;
const LIVE_RATE = 500;

/** Everybody comes back at once, each some events behind, while others stay and are served live. */
export const storm: Scenario = {
  name: 'storm',
  subjects: ['signalbox', 'sidecar', 'socketio'],
  env: () => RECOVERING,
  hasPeersInSmoke: true,
  async run(stage, size) {
    const channels = bySize(size, 100, 1000);
    const clients = channels * 2;
    const flow = { group: 'c', channels, rate: bySize(size, 2000, 10_000), both: true };
    await stage.prepare('c', clients, channels, true);
    await stage.connect('c');
    await stage.prepare('stays', STAYING, STAYING);
    await stage.connect('stays');
    // The first event gives each client the id that it comes back with.
    const first = await stage.pass({ ...flow, events: channels });
    await stage.load.ask('vanish', { group: 'c' });
    const { total } = await stage.publish({ ...flow, events: channels * BEHIND });
    await stage.load.ask('mark', undefined);
    const live = stage.publish({
      group: 'stays',
      channels: STAYING,
      rate: LIVE_RATE,
      events: LIVE_RATE * bySize(size, 2, 4),
      both: true,
    });
    const begin = performance.now();
    await stage.connect('c', clients);
    await stage.settle('c', total);
    const caughtUpMs = performance.now() - begin;
    const { total: liveTotal } = await live;
    await stage.settle('stays', liveTotal);
    const exactness = addExactness(await stage.take('c', total), await stage.take('stays', liveTotal));
    const { live: latency, replay } = await stage.load.ask('latency', undefined);
    return [
      {
        case: `${clients} clients, ${BEHIND} behind`,
        figures: {
          caughtUpMs,
          sent: exactness.received,
          replayP99Ms: replay.p99,
          liveP50Ms: latency.p50,
          liveP99Ms: latency.p99,
        },
        exactness: addExactness(first.exactness, exactness),
      },
    ];
  },
};
