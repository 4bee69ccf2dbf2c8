import { addExactness } from '../ledger.ts';
import { bySize, type Row, type Scenario } from '../scenario.ts';
import { measure } from './flow.ts';

/** Many channels with two sockets each: nothing to share, so what one write costs is what is seen. */
export const unicast: Scenario = {
  name: 'unicast',
  subjects: ['signalbox', 'bare', 'sidecar', 'socketio', 'nchan'],
  async run(stage, size) {
    const channels = bySize(size, 100, 1000);
    await stage.prepare('c', channels * 2, channels);
    await stage.connect('c');
    const rows: Row[] = [];
    for (const rate of bySize(size, [1000], [5000, 20_000])) {
      rows.push(await measure(stage, size, `${rate} events/s`, { group: 'c', channels, rate }));
    }
    const flow = { group: 'c', channels, rate: 0 };
    const warmUp = await stage.pass({ ...flow, events: bySize(size, 2000, 20_000) });
    const { exactness, deliveriesPerS, cpuMs, loadBusyPercent } = await stage.pass({
      ...flow,
      events: bySize(size, 5000, 150_000),
    });
    rows.push({
      case: 'as fast as it goes',
      figures: { deliveriesPerS, cpuUsPerDelivery: (cpuMs * 1000) / exactness.received, loadBusyPercent },
      exactness: addExactness(warmUp.exactness, exactness),
    });
    return rows;
  },
};
